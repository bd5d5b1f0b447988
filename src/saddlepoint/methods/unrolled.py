"""Unrolled GAN: the minimax game against a discriminator five steps ahead (M26).

The generator descends V(θ_G, φ⁵(θ_G)), φ⁵ the discriminator after five steps of its own Adam, and differentiates through
those steps. The discriminator then takes one ordinary step from where it stood. The generator's turn costs 11
evaluations instead of one.
"""

from saddlepoint.dynamics import Unrolled
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Minimax
from saddlepoint.optim import Adam

METHOD = Method(
    name="unrolled",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = -L_D at phi_5(theta_G), five steps of D's Adam ahead",
    paper="Metz et al., Unrolled Generative Adversarial Networks, ICLR 2017, arXiv:1611.02163",
    deviations=(
        "settings of the authors' notebook (rates 1e-3 and 1e-4, beta1 0.5, five steps, batch 512), which says that "
        "they differ from the paper's",
        "the generator moves first and on a batch of its own; the notebook moves both from one batch",
    ),
    objective=Minimax(),
    latent=Gaussian(256),
    dynamics=Unrolled(
        {"generator": Adam(1e-3, (0.5, 0.999)), "discriminator": Adam(1e-4, (0.5, 0.999))}, ahead=5
    ),
    batch_size=512,
)
