"""Projection discriminator (M24): the label enters as an inner product of its embedding with the features.

That is the form which log p(x, y)/q(x, y) takes when p(y|x) and q(y|x) are softmax functions of the features.
"""

from saddlepoint.constraints import SpectralNorm
from saddlepoint.definitions import ConditionalDiscriminator, ConditionalGenerator, Labelled
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Projected
from saddlepoint.objectives import Hinge
from saddlepoint.optim import Adam

METHOD = Method(
    name="projection",
    formula="L_D = E_P (1 - s(x, y))_+ + E_Q (1 + s(G(z, y), y))_+;  L_G = -E_Q s(G(z, y), y);  "
    "s(x, y) = psi(phi(x)) + <e_y, phi(x)>",
    paper="Miyato & Koyama, cGANs with Projection Discriminator, ICLR 2018, equation 4, arXiv:1802.05637",
    deviations=(
        "one batch of as many fakes as reals in the generator's turn instead of twice as many",
        "the generator takes labels beside the latent instead of through conditional normalisation",
        "constant rate",
    ),
    objective=Hinge(),
    constraints=(SpectralNorm(),),
    definitions=(Labelled(), ConditionalGenerator(), ConditionalDiscriminator()),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": Adam(2e-4, (0.0, 0.9)), "discriminator": Adam(2e-4, (0.0, 0.9))},
        steps={"generator": 1, "discriminator": 5},
    ),
    networks=Projected(),
)
