"""Consensus optimisation on the non-saturating game (M48).

Both players descend along v + γ∇(½‖v‖²), v the gradients of both together: it pulls the spectrum of the update into the
left half-plane, on the Dirac-GAN from ±i/2 to −γ/4 ± i/2.
"""

from saddlepoint.dynamics import Consensus
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import RMSProp

METHOD = Method(
    name="consensus",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = E_Q sp(-s);  "
    "v = (grad_G L_G, grad_D L_D), descent along v + gamma grad(|v|^2 / 2)",
    paper="Mescheder, Nowozin & Geiger, The Numerics of GANs, NIPS 2017, Algorithm 2, arXiv:1705.10461",
    deviations=("RMSProp smooths with .99 a step instead of the .9 of the authors' framework",),
    objective=NonSaturating(),
    latent=Gaussian(16),
    dynamics=Consensus({"generator": RMSProp(1e-4), "discriminator": RMSProp(1e-4)}, gamma=10.0),
    batch_size=512,
)
