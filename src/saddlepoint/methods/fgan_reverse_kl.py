"""f-GAN of the reverse Kullback–Leibler divergence KL(Q‖P) (M03).

The generator is held to stay where data are, and may leave modes out. Its loss 1 − E_Q v is that of a Wasserstein
critic; the optimal score is log p/q.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, ReverseKL
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-reverse-kl",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = -exp(-v), f*(g(v)) = v - 1;  L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=("batches of 64 instead of 4096 (from memory of the paper)",),
    objective=FGAN(ReverseKL()),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
