"""f-GAN of Pearson's χ² (M03).

The optimal score is 2(p/q − 1): unbounded where Q has lighter tails than P.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, Pearson
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-pearson",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = v, f*(g(v)) = max(v, -2)^2/4 + max(v, -2);  L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=(
        "batches of 64 instead of 4096 (from memory of the paper)",
        "the conjugate is cut at v = -2, as the one over ratios of densities is; the table prints t^2/4 + t for every t",
    ),
    objective=FGAN(Pearson()),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
