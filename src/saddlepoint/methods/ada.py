"""Non-saturating GAN with R1 and adaptive discriminator augmentation (M60), for images from few data."""

from saddlepoint.average import EMA
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import R1
from saddlepoint.treatments import ADA

METHOD = Method(
    name="ada",
    formula="L_D = E_P sp(-s(T_p(x))) + E_Q sp(s(T_p(x))) + (gamma/2) E_P |grad s|^2 every 16 steps;  "
    "L_G = E_Q sp(-s(T_p(x)));  p <- max(0, p + sign(E_P sign s - 0.6) images/500000)",
    paper="Karras, Aittala, Hellsten, Laine, Lehtinen & Aila, Training GANs with Limited Data, NeurIPS 2020, section 3, "
    "arXiv:2006.06676",
    deviations=(
        "six augmentations (mirror, quarter turn, whole-pixel move, brightness, saturation, contrast) instead of eighteen",
        "gamma 1 whatever the size; no path-length penalty",
        "the discriminator's lr times 16/17 and betas to the power 16/17 follow the authors' lazy regularisation",
    ),
    objective=NonSaturating(),
    terms=(R1(gamma=1.0, every=16),),
    treatments=(ADA(),),
    latent=Gaussian(128),
    dynamics=Alternating(
        {
            "generator": Adam(2e-3, (0.0, 0.99)),
            "discriminator": Adam(2e-3 * 16 / 17, (0.0, 0.99 ** (16 / 17))),
        }
    ),
    averages={"generator": EMA(half_life=10_000)},
)
