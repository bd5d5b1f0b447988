"""Representative-feature GAN (M29): the discriminator also sees what an autoencoder of the data, trained before, makes of a
point. The autoencoder's encoder stays as it is."""

from saddlepoint.dynamics import Alternating
from saddlepoint.encoders import Decoded, Represented
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method, Stage
from saddlepoint.networks import Representing
from saddlepoint.objectives import Autoencoding, NonSaturating
from saddlepoint.optim import Adam

AUTOENCODER = Method(
    name="autoencoder",
    objective=Autoencoding(),
    definitions=(Represented(), Decoded()),
    latent=Gaussian(100),
    dynamics=Alternating(
        {who: Adam(1e-3) for who in ("representation", "decoder")}, steps={"representation+decoder": 1}
    ),
)
METHOD = Method(
    name="rfgan",
    formula="L_D = E_P sp(-s(x, R(x))) + E_Q sp(s(x, R(x)));  L_G = E_Q sp(-s(x, R(x)));  before: min E_P |x - C(R(x))|^2",
    paper="Bang & Shim, Improved Training of Generative Adversarial Networks Using Representative Features, ICML 2018, "
    "arXiv:1801.09195",
    deviations=(
        "written from a summary of the paper",
        "1,000 steps of the autoencoder",
        "the generator moves first in a step",
    ),
    objective=NonSaturating(),
    definitions=(Represented(),),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    networks=Representing(),
    before=(Stage(AUTOENCODER, 1000),),
)
