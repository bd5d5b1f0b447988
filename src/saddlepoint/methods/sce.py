"""Self-contrastive estimation (M19): noise contrastive estimation with a copy of the model as noise.

The copy is taken before each gradient, whose expectation is half that of maximum likelihood.
"""

from saddlepoint.definitions import DensityModel
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Mixture
from saddlepoint.objectives import SelfContrastive
from saddlepoint.optim import Adam

METHOD = Method(
    name="sce",
    formula="L_model = E_P sp(-r) + E_copy sp(r), r = log p_model - log p_copy = 0 with gradient",
    paper="Goodfellow, On distinguishability criteria for estimating generative models, 2014, arXiv:1412.6515",
    deviations=(
        "optimiser settings are ours; the paper gives none",
        "the model is a mixture of Gaussians, sampled exactly",
    ),
    objective=SelfContrastive(),
    definitions=(DensityModel(),),
    latent=Gaussian(3),
    dynamics=Alternating({"model": Adam(1e-2)}, steps={"model": 1}),
    batch_size=256,
    networks=Mixture(),
)
