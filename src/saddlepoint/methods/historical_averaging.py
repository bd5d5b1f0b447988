"""Historical averaging (M64): each player pays for its distance from the mean of all that it has been."""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.penalties import HistoricalAveraging

METHOD = Method(
    name="historical-averaging",
    formula="L_D = E_P sp(-s) + E_Q sp(s) + |t_D - mean t_D|^2;  L_G = E_Q sp(-s) + |t_G - mean t_G|^2",
    paper="Salimans et al., Improved Techniques for Training GANs, NIPS 2016, section 3.3, arXiv:1606.03498",
    deviations=(
        "the mean contains the present parameters and is a constant of the gradient: the paper leaves both open",
        "weight 1 and the optimiser settings of Radford et al. 2016 (Adam, rate 2e-4, beta1 0.5)",
        "the generator moves first in a step",
    ),
    objective=NonSaturating(),
    terms=(HistoricalAveraging("generator"), HistoricalAveraging("discriminator")),
    latent=Gaussian(100),
    dynamics=Alternating({"generator": Adam(2e-4), "discriminator": Adam(2e-4)}),
)
