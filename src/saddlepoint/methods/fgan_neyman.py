"""f-GAN of Neyman's χ² (M03).

The optimal score is 2 log p/q; fakes where no data are cost the most of all rows of the table.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, Neyman
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-neyman",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = 1 - exp(-v), f*(g(v)) = 2 - 2 exp(-v/2);  L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=("batches of 64 instead of 4096 (from memory of the paper)",),
    objective=FGAN(Neyman()),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
