"""The generalised loss-sensitive GAN (M17), GLS-GAN.

As `ls-gan` with the cost max(a, νa): ν = 0 is LS-GAN and ν = 1 a Wasserstein GAN; weights are clipped.
"""

from saddlepoint.constraints import Clip
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.objectives import LossSensitive
from saddlepoint.optim import Adam

METHOD = Method(
    name="gls-gan",
    formula="L_D = E C(c d(x, G(z)) + s(x) - s(G(z))), C(a) = max(a, nu a), |w| <= 0.08;  L_G = E_Q s",
    paper="Qi, Loss-Sensitive Generative Adversarial Networks on Lipschitz Densities, 2017, arXiv:1701.06264",
    deviations=(
        "nu = 1/2, half way between LS-GAN and a Wasserstein GAN: a choice of ours",
        "the data term of L_D left out and the margin 2e-4 times the sum over 64x64x3 numbers, as for LS-GAN",
        "the generator moves first in a step",
    ),
    objective=LossSensitive(margin=2.4576, data=0.0, slope=0.5),
    latent=Uniform(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    constraints=(Clip(bound=0.08),),
)
