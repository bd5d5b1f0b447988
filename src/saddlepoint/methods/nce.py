"""Noise contrastive estimation (M18): a density, and its normalisation, learned by telling data from noise.

The player `model` is an explicit density; the noise N(0, 4 I) is fixed. Samples of the run are the model's own.
"""

from saddlepoint.definitions import DensityModel, NoiseRatio
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Mixture
from saddlepoint.objectives import NoiseContrastive
from saddlepoint.optim import Adam

METHOD = Method(
    name="nce",
    formula="L_model = E_P sp(-r) + E_noise sp(r), r = log p_model - log p_noise",
    paper="Gutmann & Hyvarinen, Noise-contrastive estimation: A new estimation principle for unnormalized statistical "
    "models, AISTATS 2010",
    deviations=(
        "Adam on batches with as many draws of noise as data",
        "the model is a mixture of Gaussians whose normalisation is free",
    ),
    objective=NoiseContrastive(),
    definitions=(DensityModel(), NoiseRatio(scale=2.0)),
    latent=Gaussian(3),
    dynamics=Alternating({"model": Adam(1e-2)}, steps={"model": 1}),
    batch_size=256,
    networks=Mixture(),
)
