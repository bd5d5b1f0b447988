"""Ensemble of GANs (M33): pairs trained independently of each other, samples from all generators alike.

Around any method: its `mixture=Ensemble(T)`.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.mixture import Ensemble
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam

METHOD = Method(
    name="ensemble",
    formula="for each pair t: L_D = E_P sp(-s_t) + E_Qt sp(s_t);  L_G = E_Qt sp(-s_t);  Q = (1/T) sum_t Q_t",
    paper="Tolstikhin et al., AdaGAN: Boosting Generative Models, NIPS 2017, arXiv:1701.02386 (there a baseline)",
    deviations=(
        "all pairs see the same batches and the same latents; what makes them differ is their initial weights",
        "the generators move first in a step",
    ),
    objective=NonSaturating(),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
    mixture=Ensemble(components=5),
)
