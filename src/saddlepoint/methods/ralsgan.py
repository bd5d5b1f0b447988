"""The relativistic average least-squares GAN (M57), RaLSGAN.

A score shall be 1 above the mean score of the other side, and 1 below.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import RelativisticAverage, Squared
from saddlepoint.optim import Adam

METHOD = Method(
    name="ralsgan",
    formula="L_D = (1/2) E_P(s - m_Q - 1)^2 + (1/2) E_Q(m_P - s - 1)^2;  "
    "L_G = (1/2) E_P(m_Q - s - 1)^2 + (1/2) E_Q(s - m_P - 1)^2",
    paper="Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN, ICLR 2019, "
    "arXiv:1807.00734",
    deviations=(
        "halved, so that a constant score costs 1",
        "the generator moves first in a step",
    ),
    objective=RelativisticAverage(Squared()),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
