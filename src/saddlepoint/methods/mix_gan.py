"""MIX+GAN (M35): a mixture of generators against a mixture of discriminators, with learned weights.

Around any method: its `mixture=Mix(T)`.
"""

from saddlepoint.dynamics import Skipping
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.mixture import Mix
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam

METHOD = Method(
    name="mix-gan",
    formula="L_D = sum_ij u_i v_j (E_P sp(-s_j) + E_Qi sp(s_j)) + c R(v);  L_G = sum_ij u_i v_j E_Qi sp(-s_j) + c R(u);  "
    "R(w) = -(1/T) sum_i log w_i",
    paper="Arora, Ge, Liang, Ma & Zhang, Generalization and Equilibrium in Generative Adversarial Nets (GANs), ICML 2017, "
    "section 5, arXiv:1703.00573",
    deviations=(
        "a turn of the discriminators whose mean adversarial loss is below 0.3 is skipped (the authors' code, not the paper)",
        "log w itself in the regulariser instead of log(w + 1e-6)",
        "the generators move first in a step",
    ),
    objective=NonSaturating(),
    latent=Gaussian(100),
    dynamics=Skipping(
        {"generator": Adam(1e-4), "discriminator": Adam(1e-4)}, of="payoff/discriminator", below=0.3
    ),
    batch_size=49,
    mixture=Mix(components=5, entropy=0.1),
)
