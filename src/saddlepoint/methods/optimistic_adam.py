"""Optimistic Adam on WGAN-GP (M52).

Every update is 2u_t − u_{t−1}, u_t that of Adam: the change of the direction predicts the opponent's next move. On the
bilinear game optimistic descent converges where descent spirals out.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Wasserstein
from saddlepoint.optim import Adam, Optimistic
from saddlepoint.penalties import GradientPenalty

METHOD = Method(
    name="optimistic-adam",
    formula="L_D = E_Q s - E_P s + lambda E(|grad s(x^)| - 1)^2;  L_G = -E_Q s;  "
    "theta <- theta - 2 eta m_t/(sqrt(v_t) + eps) + eta m_{t-1}/(sqrt(v_{t-1}) + eps)",
    paper="Daskalakis et al., Training GANs with Optimism, ICLR 2018, Algorithm 1, arXiv:1711.00141",
    deviations=(
        "optimiser settings and five critic steps of this catalogue's WGAN-GP (rate 1e-4, betas 0.5 and 0.9)",
        "the generator moves first in a step",
    ),
    objective=Wasserstein(),
    terms=(GradientPenalty(weight=10.0),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {
            "generator": Optimistic(Adam(1e-4, (0.5, 0.9))),
            "discriminator": Optimistic(Adam(1e-4, (0.5, 0.9))),
        },
        steps={"generator": 1, "discriminator": 5},
    ),
)
