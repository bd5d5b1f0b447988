"""Minimax GAN whose generator avoids moving the discriminator (M47).

η‖∇_{θ_D} L_D‖² in the generator's loss, differentiated through the discriminator's gradient; on the Dirac-GAN the eigenvalues
at the equilibrium become −η/4 ± √(η²/16 − 1/4).
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Minimax
from saddlepoint.optim import Adam
from saddlepoint.penalties import NagarajanKolter

METHOD = Method(
    name="nagarajan-kolter",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = -E_Q sp(s) + eta |grad_D L_D|^2",
    paper="Nagarajan & Kolter, Gradient Descent GAN Optimization Is Locally Stable, NIPS 2017, arXiv:1706.04156",
    deviations=("the generator moves first in a step",),
    objective=Minimax(),
    terms=(NagarajanKolter(eta=0.5),),
    latent=Gaussian(128),
    dynamics=Alternating({"generator": Adam(1e-4), "discriminator": Adam(1e-4)}),
    batch_size=512,
)
