"""Hinge GAN (M11), also called geometric GAN.

At the optimal D* = sign(p − q) the discriminator's loss is 2(1 − TV(P, Q)).
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Hinge
from saddlepoint.optim import Adam

METHOD = Method(
    name="hinge",
    formula="L_D = E_P max(0, 1 - s) + E_Q max(0, 1 + s);  L_G = -E_Q s",
    paper="Lim & Ye, Geometric GAN, 2017, arXiv:1705.02894; Miyato et al., ICLR 2018, equations 16 and 17",
    deviations=("Adam with the settings of Miyato et al. (0, 0.9)", "the generator moves first in a step"),
    objective=Hinge(),
    latent=Gaussian(128),
    dynamics=Alternating({"generator": Adam(2e-4, (0.0, 0.9)), "discriminator": Adam(2e-4, (0.0, 0.9))}),
)
