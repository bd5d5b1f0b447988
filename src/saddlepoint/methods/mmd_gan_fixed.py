"""A generator that minimises MMD² on the points themselves (M72, fixed features).

There is no adversary: the kernel's is found in closed form. The estimate is unbiased, and so may be negative.
"""

from saddlepoint.definitions import PointFeatures
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import MMD, RationalQuadratic
from saddlepoint.optim import Adam

METHOD = Method(
    name="mmd-gan-fixed",
    formula="L_G = E k(x, x') + E k(y, y') - 2 E k(x, y), y = G(z);  no L_D: the features are the points",
    paper="Li, Swersky & Zemel, Generative Moment Matching Networks, ICML 2015, arXiv:1502.02761; kernel of "
    "Binkowski et al., Demystifying MMD GANs, ICLR 2018, arXiv:1801.01401",
    deviations=(
        "MMD^2 and not its root; no autoencoder",
        "rational quadratic kernels instead of Gaussian ones",
    ),
    objective=MMD(RationalQuadratic()),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4)}, steps={"generator": 1}),
    definitions=(PointFeatures(),),
    batch_size=128,
)
