"""What the players of a run could still gain by moving alone (K37)."""

from torch import Tensor

from saddlepoint.metrics.convergence import Contest, regrets
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.random import key

ROWS = 500
STEPS = 200


def measure(contest: Contest, real_samples: Tensor, train_samples: Tensor, seed: int) -> dict[str, Measured]:
    """Searched on training rows with noise of their own, measured on held-out ones with other noise."""
    searched = contest.losses(train_samples[:ROWS], key("searched", seed))
    judged = contest.losses(real_samples[:ROWS], key("judged", seed))
    found = regrets(losses=searched, players=contest.players, steps=STEPS, judged=judged)
    gains = ", ".join(f"{player} {gain:.3g}" for player, gain in found.items())
    note = f"gained alone: {gains}; {STEPS} steps of Adam; no interval: one search"
    return {"duality-gap": Measured(sum(found.values()), note=note)}


METRIC = Metric(
    id="duality-gap",
    title="duality gap of the run",
    formula="sum over players p of L_p(w) - L_p(w'_p, w_-p), w'_p found by 200 steps of Adam (rate 1e-3) on 500 training "
    "rows, L_p on 500 held-out rows",
    paper="Nikaido and Isoda, Note on Non-Cooperative Convex Games, 1955; Grnarova et al., A Domain Agnostic Measure for "
    "Monitoring and Evaluating GANs, NeurIPS 2019, equation 2",
    rows=("K37",),
    better={"duality-gap": "lower"},
    blind="the samples: players without power gain nothing either, and at a bad equilibrium nobody does; what a longer "
    "search would find, without bound where a player alone has none (the generator of a critic); below 0 where what is "
    "found on training rows fails on others; losses of different methods are not on one scale",
    measure=measure,
    slow=True,
)
