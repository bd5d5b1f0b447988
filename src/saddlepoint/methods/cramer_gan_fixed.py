"""A generator that minimises the energy distance on the points themselves (M72, fixed features).

2E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, estimated without bias; no adversary.
"""

from saddlepoint.definitions import PointFeatures
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import MMD, DistanceKernel
from saddlepoint.optim import Adam

METHOD = Method(
    name="cramer-gan-fixed",
    formula="L_G = 2 E|x - y| - E|x - x'| - E|y - y'|, y = G(z);  no L_D: the features are the points",
    paper="Bellemare et al., The Cramer Distance as a Solution to Biased Wasserstein Gradients, 2017, arXiv:1705.10743",
    deviations=("points instead of learned features",),
    objective=MMD(DistanceKernel()),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4)}, steps={"generator": 1}),
    definitions=(PointFeatures(),),
    batch_size=128,
)
