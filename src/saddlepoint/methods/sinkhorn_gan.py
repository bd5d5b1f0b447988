"""Sinkhorn GAN with a learned cost (M72): entropic transport between learned features.

The discriminator's last hidden layer φ maximises the Sinkhorn divergence of φ(x) and φ(G(z)), the generator minimises it;
clipped weights bound the cost.
"""

from saddlepoint.constraints import Clip
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Sinkhorn
from saddlepoint.optim import RMSProp

METHOD = Method(
    name="sinkhorn-gan",
    formula="L_G = OT_eps(X, Y) - OT_eps(X, X)/2 - OT_eps(Y, Y)/2, X = phi(x), Y = phi(G(z));  L_D = -L_G, |w| <= c",
    paper="Genevay, Peyre & Cuturi, Learning Generative Models with Sinkhorn Divergences, AISTATS 2018, arXiv:1706.00292",
    deviations=(
        "clipping at 0.1, eps = 0.01, 50 iterations and the optimisers are choices of ours",
        "the features are the last hidden layer",
        "the generator moves first in a step",
    ),
    objective=Sinkhorn(epsilon=0.01, iterations=50),
    constraints=(Clip(bound=0.1),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": RMSProp(1e-4), "discriminator": RMSProp(1e-4)},
        steps={"generator": 1, "discriminator": 5},
    ),
)
