"""f-GAN of the Kullback–Leibler divergence KL(P‖Q) (M03).

The generator is held to cover the data: its loss −E_Q e^(v − 1) weighs fakes exponentially, as maximum likelihood
does. The optimal score is 1 + log p/q.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, KL
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-kl",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = v, f*(g(v)) = exp(v - 1);  L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=("batches of 64 instead of 4096 (from memory of the paper)",),
    objective=FGAN(KL()),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
