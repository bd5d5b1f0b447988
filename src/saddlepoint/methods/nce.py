"""Noise contrastive estimation (M18): a density, and its normalisation, learned by telling data from noise.

The player is a network `model` of log-densities; the noise N(0, 4 I) comes from a frozen generator.
"""

from saddlepoint.definitions import NoiseRatio
from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NoiseContrastive
from saddlepoint.optim import Adam

METHOD = Method(
    name="nce",
    formula="L_model = E_P sp(-s) + E_noise sp(s), s = log p_model - log p_noise;  no L_G, no L_D: the noise is fixed",
    paper="Gutmann & Hyvarinen, Noise-contrastive estimation: A new estimation principle for unnormalized statistical "
    "models, AISTATS 2010",
    deviations=("Adam on batches instead of conjugate gradients on all data (from memory of the paper)",),
    objective=NoiseContrastive(),
    definitions=(NoiseRatio(scale=2.0),),
    latent=Gaussian(2),
    dynamics=Alternating({"model": Adam(1e-3)}, steps={"model": 1}),
)
