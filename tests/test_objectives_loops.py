"""Scores as other people's discriminators return them: maps, lists, weighted rows; for every objective alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from saddlepoint.forward import arguments
from saddlepoint.objectives import (
    FGAN,
    KL,
    MMD,
    BoundaryEquilibrium,
    EnergyMargin,
    Hinge,
    Jeffrey,
    LabelSmoothing,
    LeastSquares,
    LossSensitive,
    Margin,
    MaximumLikelihood,
    Metric,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Sinkhorn,
    TopK,
    Wasserstein,
    Weighted,
    expect,
)

EVERY: list[Objective] = [
    Minimax(),
    NonSaturating(),
    MaximumLikelihood(),
    LabelSmoothing(),
    LeastSquares(),
    Hinge(),
    Wasserstein(),
    FGAN(KL()),
    FGAN(Jeffrey(), tricky=True),
    EnergyMargin(margin=1.0),
    BoundaryEquilibrium(),
    LossSensitive(),
    Relativistic(),
    Relativistic(Margin()),
    RelativisticAverage(),
    RelativisticAverage(Margin()),
]
every = pytest.mark.parametrize("objective", EVERY, ids=repr)
PAIRED = (Relativistic, LossSensitive)
ROWS = 6


def loss(objective: Objective, player: str, real: Any, fake: Any) -> Tensor:
    """A player's loss, given what it asks for; all points are the same, so that margins do not depend on the row."""
    have = {
        "real_score": real,
        "fake_score": fake,
        "real_point": torch.zeros(ROWS, 2),
        "fake_point": torch.full((ROWS, 2), 0.1),
        "memory": {"balance": torch.tensor(0.4)},
        "clock": None,
    }
    part: Callable[..., Tensor] = getattr(objective, player)
    return part(**{name: have[name] for name in arguments(part)})


def both(objective: Objective, real: Any, fake: Any) -> Tensor:
    return torch.stack([loss(objective, player, real, fake) for player in ("generator", "discriminator")])


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every
def test_a_map_of_equal_patches_is_one_score(objective: Objective) -> None:
    real, fake = draw(ROWS), draw(ROWS, seed=1)
    maps = [score.view(-1, 1, 1, 1).expand(-1, 1, 3, 5) for score in (real, fake)]
    torch.testing.assert_close(both(objective, *maps), both(objective, real, fake))


@pytest.mark.parametrize("objective", [o for o in EVERY if not o.couples_rows], ids=repr)
def test_the_loss_of_a_map_is_the_mean_over_its_patches(objective: Objective) -> None:
    """And not the loss of the mean score: patches are judged one by one."""
    real, fake = draw(ROWS, 4), draw(ROWS, 4, seed=1)
    patches = torch.stack([both(objective, real[:, i], fake[:, i]) for i in range(4)]).mean(0)
    torch.testing.assert_close(both(objective, real, fake), patches)
    if isinstance(objective, (Minimax, LeastSquares)):
        assert (both(objective, real.mean(1), fake.mean(1)) - patches).abs().max() > 1e-2


@every
def test_the_loss_of_a_list_is_the_mean_over_its_members(objective: Objective) -> None:
    """Members of different sizes, nested; each is judged with its own mean where means count."""
    shapes = [(ROWS, 1, 8, 8), (ROWS, 1, 4, 4), (ROWS, 7), (ROWS,)]
    real, fake = ([draw(*s, seed=10 * side + i) for i, s in enumerate(shapes)] for side in (1, 2))
    apart = torch.stack([both(objective, r, f) for r, f in zip(real, fake, strict=True)])
    torch.testing.assert_close(both(objective, real, fake), apart.mean(0))
    torch.testing.assert_close(both(objective, tuple(real), tuple(fake)), apart.mean(0))
    nested = both(objective, [real[:2], real[2:]], [fake[:2], fake[2:]])
    torch.testing.assert_close(nested, apart.mean(0))


@pytest.mark.parametrize("objective", [o for o in EVERY if not isinstance(o, PAIRED)], ids=repr)
@pytest.mark.parametrize("kind", ["rows", "maps", "lists"])
def test_a_whole_weight_is_the_row_as_many_times(objective: Objective, kind: str) -> None:
    """Each side has its own weights."""
    counts = torch.tensor([[1, 0, 3, 2, 1, 0], [2, 1, 0, 1, 1, 1]])
    shape = {"rows": (ROWS,), "maps": (ROWS, 1, 2, 2), "lists": (ROWS, 3)}[kind]
    scores = [draw(*shape, seed=side) for side in (0, 1)]
    repeated = [score.repeat_interleave(count, 0) for score, count in zip(scores, counts, strict=True)]
    if kind == "lists":
        scores, repeated = ([[score, 2 * score] for score in sides] for sides in (scores, repeated))
    weighted = [Weighted(score, count.double()) for score, count in zip(scores, counts, strict=True)]
    torch.testing.assert_close(both(objective, *weighted), both(objective, *repeated))


