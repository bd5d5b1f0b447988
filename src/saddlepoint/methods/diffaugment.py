"""Non-saturating GAN with differentiable augmentation (M59), for images from few data."""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.treatments import DiffAugment

METHOD = Method(
    name="diffaugment",
    formula="L_D = E_P sp(-s(T(x))) + E_Q sp(s(T(x)));  L_G = E_Q sp(-s(T(x))),  T one random augmentation a sample",
    paper="Zhao, Liu, Lin, Zhu & Han, Differentiable Augmentation for Data-Efficient GAN Training, NeurIPS 2020, "
    "equations 4-6, arXiv:2006.10738",
    deviations=(
        "the non-saturating loss with Adam(2e-4, (0.5, 0.999)); the paper adds T to BigGAN and StyleGAN2",
    ),
    objective=NonSaturating(),
    treatments=(DiffAugment(),),
    latent=Gaussian(128),
    dynamics=Alternating({"generator": Adam(2e-4, (0.5, 0.999)), "discriminator": Adam(2e-4, (0.5, 0.999))}),
)
