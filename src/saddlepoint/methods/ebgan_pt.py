"""The energy-based GAN with the pulling-away term (M13).

The codes of a batch of samples are pushed towards right angles: mean squared cosine of pairs, in the generator's loss alone.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Autoencoder
from saddlepoint.objectives import EnergyMargin
from saddlepoint.optim import Adam
from saddlepoint.penalties import PullingAway

METHOD = Method(
    name="ebgan-pt",
    formula="L_D = E_P s + E_Q max(0, m - s);  L_G = E_Q s + w/(n(n - 1)) sum_{i != j} cos(f_i, f_j)^2",
    paper="Zhao, Mathieu & LeCun, Energy-based Generative Adversarial Network, ICLR 2017, section 2.4, arXiv:1609.03126",
    deviations=(
        "the energy is the mean squared error of a number, and the margin 1 is on that scale",
        "the generator moves first in a step",
    ),
    objective=EnergyMargin(margin=1.0),
    terms=(PullingAway(weight=0.1),),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(1e-3), "discriminator": Adam(1e-3)}),
    networks=Autoencoder(),
)
