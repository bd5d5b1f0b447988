"""Feature matching (M63): the generator makes the mean features of its samples those of the data.

The features are the discriminator's last hidden layer; the discriminator plays as in the minimax game and is not moved by
the generator's loss.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Discrimination
from saddlepoint.optim import Adam
from saddlepoint.penalties import FeatureMatching

METHOD = Method(
    name="feature-matching",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = |E_P f - E_Q f|^2",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.1, arXiv:1606.03498",
    deviations=(
        "without labels: the paper's discriminator is a classifier of K + 1 classes",
        "optimiser settings of Radford et al. 2016 (Adam, rate 2e-4, beta1 0.5)",
        "the square is summed over features; the authors' code takes their mean",
        "the generator moves first in a step",
    ),
    objective=Discrimination(),
    terms=(FeatureMatching(),),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
