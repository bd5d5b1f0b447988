"""f-GAN of an α-divergence (M03).

α → 1 is KL(P‖Q), α → 0 is KL(Q‖P), α = ½ twice the squared Hellinger distance; `Alpha(1.5)` is on the other side,
where the conjugate is cut at 0.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, Alpha
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-alpha",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = 1/(1 - a) - sp(-v), f*(g(v)) = (((1 - a) sp(-v))^(a/(a - 1)) - 1)/a;  "
    "L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=(
        "batches of 64 instead of 4096 (from memory of the paper)",
        "alpha = 1/2; the paper leaves it open",
    ),
    objective=FGAN(Alpha(0.5)),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
