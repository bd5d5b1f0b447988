"""R3GAN (M58): relativistic pairing with both zero-centred gradient penalties.

Each fake is judged against a real; R1 and R2 bound the discriminator's slope on data and on samples.
"""

from saddlepoint.average import EMA
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Relativistic
from saddlepoint.optim import Adam
from saddlepoint.penalties import R1, R2

METHOD = Method(
    name="r3gan",
    formula="L_D = E sp(s(G(z)) - s(x)) + (gamma/2)(E_P + E_Q)|grad s|^2;  L_G = E sp(s(x) - s(G(z)))",
    paper="Huang, Gokaslan, Kuleshov & Tompkin, The GAN is dead; long live the GAN! A Modern Baseline GAN, "
    "NeurIPS 2024, arXiv:2501.05441",
    deviations=(
        "constant rate, penalty weight and beta2 instead of cosine schedules over a burn-in of millions of images",
        "no augmentation",
        "the generator moves first in a step, on its own batch",
    ),
    objective=Relativistic(),
    terms=(R1(gamma=1.0), R2(gamma=1.0)),
    latent=Gaussian(64),
    dynamics=Alternating({"generator": Adam(2e-4, (0.0, 0.99)), "discriminator": Adam(2e-4, (0.0, 0.99))}),
    averages={"generator": EMA(half_life=20_000)},
)
