"""Energies, relativistic costs, smoothed labels and top-k: values and slopes by hand, closed forms, memories."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import Tensor

from saddlepoint.forward import arguments
from saddlepoint.objectives import (
    BoundaryEquilibrium,
    EnergyMargin,
    Hinge,
    LabelSmoothing,
    LeastSquares,
    Logistic,
    LossSensitive,
    Margin,
    MaximumLikelihood,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Squared,
    TopK,
    Wasserstein,
)
from saddlepoint.schedules import Decay, Linear

pytestmark = pytest.mark.usefixtures("double")

REAL = np.array([-2.0, -0.3, 0.4, 3.0])
FAKE = np.array([1.5, -1.7, 0.2, -0.6])
N = len(REAL)


def scores() -> tuple[Tensor, Tensor]:
    return torch.tensor(REAL, requires_grad=True), torch.tensor(FAKE, requires_grad=True)


def slopes(loss: Tensor, *at: Tensor) -> list[np.ndarray]:
    found = torch.autograd.grad(loss, at, allow_unused=True, materialize_grads=True)
    return [gradient.numpy() for gradient in found]


# -- energies ------------------------------


def test_a_margin_cuts_the_slope_of_the_fakes() -> None:
    """The maximum with 0 (some write-ups leave it out) and its slope: −1/n below the margin, 0 above."""
    real, fake = scores()
    objective = EnergyMargin(margin=1.0)
    loss = objective.discriminator(real, fake)
    assert loss.item() == pytest.approx(REAL.mean() + np.maximum(0, 1 - FAKE).mean())
    on_real, on_fake = slopes(loss, real, fake)
    np.testing.assert_allclose(on_real, 1 / N)
    np.testing.assert_allclose(on_fake, -1.0 * (FAKE < 1) / N)
    np.testing.assert_allclose(slopes(objective.generator(fake), fake)[0], 1 / N)
    assert objective.low_is_real


def test_without_a_margin_the_discriminator_is_a_plain_autoencoder() -> None:
    """M12: with m = 0 and energies ≥ 0 the fakes do not count."""
    real, fake = torch.rand(5), torch.rand(5).add(0.1).requires_grad_()
    loss = EnergyMargin(margin=0.0).discriminator(real, fake)
    assert loss.item() == pytest.approx(real.mean().item())
    assert not slopes(loss, fake)[0].any()


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_a_constant_energy_is_an_equilibrium_of_the_margin_game(level: float) -> None:
    """T08: for Q = P any constant energy in [0, m] has the value m, and no other energy in [0, m] has less."""
    margin, energies = 1.0, torch.rand(200) * 1.0
    objective = EnergyMargin(margin=margin)
    constant = torch.full((200,), level)
    assert objective.discriminator(constant, constant).item() == pytest.approx(margin)
    assert objective.discriminator(energies, energies).item() >= margin - 1e-12


def test_a_margin_may_follow_the_clock() -> None:
    energy = torch.zeros(2)
    objective = EnergyMargin(margin=Linear(10.0, 0.0, over=100))
    for images, expected in ((0, 10.0), (50, 5.0), (200, 0.0)):
        clock = {"step": 0, "images": images, "progress": 0.0}
        assert objective.discriminator(energy, energy, clock).item() == pytest.approx(expected)


def play(objective: BoundaryEquilibrium, pairs: list[tuple[float, float]]) -> list[float]:
    memory, path = objective.start({"discriminator": torch.zeros(3)}), []
    for real, fake in pairs:
        seen = objective.observe(torch.tensor([real, real]), torch.tensor([fake, fake]))
        memory = objective.remember(memory, seen, {})
        path.append(memory["balance"].item())
    return path


def test_the_balance_follows_its_recursion_and_stays_between_0_and_1() -> None:
    """P06: k is clipped on both sides; the recursion by itself in plain numbers."""
    objective = BoundaryEquilibrium(ratio=0.5, rate=0.4)
    draws = np.random.default_rng(0)
    pairs = [(float(r), float(f)) for r, f in draws.uniform(0, 3, (50, 2))]
    pairs += [(100.0, 0.0), (2.0, 0.9), (0.0, 100.0), (1.0, 0.2)]
    k, expected = 0.0, []
    for real, fake in pairs:
        k = min(max(k + 0.4 * (0.5 * real - fake), 0.0), 1.0)
        expected.append(k)
    np.testing.assert_allclose(play(objective, pairs), expected, rtol=0, atol=1e-14)
    assert {0.0, 1.0} <= set(expected)


def test_the_balance_weighs_the_fakes_and_is_held_fixed() -> None:
    objective = BoundaryEquilibrium(ratio=0.7, rate=0.1)
    real, fake = scores()
    memory = {"balance": torch.tensor(0.25)}
    loss = objective.discriminator(real, fake, memory)
    assert loss.item() == pytest.approx(REAL.mean() - 0.25 * FAKE.mean())
    on_real, on_fake = slopes(loss, real, fake)
    np.testing.assert_allclose((on_real, on_fake), ([1 / N] * N, [-0.25 / N] * N))
    np.testing.assert_allclose(slopes(objective.generator(fake), fake)[0], 1 / N)
    next_memory = objective.remember(memory, objective.observe(real, fake), {})
    assert not next_memory["balance"].requires_grad
    assert memory["balance"] == 0.25
    gap = 0.7 * REAL.mean() - FAKE.mean()
    assert objective.convergence(real, fake).item() == pytest.approx(REAL.mean() + abs(gap))
    assert next_memory["balance"].item() == pytest.approx(0.25 + 0.1 * gap)


def test_the_balance_holds_the_ratio_of_energies() -> None:
    """A toy in which k is the only player: fakes' energy grows with k, f = 0.2 + k; at rest f = γ r for r = 1."""
    objective, k, memory = BoundaryEquilibrium(ratio=0.6, rate=0.1), 0.0, {"balance": torch.tensor(0.0)}
    for _ in range(400):
        memory = objective.remember(memory, {"real": torch.tensor(1.0), "fake": torch.tensor(0.2 + k)}, {})
        k = memory["balance"].item()
    assert 0.2 + k == pytest.approx(0.6, abs=1e-6)


