"""Non-saturating GAN with the R2 penalty (M44).

(γ/2) E_Q ‖∇s(x)‖², the penalty of `gan-r1` at the samples instead of the data; the same eigenvalues on the Dirac-GAN.
"""

from saddlepoint.average import EMA
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import RMSProp
from saddlepoint.penalties import R2

METHOD = Method(
    name="gan-r2",
    formula="L_D = E_P sp(-s) + E_Q sp(s) + (gamma/2) E_Q |grad s|^2;  L_G = E_Q sp(-s)",
    paper="Mescheder, Geiger & Nowozin, Which Training Methods for GANs do actually Converge?, ICML 2018, "
    "equation 10, arXiv:1801.04406",
    deviations=("average with a half-life of 44,000 images and a ramp instead of .999 a step",),
    objective=NonSaturating(),
    terms=(R2(gamma=20.0),),
    latent=Gaussian(256),
    dynamics=Alternating({"generator": RMSProp(1e-4), "discriminator": RMSProp(1e-4)}),
    averages={"generator": EMA(half_life=44_000)},
)
