"""Mode-regularised GAN, step 2 (M28): one judge between data and reconstructions, one between those and samples.

Not the mixture-density GAN, which has the same initials (P17).
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.encoders import Diffusion, Encoder
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Encoding, Manifold
from saddlepoint.objectives import ManifoldDiffusion
from saddlepoint.optim import Adam
from saddlepoint.penalties import Reconstruction

METHOD = Method(
    name="mdgan-manifold",
    formula="L_manifold = E_P sp(-t(x)) + E_P sp(t(G(E(x))));  L_encoder = E_P [|x - G(E(x))|^2 + b sp(-t(G(E(x))))];  "
    "L_D = E_P sp(-s(G(E(x)))) + E_Q sp(s);  L_G = E_Q sp(-s) + L_encoder",
    paper="Che, Li, Jacob, Bengio & Li, Mode Regularized Generative Adversarial Networks, ICLR 2017, section 3.3, "
    "arXiv:1612.02136",
    deviations=(
        "both steps of the paper are one: the generator's losses are added",
        "the distance is the mean of squares",
        "generator and encoder move first in a step",
    ),
    objective=ManifoldDiffusion(weight=1e-2),
    terms=(Reconstruction(weight=1.0),),
    definitions=(Encoder(), Diffusion()),
    latent=Gaussian(100),
    dynamics=Alternating(
        {who: Adam(2e-4) for who in ("generator", "encoder", "discriminator", "manifold")},
        steps={"generator+encoder": 1, "discriminator+manifold": 1},
    ),
    networks=Manifold(Encoding()),
)
