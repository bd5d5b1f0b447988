"""Wasserstein GAN with weight clipping (M07).

The critic maximises E_P s − E_Q s over networks whose every parameter lies in [−c, c]: a lower bound of K·W₁(P, Q)
for an unknown K. Clipping follows every critic move.
"""

from saddlepoint.constraints import Clip
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Wasserstein
from saddlepoint.optim import RMSProp

METHOD = Method(
    name="wgan",
    formula="L_D = E_Q s - E_P s, |w| <= c;  L_G = -E_Q s",
    paper="Arjovsky, Chintala & Bottou, Wasserstein GAN, ICML 2017, Algorithm 1, arXiv:1701.07875",
    deviations=(
        "no long critic phases (the authors' script takes 100 critic steps for the first 25 steps and each 500th)",
        "the generator moves first in a step",
    ),
    objective=Wasserstein(),
    constraints=(Clip(bound=0.01),),
    latent=Gaussian(100),
    dynamics=Alternating(
        {"generator": RMSProp(5e-5), "discriminator": RMSProp(5e-5)},
        steps={"generator": 1, "discriminator": 5},
    ),
)
