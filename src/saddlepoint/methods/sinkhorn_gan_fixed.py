"""A generator that minimises the Sinkhorn divergence on the points themselves (M72, fixed cost).

Entropic optimal transport between batches, less that of each with itself; derivatives go through the iterations.
"""

from saddlepoint.definitions import PointFeatures
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import Sinkhorn
from saddlepoint.optim import Adam

METHOD = Method(
    name="sinkhorn-gan-fixed",
    formula="L_G = OT_eps(x, y) - OT_eps(x, x)/2 - OT_eps(y, y)/2, y = G(z);  no L_D: the cost is |x - y|^2",
    paper="Genevay, Peyre & Cuturi, Learning Generative Models with Sinkhorn Divergences, AISTATS 2018, arXiv:1706.00292",
    deviations=("eps = 0.1 and 50 iterations for all data",),
    objective=Sinkhorn(epsilon=0.1, iterations=50),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4)}, steps={"generator": 1}),
    definitions=(PointFeatures(),),
    batch_size=128,
)
