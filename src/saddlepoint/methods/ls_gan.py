"""The loss-sensitive GAN (M16), LS-GAN; not to be confused with the least-squares `lsgan`.

The score is a loss: low for reals, and for a fake higher than for the real it is paired with, by a margin that
grows with their distance.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import LossSensitive
from saddlepoint.optim import Adam

METHOD = Method(
    name="ls-gan",
    formula="L_D = E max(0, c d(x, G(z)) + s(x) - s(G(z)));  L_G = E_Q s",
    paper="Qi, Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities, 2017, arXiv:1701.06264",
    deviations=(
        "the data term of L_D left out and the margin 2e-4 times the sum over 64x64x3 numbers, as in the authors' code",
        "no weight decay, and fresh fakes for the generator instead of the discriminator's",
        "the generator moves first in a step",
    ),
    objective=LossSensitive(margin=2.4576, data=0.0),
    latent=Uniform(100),
    dynamics=Alternating({"generator": Adam(1e-4), "discriminator": Adam(1e-4)}),
)
