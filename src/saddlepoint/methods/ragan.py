"""The relativistic average GAN (M57), RaSGAN.

A score is judged against the mean score of the other side; the two halves are averaged.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import RelativisticAverage
from saddlepoint.optim import Adam

METHOD = Method(
    name="ragan",
    formula="L_D = (1/2) E_P sp(m_Q - s) + (1/2) E_Q sp(s - m_P);  "
    "L_G = (1/2) E_P sp(s - m_Q) + (1/2) E_Q sp(m_P - s)",
    paper="Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN, ICLR 2019, "
    "arXiv:1807.00734",
    deviations=(
        "halved, so that a constant score costs log 2",
        "the generator moves first in a step",
    ),
    objective=RelativisticAverage(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
