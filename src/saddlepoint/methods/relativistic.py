"""The relativistic GAN (M56), RSGAN.

Each fake is judged against a real of the same row: only differences of scores count.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Relativistic
from saddlepoint.optim import Adam

METHOD = Method(
    name="relativistic",
    formula="L_D = E sp(s(G(z)) - s(x));  L_G = E sp(s(x) - s(G(z)))",
    paper="Jolicoeur-Martineau, The relativistic discriminator: a key element missing from standard GAN, ICLR 2019, "
    "arXiv:1807.00734",
    deviations=(
        "constant rate 2e-4, one discriminator step a step",
        "the generator moves first in a step",
    ),
    objective=Relativistic(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
