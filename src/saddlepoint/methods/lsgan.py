"""Least-squares GAN (M06).

Targets a for fakes, b for reals, c for the generator, on raw scores. (0, 1, 1) is the authors' code; with (−1, 1, 0)
the generator minimises the Pearson χ² divergence between P + Q and 2Q at the optimal discriminator.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import LeastSquares
from saddlepoint.optim import Adam

METHOD = Method(
    name="lsgan",
    formula="L_D = (1/2)E_P(s - b)^2 + (1/2)E_Q(s - a)^2;  L_G = (1/2)E_Q(s - c)^2",
    paper="Mao et al., Least Squares Generative Adversarial Networks, ICCV 2017, equation 2, arXiv:1611.04076",
    deviations=(
        "rate 2e-4 instead of the 1e-3 of the authors' LSUN script",
        "the generator moves first in a step",
    ),
    objective=LeastSquares(a=0.0, b=1.0, c=1.0),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
