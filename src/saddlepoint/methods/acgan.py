"""Auxiliary classifier GAN (M23): the discriminator also names the class, the generator wants to be named rightly.

Samples that are easy to classify are preferred, at the cost of diversity within a class.
"""

from saddlepoint.definitions import ConditionalGenerator, Labelled
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Classifying, LabelledGenerator
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import FakeClass, RealClass

METHOD = Method(
    name="acgan",
    formula="L_D = E_P sp(-s) + E_Q sp(s) - E_P log P(y|x) - E_Q log P(y|G(z, y));  "
    "L_G = E_Q sp(-s) - E_Q log P(y|G(z, y))",
    paper="Odena, Olah & Shlens, Conditional Image Synthesis with Auxiliary Classifier GANs, ICML 2017, equations 2 and 3, "
    "arXiv:1610.09585",
    deviations=("fakes of a batch take the labels of its reals", "the generator moves first in a step"),
    objective=NonSaturating(),
    terms=(RealClass(), FakeClass()),
    definitions=(Labelled(), ConditionalGenerator()),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    networks=LabelledGenerator(Classifying()),
)
