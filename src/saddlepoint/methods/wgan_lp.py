"""Wasserstein GAN with a one-sided gradient penalty (M09).

Only slopes above 1 cost: the optimal critic has slope 1 on the transport rays and at most 1 elsewhere. When samples and data
agree, the penalty is silent, where the two-sided one still pushes the critic to slope 1.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Wasserstein
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="wgan-lp",
    formula="L_D = E_Q s - E_P s + lambda E max(0, |grad s(x^)| - 1)^2;  L_G = -E_Q s",
    paper="Petzka, Fischer & Lukovnicov, On the regularization of Wasserstein GANs, ICLR 2018, arXiv:1709.08894; Gulrajani "
    "et al., Improved Training of Wasserstein GANs, NIPS 2017, arXiv:1704.00028",
    deviations=(
        "weight, optimiser and interpolates of WGAN-GP, so that only the side of the penalty differs",
        "the generator moves first in a step",
    ),
    objective=Wasserstein(),
    terms=(GradientPenalty(weight=10.0, side="above"),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": Adam(1e-4, (0.5, 0.9)), "discriminator": Adam(1e-4, (0.5, 0.9))},
        steps={"generator": 1, "discriminator": 5},
    ),
)
