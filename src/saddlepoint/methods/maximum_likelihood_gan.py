"""The maximum-likelihood game (M20).

At the optimal discriminator e^s = p/q, held fixed, the generator's gradient is half that of KL(P‖Q). Few samples
carry it: its variance is far above that of the non-saturating game.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import MaximumLikelihood
from saddlepoint.optim import Adam

METHOD = Method(
    name="maximum-likelihood-gan",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = -(1/2) E_Q exp(s)",
    paper="Goodfellow, NIPS 2016 Tutorial: Generative Adversarial Networks, 2016, arXiv:1701.00160",
    deviations=(
        "optimiser settings of Radford et al. 2016; the tutorial gives none",
        "the generator moves first in a step",
    ),
    objective=MaximumLikelihood(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
