"""AdaGAN (M34): generators trained one after the other, each on the rows that those before it miss.

Around any method: `saddlepoint.rounds.boosting(method, components=3)`.
"""

from saddlepoint.dynamics import Alternating
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.objectives import NonSaturating
from saddlepoint.optim import Adam
from saddlepoint.rounds import boosting

METHOD = boosting(
    Method(
        name="adagan",
        formula="in round t: L_D = E_w sp(-s) + E_Qt sp(s);  L_G = E_Qt sp(-s);  w_i = (l - (1 - 1/t) d_i)_+ / (N/t), sum 1, "
        "d = e^-j;  then L_J = E_P sp(-j) + E_Q sp(j);  Q = (1/t) sum_s Q_s",
        paper="Tolstikhin, Gelly, Bousquet, Simon-Gabriel & Schoelkopf, AdaGAN: Boosting Generative Models, NIPS 2017, "
        "arXiv:1701.02386, algorithm 1 and section 3.2",
        deviations=(
            "3 components of 1,000 steps (the last trains on), a judge of 300 steps: numbers of our own",
            "the judge goes on from what it learned in the round before",
            "the generator moves first in a step",
        ),
        objective=NonSaturating(),
        latent=Gaussian(100),
        dynamics=Alternating({"generator": Adam(1e-3), "discriminator": Adam(1e-3)}),
    ),
    components=3,
    steps=1000,
    judging=300,
)
