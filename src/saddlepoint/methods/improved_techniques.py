"""The techniques of Salimans et al. 2016 together: feature matching (M63), historical averaging (M64), one-sided label
smoothing (M65) and minibatch discrimination (M30).

Each is a part of its own. Virtual batch normalisation (M66) is one of the networks: `DCGAN(generator_norm="virtual")`; the
discriminator's score here depends on the whole batch already.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import MinibatchDiscrimination
from saddlepoint.objectives import LabelSmoothing
from saddlepoint.optim import Adam
from saddlepoint.penalties import FeatureMatching, HistoricalAveraging

METHOD = Method(
    name="improved-techniques",
    formula="L_D = E_P[0.9 sp(-s) + 0.1 sp(s)] + E_Q sp(s) + |t_D - mean t_D|^2;  "
    "L_G = E_Q sp(-s) + |E_P f - E_Q f|^2 + |t_G - mean t_G|^2;  s knows how close the others of a batch are",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, sections 3.1 to 3.4, arXiv:1606.03498",
    deviations=(
        "all at once; the paper takes feature matching for semi-supervised learning and minibatch discrimination for samples",
        "weights of 1 for feature matching and historical averaging, which the paper leaves open",
        "closeness is the mean over the other rows instead of the sum, so that it does not change with the batch size",
        "the mean of historical averaging contains the present parameters and is a constant of the gradient",
        "the generator moves first in a step",
    ),
    objective=LabelSmoothing(real=0.9),
    terms=(FeatureMatching(), HistoricalAveraging("generator"), HistoricalAveraging("discriminator")),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    networks=MinibatchDiscrimination(),
)
