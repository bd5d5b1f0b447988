"""The non-saturating GAN with top-k training (M61).

The generator learns from the k fakes that look most real; k falls from the whole batch to a half.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating, TopK
from saddlepoint.optim import Adam
from saddlepoint.schedules import Decay

METHOD = Method(
    name="top-k",
    formula="L_D = E_P sp(-s) + E_Q sp(s);  L_G = mean of sp(-s) over the k highest s of the batch",
    paper="Sinha et al., Top-k Training of GANs: Improving GAN Performance by Throwing Away Bad Samples, NeurIPS 2020, "
    "arXiv:2002.06224",
    deviations=(
        "k falls by a ten-thousandth a step instead of a hundredth an epoch, whose length a method does not know",
        "the generator moves first in a step",
    ),
    objective=TopK(NonSaturating(), share=Decay(1.0, 0.9999, floor=0.5)),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
