"""Conditional GAN (M21): both networks are told the label of a sample.

The label stands beside the latent and beside the point: one-hot numbers beside vectors, constant channels beside images.
"""

from saddlepoint.definitions import ConditionalDiscriminator, ConditionalGenerator, Labelled
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Concatenated
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam

METHOD = Method(
    name="cgan",
    formula="L_D = E_P sp(-s(x, y)) + E_Q sp(s(G(z, y), y));  L_G = E_Q sp(-s(G(z, y), y))",
    paper="Mirza & Osindero, Conditional Generative Adversarial Nets, 2014, arXiv:1411.1784",
    deviations=(
        "the non-saturating loss and the optimiser settings of Radford et al. 2016 instead of maxout networks with descent",
        "fakes of a batch take the labels of its reals",
    ),
    objective=NonSaturating(),
    definitions=(Labelled(), ConditionalGenerator(), ConditionalDiscriminator()),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    networks=Concatenated(),
)
