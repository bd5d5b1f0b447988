"""PacGAN (M32): the discriminator judges several samples at once, so that a lack of variety shows.

Around any method: the definition `Packing(m)` with the networks `Packed(rows=m)`.
"""

from saddlepoint.definitions import Packing
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Packed
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam

METHOD = Method(
    name="pacgan",
    formula="L_D = E_P sp(-s(x_1, x_2)) + E_Q sp(s(G(z_1), G(z_2)));  L_G = E_Q sp(-s(G(z_1), G(z_2)))",
    paper="Lin, Khetan, Fanti & Oh, PacGAN: The power of two samples in generative adversarial networks, NeurIPS 2018, "
    "arXiv:1712.04086",
    deviations=(
        "the rows of a pack are those of one batch, which are independent draws",
        "optimiser settings of the stacked MNIST experiment",
    ),
    objective=NonSaturating(),
    definitions=(Packing(2),),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    networks=Packed(rows=2),
)
