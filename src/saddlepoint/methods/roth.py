"""Jensen–Shannon GAN with the regulariser of Roth et al. (M46), annealed.

(γ/2)(E_P (1 − σ(s))²‖∇s‖² + E_Q σ(s)²‖∇s‖²): noise of variance γ on data and samples, without the noise. γ falls from 2 to a
hundredth of that over the run.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import Roth
from saddlepoint.schedules import Exponential

METHOD = Method(
    name="roth",
    formula="L_D = E_P sp(-s) + E_Q sp(s) + (gamma/2)(E_P (1 - sigma(s))^2 |grad s|^2 + E_Q sigma(s)^2 |grad s|^2), "
    "gamma = 2 * .01^progress;  L_G = E_Q sp(-s)",
    paper="Roth, Lucchi, Nowozin & Hofmann, Stabilizing Training of Generative Adversarial Networks through "
    "Regularization, NIPS 2017, arXiv:1705.09367",
    deviations=("the generator moves first in a step",),
    objective=NonSaturating(),
    terms=(Roth(gamma=Exponential(2.0, 0.02)),),
    latent=Gaussian(128),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
