"""Variational autoencoder (M42): the baseline of maximum likelihood, a game whose two players have one loss.

Samples are what the decoder returns for draws of the prior, without the noise of the likelihood.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.encoders import Posterior
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.networks import Variational
from saddlepoint.objectives import Bernoulli, ByKind, EvidenceBound, Normal
from saddlepoint.optim import Adam

METHOD = Method(
    name="vae",
    formula="L_G = L_encoder = -E_P E_q(z|x) log p(x|G(z)) + E_P KL(q(z|x) || N(0, I))",
    paper="Kingma & Welling, Auto-Encoding Variational Bayes, ICLR 2014, equation 10, arXiv:1312.6114",
    deviations=(
        "the bound sums over height, width and channels (P21: the code of Lucic et al. 2018 takes the mean over channels)",
        "vectors have a Gaussian likelihood, images a Bernoulli one (as in Lucic et al. 2018)",
        "rate 1e-3 (theirs 5e-5)",
    ),
    objective=EvidenceBound(ByKind(images=Bernoulli(), vectors=Normal(scale=0.1))),
    definitions=(Posterior(),),
    latent=Gaussian(64),
    dynamics=Alternating(
        {who: Adam(1e-3) for who in ("generator", "encoder")}, steps={"generator+encoder": 1}
    ),
    networks=Variational(),
)
