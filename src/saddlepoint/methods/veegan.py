"""VEEGAN (M36): the encoder reconstructs latents, so that samples of different latents stay apart.

Here a high score means data, as everywhere; the paper's D is -s, high for (z, G(z)) (P18: a port of it flips the labels and
adds the score of data to the encoder's loss).
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.encoders import Encoder, Pairs
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Encoding, Joint
from saddlepoint.objectives import LogOdds
from saddlepoint.optim import Adam
from saddlepoint.penalties import CodeReconstruction

METHOD = Method(
    name="veegan",
    formula="L_D = E_P sp(-s(x, E(x))) + E_z sp(s(G(z), z));  L_G = -E_z s(G(z), z) + E_z |z - E(G(z))|^2;  "
    "L_encoder = E_z |z - E(G(z))|^2",
    paper="Srivastava, Valkov, Russell, Gutmann & Sutton, VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational "
    "Learning, NIPS 2017, algorithm 1, arXiv:1705.07761",
    deviations=(
        "the latent joins the point at the discriminator's last features",
        "one recipe (rate 1e-3) for all data",
        "generator and encoder move first in a step",
    ),
    objective=LogOdds(),
    terms=(CodeReconstruction(weight=1.0),),
    definitions=(Encoder(), Pairs()),
    latent=Gaussian(64),
    dynamics=Alternating(
        {who: Adam(1e-3) for who in ("generator", "encoder", "discriminator")},
        steps={"generator+encoder": 1, "discriminator": 1},
    ),
    networks=Joint(Encoding()),
)