# -- loss-sensitive ------------------------------


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, -1.0])
def test_loss_sensitive_values_and_slopes(slope: float) -> None:
    draws = torch.Generator().manual_seed(0)
    x, g = torch.randn(N, 3, 2, generator=draws), torch.randn(N, 3, 2, generator=draws)
    real, fake = scores()
    objective = LossSensitive(margin=1.5, weight=2.0, data=0.5, slope=slope)
    loss = objective.discriminator(real, fake, x, g)
    gap = 1.5 * np.abs((x - g).numpy()).mean((1, 2)) + REAL - FAKE
    assert (gap > 0).any()
    assert (gap < 0).any()
    assert loss.item() == pytest.approx(0.5 * REAL.mean() + 2 * np.maximum(gap, slope * gap).mean())
    rate = np.where(gap > 0, 1, slope)
    on_real, on_fake = slopes(loss, real, fake)
    np.testing.assert_allclose(on_real, (0.5 + 2 * rate) / N)
    np.testing.assert_allclose(on_fake, -2 * rate / N)
    assert (slope != -1) or loss.item() == pytest.approx(0.5 * REAL.mean() + 2 * np.abs(gap).mean())


def test_slope_one_is_a_wasserstein_critic_turned_round() -> None:
    """M17: GLS-GAN with ν = 1, its first term left out, has the gradients of WGAN for the critic −s."""
    x, g = torch.rand(N, 2), torch.rand(N, 2)
    real, fake = scores()
    ours = slopes(LossSensitive(data=0.0, slope=1.0).discriminator(real, fake, x, g), real, fake)
    theirs = slopes(Wasserstein().discriminator(-real, -fake), real, fake)
    np.testing.assert_allclose(ours, theirs)
    np.testing.assert_allclose(
        *(slopes(o.generator(s), fake) for o, s in ((LossSensitive(), fake), (Wasserstein(), -fake)))
    )


def test_margins_are_of_the_pair_and_of_pairs_of_points() -> None:
    """The margin of row i comes from row i alone; a point may be a tuple of tensors, whose numbers count together."""
    x, g = torch.rand(N, 2), torch.rand(N, 2)
    score = torch.zeros(N, requires_grad=True)
    objective = LossSensitive(data=0.0)
    joined = objective.discriminator(score, score, torch.cat([x, x], 1), torch.cat([g, g], 1))
    assert torch.equal(objective.discriminator(score, score, (x, x), (g, g)), joined)
    shuffled = objective.discriminator(score.detach() + torch.arange(N), torch.zeros(N), x, g[[1, 2, 3, 0]])
    assert shuffled != objective.discriminator(score.detach() + torch.arange(N), torch.zeros(N), x, g)
    far = objective.discriminator(
        torch.zeros(1), torch.full((1,), 4.0), torch.zeros(1, 2), torch.full((1, 2), 9.0)
    )
    assert far.item() == 5  # 9 apart, 4 reached


