"""EBGAN whose autoencoder learns the data first, and whose margin falls (M14).

Before the first sample is judged, the energy is already low on data and high elsewhere. As the margin goes to 0, the
discriminator becomes the autoencoder again that it was at first.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method, Stage
from saddlepoint.networks import Autoencoder
from saddlepoint.objectives import EnergyMargin, RealEnergy
from saddlepoint.optim import Adam
from saddlepoint.schedules import Linear

AUTOENCODER = Method(
    name="autoencoder",
    formula="L_D = E_P s",
    objective=RealEnergy(),
    latent=Gaussian(100),
    dynamics=Alternating({"discriminator": Adam(1e-3)}, {"discriminator": 1}),
)
METHOD = Method(
    name="ebgan-pretrained",
    formula="first L_D = E_P s; then L_D = E_P s + E_Q max(0, m_t - s);  L_G = E_Q s;  m_t falls to 0",
    paper="Zhao, Mathieu & LeCun, Energy-based Generative Adversarial Network, ICLR 2017, arXiv:1609.03126",
    deviations=(
        "1,000 steps of pre-training and a straight decay over 500,000 images: numbers of our own",
        "the paper lowers the margin in its semi-supervised variant (EBGAN-LN)",
        "the energy is the mean squared error of a number, and the margin 1 is on that scale",
        "the generator moves first in a step",
    ),
    objective=EnergyMargin(margin=Linear(1.0, 0.0, over=500_000)),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(1e-3), "discriminator": Adam(1e-3)}),
    networks=Autoencoder(),
    before=(Stage(AUTOENCODER, 1000),),
)
