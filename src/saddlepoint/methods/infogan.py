"""InfoGAN (M22): part of the latent is a code that a head of the discriminator has to find again.

The head's loss, a lower bound of the mutual information between code and sample, stands in both players' losses.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Codes
from saddlepoint.method import Method
from saddlepoint.networks import Recognising
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import MutualInformation

METHOD = Method(
    name="infogan",
    formula="L_D = E_P sp(-s) + E_Q sp(s) - L_I;  L_G = E_Q sp(-s) - L_I;  L_I = H(c) + E log Q(c|G(z, c))",
    paper="Chen et al., InfoGAN: Interpretable Representation Learning by Information Maximizing Generative Adversarial "
    "Nets, NIPS 2016, equation 6, arXiv:1606.03657",
    deviations=(
        "the entropy of a continuous code is that of the uniform prior it is drawn from",
        "the generator moves first in a step",
    ),
    objective=NonSaturating(),
    terms=(MutualInformation(categorical=(10,)),),
    latent=Codes(noise=62, categorical=(10,), continuous=2),
    dynamics=Alternating({"generator": Adam(1e-3), "discriminator": Adam(2e-4)}),
    batch_size=128,
    networks=Recognising(outputs=12),
)