@pytest.mark.parametrize(
    "objective", [Relativistic(), Relativistic(Margin()), LossSensitive(data=0.0)], ids=repr
)
def test_pairs_are_weighted_by_either_side(objective: Objective) -> None:
    counts = torch.tensor([1, 0, 2, 1, 2, 0])  # six rows again when repeated
    real, fake = draw(ROWS), draw(ROWS, seed=1)
    repeated = loss(
        objective, "discriminator", *(score.repeat_interleave(counts, 0) for score in (real, fake))
    )
    weight = counts.double()
    for weighted in ((Weighted(real, weight), fake), (real, Weighted(fake, weight))):
        torch.testing.assert_close(loss(objective, "discriminator", *weighted), repeated)
    halves = Weighted(real, weight.sqrt()), Weighted(fake, weight.sqrt())
    torch.testing.assert_close(loss(objective, "discriminator", *halves), repeated)


@every
def test_equal_weights_change_nothing_and_rows_of_weight_0_get_no_gradient(objective: Objective) -> None:
    real, fake = draw(ROWS).requires_grad_(), draw(ROWS, seed=1).requires_grad_()
    equal = torch.full((ROWS,), 0.3)
    torch.testing.assert_close(
        both(objective, Weighted(real, equal), Weighted(fake, equal)), both(objective, real, fake)
    )
    mask = torch.tensor([1.0, 1, 0, 1, 0, 1])
    masked = loss(objective, "generator", real.detach(), Weighted(fake, mask))
    gradient = torch.autograd.grad(masked, fake)[0]
    assert (gradient[mask == 0] == 0).all()


def test_weights_of_points_in_metrics() -> None:
    counts = torch.tensor([1, 2, 3, 1, 1, 1])
    real, fake = draw(ROWS, 2), draw(ROWS, 2, seed=1)
    metrics: list[Metric] = [MMD(unbiased=False), Sinkhorn(epsilon=1.0)]
    for metric in metrics:
        whole = metric.generator(real.repeat_interleave(counts, 0), fake)
        torch.testing.assert_close(
            metric.generator(Weighted(real, counts.double()), fake), whole, rtol=1e-6, atol=1e-9
        )


def test_top_k_ranks_maps_and_lists_by_their_mean() -> None:
    fake = draw(ROWS, 3, 3)
    order = fake.flatten(1).mean(1).argsort(descending=True)
    expected = NonSaturating().generator(fake[order[:3]])
    torch.testing.assert_close(TopK(NonSaturating(), share=0.5).generator(fake), expected)
    several = TopK(NonSaturating(), share=0.5).generator([fake, fake])
    torch.testing.assert_close(several, expected)


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths: \\[1, 2\\]"):
        Relativistic().discriminator([torch.zeros(2)], [torch.zeros(2), torch.zeros(2)])


def test_what_is_no_list_goes_with_every_member() -> None:
    total = expect(lambda a, b: a * b, [torch.ones(2), torch.full((2,), 3.0)], torch.tensor([1.0, 2.0]))
    assert total.item() == pytest.approx((1.5 + 4.5) / 2)


@every
def test_under_autocast_and_in_half_precision_scores(objective: Objective) -> None:
    """Losses of scores that left an autocast network in bfloat16 are finite and near those of single precision."""
    net = nn.Linear(3, 1)
    x = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(0))
    exact = both(objective, net(x)[:, 0], net(x + 1)[:, 0])
    with torch.autocast("cpu", torch.bfloat16):
        rough = both(objective, net(x)[:, 0], net(x + 1)[:, 0])
    rough.sum().backward()
    torch.testing.assert_close(rough.float(), exact, rtol=0.1, atol=0.1)
    assert all(p.grad is not None and math.isfinite(p.grad.sum()) for p in net.parameters())


def test_distances_keep_their_precision_under_autocast() -> None:
    points = torch.randn(16, 3, generator=torch.Generator().manual_seed(0)) + 100
    metrics: list[Metric] = [MMD(), Sinkhorn()]
    for metric in metrics:
        plain = metric.distance(points, points + 0.1)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(metric.distance(points, points + 0.1), plain)
