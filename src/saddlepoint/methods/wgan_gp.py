"""Wasserstein GAN with gradient penalty (M08), two-sided.

The critic's slope at points x̂ = εx + (1 − ε)x̃ between data and samples is pulled to 1, each point's own norm. A critic
that couples samples (BatchNorm) makes the penalty meaningless and is refused. λ = 10 for images; 0.1 for 2-D toys.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Wasserstein
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="wgan-gp",
    formula="L_D = E_Q s - E_P s + lambda E(|grad s(x^)| - 1)^2;  L_G = -E_Q s",
    paper="Gulrajani et al., Improved Training of Wasserstein GANs, NIPS 2017, Algorithm 1, arXiv:1704.00028",
    deviations=(
        "beta1 0.5 as in the authors' scripts; Algorithm 1 prints 0 (from memory of the paper)",
        "the generator moves first in a step",
    ),
    objective=Wasserstein(),
    terms=(GradientPenalty(weight=10.0),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {"generator": Adam(1e-4, (0.5, 0.9)), "discriminator": Adam(1e-4, (0.5, 0.9))},
        steps={"generator": 1, "discriminator": 5},
    ),
)
