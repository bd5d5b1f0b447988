"""Win rate and skill rating among models (K31)."""

import torch
from torch import Tensor

from saddlepoint.metrics.intervals import NORMAL_95
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.models import judged, made
from saddlepoint.metrics.quantities import Model
from saddlepoint.metrics.skill import skill_ratings
from saddlepoint.metrics.tournament import fooling_interval, fooling_rate
from saddlepoint.random import key

PERIODS = 10


def measure(model: Model, rivals: tuple[Model, ...], real_samples: Tensor, seed: int) -> dict[str, Measured]:
    """Every generator meets every discriminator, in ten rating periods with rows of their own."""
    models = (model, *rivals)
    real = torch.stack([judged(one, real_samples) for one in models], 1)
    fakes = [made(one.generate, one.latents(len(real_samples), key("tournament", seed))) for one in models]
    scores = [torch.stack([judged(one, rows) for one in models], 1) for rows in fakes]
    others = {"real": real[:, 1:], "fake": scores[0][:, 1:]}
    ratings = skill_ratings(_wins(real, scores)).generators
    own, place = ratings[0], 1 + sum(rating.value > ratings[0].value for rating in ratings)
    half = NORMAL_95 * own.deviation
    return {
        "win-rate": Measured(fooling_rate(**others), fooling_interval(**others)),
        "skill-rating": Measured(
            own.value,
            (own.value - half, own.value + half),
            f"place {place} of {len(models)}; the interval is that of Glicko-2",
        ),
    }


def _wins(real: Tensor, scores: list[Tensor]) -> Tensor:
    """[periods, generators, discriminators]."""
    periods = zip(
        real.tensor_split(PERIODS), zip(*(s.tensor_split(PERIODS) for s in scores), strict=True), strict=True
    )
    return torch.tensor(
        [
            [
                [fooling_rate(real=reals[:, j], fake=fake[:, j]) for j in range(real.shape[1])]
                for fake in fakes
            ]
            for reals, fakes in periods
        ],
        dtype=torch.float64,
    )


METRIC = Metric(
    id="tournament",
    title="tournament win rate and skill rating",
    formula="win rate: P(D(G(z)) > D(x)), mean over the discriminators of the rivals; skill rating: Glicko-2 of the "
    "generator among all generators and discriminators",
    paper="Olsson et al., Skill Rating for Generative Models, 2018; Glickman, Example of the Glicko-2 system, 2012",
    rows=("K31",),
    better={"win-rate": "higher", "skill-rating": "higher"},
    blind="everything that the discriminators of these runs do not see, such as a mode that all of them have dropped; "
    "ratings compare only within one tournament",
    measure=measure,
)