# -- relativistic ------------------------------

COSTS = {
    Logistic(): (lambda d: np.logaddexp(0, -d), lambda d: -expit(-d)),
    Squared(): (lambda d: (d - 1) ** 2, lambda d: 2 * (d - 1)),
    Margin(): (lambda d: np.maximum(0, 1 - d), lambda d: -1.0 * (d < 1)),
}
costs = pytest.mark.parametrize("cost", COSTS, ids=repr)


@costs
def test_paired_costs_by_hand(cost: Logistic | Squared | Margin) -> None:
    value, rate = COSTS[cost]
    real, fake = scores()
    objective = Relativistic(cost)
    for loss, d, sign in (
        (objective.discriminator(real, fake), REAL - FAKE, 1),
        (objective.generator(real, fake), FAKE - REAL, -1),
    ):
        assert loss.item() == pytest.approx(value(d).mean())
        on_real, on_fake = slopes(loss, real, fake)
        np.testing.assert_allclose(on_real, sign * rate(d) / N, atol=1e-15)
        np.testing.assert_allclose(on_fake, -sign * rate(d) / N, atol=1e-15)


@costs
def test_average_costs_by_hand(cost: Logistic | Squared | Margin) -> None:
    """The gradient goes through the means as well."""
    value, rate = COSTS[cost]
    objective = RelativisticAverage(cost)
    for turned in (False, True):
        real, fake = scores()
        loss = objective.generator(real, fake) if turned else objective.discriminator(real, fake)
        above, below = (FAKE, REAL) if turned else (REAL, FAKE)
        up, down = above - below.mean(), above.mean() - below
        assert loss.item() == pytest.approx((value(up).mean() + value(down).mean()) / 2)
        on_above = (rate(up) + rate(down).mean()) / (2 * N)
        on_below = -(rate(down) + rate(up).mean()) / (2 * N)
        expected = (on_below, on_above) if turned else (on_above, on_below)
        np.testing.assert_allclose(slopes(loss, real, fake), expected, atol=1e-15)


@costs
@pytest.mark.parametrize("form", [Relativistic, RelativisticAverage])
def test_only_differences_count_and_a_constant_costs_c_of_0(
    form: type, cost: Logistic | Squared | Margin
) -> None:
    """M56, M57: log 2 for the logistic cost, 1 for the others, in halves."""
    objective, (real, fake) = form(cost), scores()
    expected = math.log(2) if cost == Logistic() else 1.0
    for player in (objective.discriminator, objective.generator):
        torch.testing.assert_close(player(real + 3.3, fake + 3.3), player(real, fake))
        constant = torch.full((5,), -4.0)
        assert player(constant, constant).item() == pytest.approx(expected)


# -- smoothed labels ------------------------------


def test_smoothed_labels_by_hand() -> None:
    real, fake = scores()
    loss = LabelSmoothing(real=0.9, fake=0.0).discriminator(real, fake)
    on_real, on_fake = slopes(loss, real, fake)
    np.testing.assert_allclose(on_real, (expit(REAL) - 0.9) / N)
    np.testing.assert_allclose(on_fake, expit(FAKE) / N)
    assert torch.equal(LabelSmoothing().generator(fake), NonSaturating().generator(fake))
    plain = LabelSmoothing(real=1.0, fake=0.0).discriminator(real, fake)
    torch.testing.assert_close(plain, NonSaturating().discriminator(real, fake))


@pytest.mark.parametrize("fake_target", [0.0, 0.2])
def test_the_optimal_discriminator_of_smoothed_labels(fake_target: float) -> None:
    """M65: D* = (r p + f q)/(p + q); at most r. Where fakes are all there is, a generator that climbs the one-sided score is
    driven towards the data; the two-sided one is flat there, and keeps fakes where they are."""
    x = torch.linspace(-6, 10, 4001)
    p, q = (-0.5 * x**2).exp(), (-0.5 * (x - 5) ** 2).exp()
    best = (0.9 * p + fake_target * q) / (p + q)
    score = best.logit().requires_grad_()
    objective = LabelSmoothing(real=0.9, fake=fake_target)
    each = [
        weight
        * (target * torch.nn.functional.softplus(-score) + (1 - target) * torch.nn.functional.softplus(score))
        for weight, target in ((p, 0.9), (q, fake_target))
    ]
    assert slopes(sum(part.sum() for part in each), score)[0] == pytest.approx(0, abs=1e-12)
    assert best.max() <= 0.9 + 1e-12
    one = objective.discriminator(
        score[:1].detach(), score[-1:].detach()
    )  # the loss in which the slope vanishes
    by_hand = (each[0][0] / p[0] + each[1][-1] / q[-1]).item()
    assert one.item() == pytest.approx(by_hand)
    at_fakes = best[(x - 5).abs().argmin()].item()
    assert at_fakes == pytest.approx(fake_target, abs=1e-3)
    pull = torch.gradient(score.detach(), spacing=(x,))[0][(x - 5).abs().argmin()]
    assert pull.item() == pytest.approx(0.0 if fake_target else -5.0, abs=1e-3)  # −5 = d/dx log p/q


