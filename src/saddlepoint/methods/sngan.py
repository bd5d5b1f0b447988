"""Spectrally normalised GAN (M40).

Every weight of the discriminator is divided by its largest singular value, estimated by power iteration; hinge loss.
"""

from saddlepoint.constraints import SpectralNorm
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Hinge
from saddlepoint.optim import Adam

METHOD = Method(
    name="sngan",
    formula="L_D = E_P max(0, 1 - s) + E_Q max(0, 1 + s), W -> W / sigma(W);  L_G = -E_Q s",
    paper="Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, arXiv:1802.05957",
    deviations=(
        "one power iteration per discriminator move (15 at the start) instead of one per forward pass",
        "constant rate 2e-4 instead of a linear decay to 0 over 100,000 steps (from memory of the paper)",
        "the generator sees as many samples a step as the discriminator (the authors' code doubles them)",
        "the generator moves first in a step",
    ),
    objective=Hinge(),
    constraints=(SpectralNorm(),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": Adam(2e-4, (0.0, 0.9)), "discriminator": Adam(2e-4, (0.0, 0.9))},
        steps={"generator": 1, "discriminator": 5},
    ),
)
