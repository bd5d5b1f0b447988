"""f-GAN of Jeffrey's divergence KL(P‖Q) + KL(Q‖P) (M03).

The conjugate has Lambert's W in it, here differentiated exactly. The optimal score is 1 + log p/q − q/p.
"""

from saddlepoint.dynamics import Simultaneous
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import FGAN, Jeffrey
from saddlepoint.optim import Adam

METHOD = Method(
    name="fgan-jeffrey",
    formula="L_D = -E_P g(v) + E_Q f*(g(v)), g = v, f*(g(v)) = W + 1/W + v - 2, W = W(exp(1 - v));  L_G = -E_Q f*(g(v))",
    paper="Nowozin, Cseke & Tomioka, f-GAN: Training Generative Neural Samplers using Variational Divergence Minimization, "
    "NIPS 2016, Algorithm 1 and table 2, arXiv:1606.00709",
    deviations=("batches of 64 instead of 4096 (from memory of the paper)",),
    objective=FGAN(Jeffrey()),
    latent=Uniform(100),
    dynamics=Simultaneous({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
