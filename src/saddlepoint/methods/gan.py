"""The non-saturating GAN (M02).

The discriminator plays as in the minimax game; the generator minimises −E_z log D(G(z)). At the optimal D its gradient
is that of KL(Q‖P) − 2·JSD(P‖Q) (Arjovsky & Bottou 2017, theorem 2.5).
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam

METHOD = Method(
    name="gan",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = E_Q sp(-s)",
    paper="Goodfellow et al., Generative Adversarial Nets, NIPS 2014, section 3, arXiv:1406.2661",
    deviations=(
        "optimiser settings of Radford et al. 2016 (Adam, rate 2e-4, beta1 0.5)",
        "one discriminator step a step, the generator first",
    ),
    objective=NonSaturating(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
