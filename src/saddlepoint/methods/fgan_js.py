"""f-GAN of the Jensen–Shannon divergence (twice it) (M03).

The minimax GAN with both losses moved by log 2: the generator saturates where fakes are told apart.
`FGAN(JensenShannon(), tricky=True)` is the cure of section 3.2 of the paper.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, JensenShannon
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-js",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = log 2 - sp(-v), f*(g(v)) = sp(v) - log 2;  L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=("batches of 64 instead of 4096 (from memory of the paper)",),
    objective=FGAN(JensenShannon()),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
