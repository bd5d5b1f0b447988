"""The relativistic average hinge GAN (M57), RaHinge.

A score shall be at least 1 above the mean score of the other side.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Margin, RelativisticAverage
from saddlepoint.optim import Adam

METHOD = Method(
    name="rahinge",
    formula="L_D = (1/2) E_P max(0, 1 - s + m_Q) + (1/2) E_Q max(0, 1 - m_P + s);  "
    "L_G = (1/2) E_P max(0, 1 - m_Q + s) + (1/2) E_Q max(0, 1 - s + m_P)",
    paper="Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN, ICLR 2019, "
    "arXiv:1807.00734",
    deviations=(
        "halved, so that a constant score costs 1",
        "the generator moves first in a step",
    ),
    objective=RelativisticAverage(Margin()),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
