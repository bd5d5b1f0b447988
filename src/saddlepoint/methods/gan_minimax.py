"""The original minimax game (M01).

max_D min_G V(D, G) = E_P log D(x) + E_z log(1 − D(G(z))), D = σ(s): both players play the same value. At the optimal
D* = p/(p + q) the value is −log 4 + 2·JSD(P‖Q). The generator's gradient vanishes where the discriminator is confident.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Minimax
from saddlepoint.optim import Adam

METHOD = Method(
    name="gan-minimax",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = -E_Q sp(s)",
    paper="Goodfellow et al., Generative Adversarial Nets, NIPS 2014, equation 1, arXiv:1406.2661",
    deviations=(
        "Adam instead of SGD with rising momentum and decaying rate, and no dropout",
        "one discriminator step a step, the generator first",
    ),
    objective=Minimax(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
