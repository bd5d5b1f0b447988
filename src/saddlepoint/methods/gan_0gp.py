"""Non-saturating GAN with a zero-centred gradient penalty on interpolates (M41).

λ E‖∇s(x̂)‖² between data and samples; on the Dirac-GAN the eigenvalues at the equilibrium become −λ ± √(λ² − 1/4).
"""

from saddlepoint.average import EMA
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import RMSProp
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="gan-0gp",
    formula="L_D = E_P sp(-s) + E_Q sp(s) + lambda E|grad s(x^)|^2;  L_G = E_Q sp(-s)",
    paper="Thanh-Tung, Tran & Venkatesh, Improving Generalization and Stability of Generative Adversarial Networks, "
    "ICLR 2019, arXiv:1902.03984; in the comparison of Mescheder, Geiger & Nowozin, ICML 2018, arXiv:1801.04406",
    deviations=(
        "settings of the code of Mescheder et al. 2018 (weight 10, RMSProp, rate 1e-4)",
        "straight lines between data and samples, and the slope of the score, not of the probability",
        "average with a half-life of 44,000 images and a ramp instead of .999 a step",
    ),
    objective=NonSaturating(),
    terms=(GradientPenalty(weight=10.0, target=0.0),),
    latent=Gaussian(256),
    dynamics=Alternating({"generator": RMSProp(1e-4), "discriminator": RMSProp(1e-4)}),
    averages={"generator": EMA(half_life=44_000)},
)
