"""ExtraAdam on WGAN-GP (M53).

Both players look ahead with Adam and then step from where they stood along the gradient seen there; Adam's moments are
updated both times. On the bilinear game, where descent spirals out, extragradient contracts.
"""

from saddlepoint.average import EMA
from saddlepoint.dynamics import Extragradient
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Wasserstein
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="extra-adam",
    formula="L_D = E_Q s - E_P s + lambda E(|grad s(x^)| - 1)^2;  L_G = -E_Q s;  "
    "theta~ = theta - Adam(v(theta)), theta <- theta - Adam(v(theta~))",
    paper="Gidel et al., A Variational Inequality Perspective on Generative Adversarial Networks, ICLR 2019, "
    "Algorithm 4, arXiv:1802.10551",
    deviations=("average with a half-life of 440,000 images and a ramp instead of .9999 a step",),
    objective=Wasserstein(),
    terms=(GradientPenalty(weight=10.0),),
    latent=Gaussian(128),
    dynamics=Extragradient({"generator": Adam(5e-4, (0.5, 0.9)), "discriminator": Adam(5e-4, (0.5, 0.9))}),
    averages={"generator": EMA(half_life=440_000)},
)
