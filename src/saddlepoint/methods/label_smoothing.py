"""The non-saturating GAN with one-sided label smoothing (M65).

Reals have the target 0.9 instead of 1, fakes keep 0: the optimal D is 0.9 p/(p + q), never sure.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import LabelSmoothing
from saddlepoint.optim import Adam

METHOD = Method(
    name="label-smoothing",
    formula="L_D = E_P[0.9 sp(-s) + 0.1 sp(s)] + E_Q sp(s);  L_G = E_Q sp(-s)",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.4, arXiv:1606.03498",
    deviations=(
        "the technique alone, on the non-saturating game with the settings of Radford et al. 2016",
        "the generator moves first in a step",
    ),
    objective=LabelSmoothing(real=0.9),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