# -- top-k ------------------------------


def test_dropped_fakes_have_no_gradient_and_the_rest_the_mean_over_them() -> None:
    """M61: k = ⌊share n⌋ best; gradients of the dropped are exactly 0."""
    fake = torch.tensor(FAKE, requires_grad=True)
    loss = TopK(NonSaturating(), share=0.5).generator(fake)
    kept = np.array([True, False, True, False])  # the two highest scores
    assert loss.item() == pytest.approx(np.logaddexp(0, -FAKE[kept]).mean())
    gradient = slopes(loss, fake)[0]
    assert (gradient[~kept] == 0).all()
    np.testing.assert_allclose(gradient[kept], -expit(-FAKE[kept]) / 2)


def test_top_k_knows_which_way_the_score_points() -> None:
    fake = torch.tensor(FAKE, requires_grad=True)
    objective = TopK(EnergyMargin(margin=1.0), share=0.25)
    assert objective.low_is_real
    np.testing.assert_array_equal(slopes(objective.generator(fake), fake)[0], [0, 1, 0, 0])


def test_the_schedule_of_k_is_the_published_one() -> None:
    """k ← max(γk, νB) from k = B, cut to a whole number when used."""
    objective, rows, running = TopK(share=Decay(1.0, 0.99, floor=0.5)), 64, 64.0
    fake = torch.randn(rows, generator=torch.Generator().manual_seed(0))
    for step in range(100):
        clock = {"step": step, "images": 0, "progress": 0.0}
        assert objective.kept(fake, clock).sum() == int(running + 1e-9)
        running = max(0.99 * running, 32.0)
    assert TopK(share=1e-6).kept(fake).sum() == 1


def test_the_clock_of_top_k_may_be_given_by_place() -> None:
    fake, clock = torch.tensor(FAKE, requires_grad=True), {"step": 1, "images": 0, "progress": 0.0}
    objective = TopK(share=Decay(1.0, 0.5))  # two of four in its second step
    assert (slopes(objective.generator(fake, clock), fake)[0] == 0).sum() == 2


def test_top_k_asks_for_what_its_objective_asks_and_for_the_clock() -> None:
    objective = TopK(Relativistic(), share=0.5)
    assert arguments(objective.generator) == ("real_score", "fake_score", "clock")
    assert arguments(objective.discriminator) == ("real_score", "fake_score")
    real, fake = scores()
    on_real, on_fake = slopes(objective.generator(real_score=real, fake_score=fake, clock=None), real, fake)
    rate = expit(REAL - FAKE) * np.array([1, 0, 1, 0]) / 2
    np.testing.assert_allclose((on_real, on_fake), (rate, -rate))
    assert objective.discriminator(real, fake) == Relativistic().discriminator(real, fake)


def test_everything_kept_is_the_objective_itself() -> None:
    fake = torch.tensor(FAKE)
    for inner in (NonSaturating(), Hinge(), LeastSquares(), Minimax(), MaximumLikelihood()):
        torch.testing.assert_close(TopK(inner, share=1.0).generator(fake), inner.generator(fake))  # type: ignore[attr-defined]


# -- who couples rows ------------------------------


@pytest.mark.parametrize(
    "objective",
    [
        EnergyMargin(1.0),
        LabelSmoothing(),
        MaximumLikelihood(),
        *map(Relativistic, COSTS),
        *map(RelativisticAverage, COSTS),
    ],
    ids=repr,
)
def test_only_averages_couple_rows(objective: Objective) -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    whole = objective.discriminator(real, fake)  # type: ignore[attr-defined]
    halves = [objective.discriminator(real[part], fake[part]) for part in (slice(0, 2), slice(2, 4))]  # type: ignore[attr-defined]
    assert (abs(whole - sum(halves) / 2) > 1e-6) == objective.couples_rows
