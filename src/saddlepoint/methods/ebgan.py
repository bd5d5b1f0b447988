"""The energy-based GAN (M12).

The discriminator is an energy, low on data, pushed up on fakes as far as the margin: the reconstruction error of an
autoencoder, which has a lower bound; a score without one has no equilibrium.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Autoencoder
from saddlepoint.objectives import EnergyMargin
from saddlepoint.optim import Adam

METHOD = Method(
    name="ebgan",
    formula="L_D = E_P s + E_Q max(0, m - s);  L_G = E_Q s",
    paper="Zhao, Mathieu & LeCun, Energy-based Generative Adversarial Network, ICLR 2017, equations 1 and 2, "
    "arXiv:1609.03126",
    deviations=(
        "the energy is the mean squared error of a number, and the margin 1 is on that scale",
        "one recipe (rate 1e-3, that of the paper for MNIST) for all data",
        "the generator moves first in a step",
    ),
    objective=EnergyMargin(margin=1.0),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(1e-3), "discriminator": Adam(1e-3)}),
    networks=Autoencoder(),
)
