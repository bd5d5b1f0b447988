"""MMD GAN with a gradient penalty (M72): MMD² between learned features.

The discriminator's last hidden layer φ maximises MMD² of φ(x) and φ(G(z)), the generator minimises it; the witness function,
the critic that MMD² stands for, is held to slope 1 between data and samples.
"""

from saddlepoint.definitions import Witness
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import MMD, RationalQuadratic
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="mmd-gan",
    formula="L_D = -MMD_k^2(phi(x), phi(G(z))) + lambda E(|grad witness(x^)| - 1)^2;  L_G = MMD_k^2(phi(x), phi(G(z)))",
    paper="Li et al., MMD GAN: Towards Deeper Understanding of Moment Matching Network, NIPS 2017, arXiv:1705.08584; "
    "kernel and penalty of Binkowski et al., Demystifying MMD GANs, ICLR 2018, arXiv:1801.01401",
    deviations=(
        "penalty weight 1, rate 1e-4 and 5 critic steps are from memory of the paper",
        "the features are the last hidden layer instead of 16 outputs",
        "the generator moves first in a step",
    ),
    objective=MMD(RationalQuadratic()),
    terms=(GradientPenalty(weight=1.0),),
    definitions=(Witness(RationalQuadratic()),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": Adam(1e-4, (0.5, 0.9)), "discriminator": Adam(1e-4, (0.5, 0.9))},
        steps={"generator": 1, "discriminator": 5},
    ),
)
