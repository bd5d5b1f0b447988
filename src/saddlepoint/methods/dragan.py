"""DRAGAN (M10): non-saturating, with slope 1 asked for around the data.

The penalty is taken at x + α·.5·std·u, α ~ U(0, 1) a row and u ~ U(0, 1) a coordinate, std that of all numbers of the batch.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import GradientPenalty, NoiseBall

METHOD = Method(
    name="dragan",
    formula="L_D = E_P sp(-s) + E_Q sp(s) + lambda E(|grad s(x + a .5 std u)| - 1)^2;  L_G = E_Q sp(-s)",
    paper="Kodali, Abernethy, Hays & Kira, On Convergence and Stability of GANs, 2017, arXiv:1705.07215",
    deviations=(
        "the noise of the authors' code: one-sided (`NoiseBall(symmetric=True)` is the other)",
        "the slope is that of the score, as in the authors' code",
        "the generator moves first in a step",
    ),
    objective=NonSaturating(),
    terms=(GradientPenalty(weight=10.0, at=NoiseBall(size=0.5)),),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(1e-4, (0.5, 0.9)), "discriminator": Adam(1e-4, (0.5, 0.9))}),
)
