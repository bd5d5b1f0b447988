"""Mode-regularised GAN, step 1 (M27): samples made of the encodings of data shall be near them, and be taken for data.

Where the discriminator is flat, the distance to the data still has a slope; and data of every mode are reconstructed.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.encoders import Encoder
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Encoding
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import ModeRegulariser, Reconstruction

METHOD = Method(
    name="mdgan-regularized",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_encoder = E_P [a |x - G(E(x))|^2 + b sp(-s(G(E(x))))];  "
    "L_G = E_Q sp(-s) + L_encoder",
    paper="Che, Li, Jacob, Bengio & Li, Mode Regularized Generative Adversarial Networks, ICLR 2017, section 3.2, "
    "arXiv:1612.02136",
    deviations=(
        "log D(G(E(x))) is rewarded; the paper prints it with the opposite sign in what is minimised",
        "the distance is the mean of squares",
        "generator and encoder move first in a step",
    ),
    objective=NonSaturating(),
    terms=(Reconstruction(weight=0.2), ModeRegulariser(weight=0.4)),
    definitions=(Encoder(),),
    latent=Gaussian(100),
    dynamics=Alternating(
        {who: Adam(2e-4) for who in ("generator", "encoder", "discriminator")},
        steps={"generator+encoder": 1, "discriminator": 1},
    ),
    networks=Encoding(),
)
