"""Semi-supervised GAN (M25): the discriminator is a classifier of K classes that also tells fakes, which are a class more.

Few rows have labels; reals without one must be of some class, fakes of none. The generator matches features: one that is
right in every detail would teach the classifier nothing.
"""

from saddlepoint.average import EMA
from saddlepoint.definitions import PartlyLabelled
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Uniform
from saddlepoint.method import Method
from saddlepoint.networks import KPlusOne
from saddlepoint.objectives import SemiSupervised
from saddlepoint.optim import Adam
from saddlepoint.penalties import FeatureMatching

METHOD = Method(
    name="semi-supervised",
    formula="L_D = E[-l_y + s] over labelled rows + 1/2 (E_P sp(-s) + E_Q sp(s)), s = log sum_k exp l_k;  "
    "L_G = |E_P f - E_Q f|^2",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 5, arXiv:1606.03498",
    deviations=(
        "no weight normalisation; the rate of the authors' code for MNIST, constant, for all data",
        "features of the last hidden layer, their square summed instead of averaged",
        "averages have a half-life in images (693,000 is their 1e-4 a step of 100 rows) and forget the start",
        "without labels of a few rows all rows have them",
        "the generator moves first in a step",
    ),
    objective=SemiSupervised(),
    terms=(FeatureMatching(),),
    definitions=(PartlyLabelled(),),
    latent=Uniform(100),
    dynamics=Alternating({"generator": Adam(3e-3), "discriminator": Adam(3e-3)}),
    averages={"discriminator": EMA(693_000)},
    batch_size=100,
    networks=KPlusOne(),
)
