"""Adversarially learned inference (M37): a discriminator of points beside their latents, and an encoder that plays along.

At the optimum the encoder inverts the generator. The same game as BiGAN.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.encoders import Encoder, Pairs
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Encoding, Joint
from saddlepoint.objectives import Bidirectional
from saddlepoint.optim import Adam

METHOD = Method(
    name="ali",
    formula="L_D = E_P sp(-s(x, E(x))) + E_z sp(s(G(z), z));  L_G = E_z sp(-s(G(z), z));  "
    "L_encoder = E_P sp(s(x, E(x)))",
    paper="Dumoulin et al., Adversarially Learned Inference, ICLR 2017, arXiv:1606.00704",
    deviations=(
        "the encoder is deterministic, as in BiGAN (theirs draws from a Gaussian)",
        "the latent joins the point at the discriminator's last features",
        "generator and encoder move first in a step",
    ),
    objective=Bidirectional(),
    definitions=(Encoder(), Pairs()),
    latent=Gaussian(64),
    dynamics=Alternating(
        {who: Adam(1e-4) for who in ("generator", "encoder", "discriminator")},
        steps={"generator+encoder": 1, "discriminator": 1},
    ),
    batch_size=100,
    networks=Joint(Encoding()),
)
