"""Non-saturating GAN with instance noise (M45).

On the Dirac-GAN the eigenvalues at the equilibrium become f''(0)σ² ± √(f''(0)²σ⁴ − f'(0)²), f'(0) = ½, f''(0) = −¼: locally
convergent for every σ > 0.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.schedules import Linear
from saddlepoint.treatments import InstanceNoise

METHOD = Method(
    name="instance-noise",
    formula="L_D = E_P sp(-s(x + sigma e)) + E_Q sp(s(x + sigma e'));  L_G = E_Q sp(-s(x + sigma e'')),  e ~ N(0, I)",
    paper="Sonderby, Caballero, Theis, Shi & Huszar, Amortised MAP Inference for Image Super-resolution, ICLR 2017, "
    "section 3.2.2, arXiv:1610.04490; Arjovsky & Bottou, Towards Principled Methods for Training GANs, ICLR 2017, "
    "arXiv:1701.04862",
    deviations=("sigma from 0.5 linearly to 0 over the run: the papers leave the schedule open",),
    objective=NonSaturating(),
    treatments=(InstanceNoise(Linear(0.5, 0.0)),),
    latent=Gaussian(128),
    dynamics=Alternating({"generator": Adam(2e-4, (0.5, 0.999)), "discriminator": Adam(2e-4, (0.5, 0.999))}),
)
