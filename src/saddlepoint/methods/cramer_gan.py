"""Cramér GAN (M72): the energy distance between learned features.

The critic E‖φ − φ(G(z))‖ − E‖φ − φ(x)‖ of a batch is held to slope 1 between data and samples.
"""

from saddlepoint.definitions import Witness
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import MMD, DistanceKernel
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="cramer-gan",
    formula="L_G = 2 E|phi(x) - phi(y)| - E|phi(x) - phi(x')| - E|phi(y) - phi(y')|, y = G(z);  "
    "L_D = -L_G + lambda E(|grad critic(x^)| - 1)^2",
    paper="Bellemare et al., The Cramer Distance as a Solution to Biased Wasserstein Gradients, 2017, arXiv:1705.10743",
    deviations=(
        "the energy distance over all pairs of the batch instead of two samples and a surrogate without a second real",
        "the features are the last hidden layer",
        "the generator moves first in a step",
    ),
    objective=MMD(DistanceKernel()),
    terms=(GradientPenalty(weight=10.0),),
    definitions=(Witness(DistanceKernel()),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": Adam(1e-4, (0.5, 0.9)), "discriminator": Adam(1e-4, (0.5, 0.9))},
        steps={"generator": 1, "discriminator": 5},
    ),
)
