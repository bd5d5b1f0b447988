"""Minibatch discrimination (M30): each sample's score also knows how close the others of its batch are.

A generator that makes the same sample again and again is told apart by that alone.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import MinibatchDiscrimination
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam

METHOD = Method(
    name="minibatch-discrimination",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = E_Q sp(-s);  "
    "s(x_i) + w . o(x_i), o_b(x_i) = mean over j != i of exp(-|M_ib - M_jb|_1)",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.2, arXiv:1606.03498",
    deviations=(
        "closeness is the mean over the other rows instead of the sum, so that it does not change with the batch size",
        "reals and fakes are judged apart; no data-dependent initialisation",
    ),
    objective=NonSaturating(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    networks=MinibatchDiscrimination(),
)
