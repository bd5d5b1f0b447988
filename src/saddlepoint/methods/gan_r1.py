"""Non-saturating GAN with the R1 penalty (M43).

(γ/2) E_P ‖∇s(x)‖² makes training locally convergent; on the Dirac-GAN the eigenvalues at the equilibrium become
−γ/2 ± √(γ²/4 − 1/4). The authors' code writes its weight 10 without the ½: γ = 20 here is the same number.
"""

from saddlepoint.average import EMA
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import RMSProp
from saddlepoint.penalties import R1

METHOD = Method(
    name="gan-r1",
    formula="L_D = E_P sp(-s) + E_Q sp(s) + (gamma/2) E_P |grad s|^2;  L_G = E_Q sp(-s)",
    paper="Mescheder, Geiger & Nowozin, Which Training Methods for GANs do actually Converge?, ICML 2018, "
    "equation 9, arXiv:1801.04406",
    deviations=("average with a half-life of 44,000 images and a ramp instead of .999 a step",),
    objective=NonSaturating(),
    terms=(R1(gamma=20.0),),
    latent=Gaussian(256),
    dynamics=Alternating({"generator": RMSProp(1e-4), "discriminator": RMSProp(1e-4)}),
    averages={"generator": EMA(half_life=44_000)},
)
