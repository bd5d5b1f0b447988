"""Boundary equilibrium GAN (M15).

The discriminator is an autoencoder, its score the reconstruction error; k, in the memory of the objective, balances how
much fakes count, so that their error stays at γ times that of the data.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.networks import Autoencoder
from saddlepoint.objectives import BoundaryEquilibrium
from saddlepoint.optim import Adam

METHOD = Method(
    name="began",
    formula="L_D = E_P s - k E_Q s;  L_G = E_Q s;  k <- clip(k + lambda(gamma E_P s - E_Q s), 0, 1)",
    paper="Berthelot, Schumm & Metz, BEGAN: Boundary Equilibrium Generative Adversarial Networks, 2017, section 3.4, "
    "arXiv:1703.10717",
    deviations=(
        "perceptrons instead of convolutions",
        "constant rate 8e-5 instead of halving it (the authors' code)",
        "k follows the fakes of the discriminator's move instead of the generator's",
        "the generator moves first in a step",
    ),
    objective=BoundaryEquilibrium(ratio=0.5, rate=1e-3),
    latent=Uniform(64),
    dynamics=Alternating({"generator": Adam(8e-5), "discriminator": Adam(8e-5)}),
    batch_size=16,
    networks=Autoencoder(distance="absolute"),
)
