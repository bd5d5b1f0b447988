"""Metrics that look into trained models: linear generators with known answers, and real runs of the ring."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

import saddlepoint
from saddlepoint import Budget, Settings, methods
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.features import Identity
from saddlepoint.metrics import Measured, Model, Quantities, Reference, catalogue
from saddlepoint.networks import MLP

OF_MODELS = (
    "annealed-likelihood",
    "discriminator",
    "fractal-dimension",
    "gilbo",
    "jacobian",
    "path-length",
    "reconstruction",
)
AMONG_MODELS = ("gam", "nrds", "tournament")
OF_SAMPLES = ("neural-distance", "parzen")
COVARIANCE = torch.tensor([[1.0, 0.6], [0.6, 1.5]])


class Plane:
    """N(0, Σ) as a data set."""

    name = "plane"
    identity = "sha256:plane"
    resizing = "none"
    classes = ()

    def drawn(self, n: int, seed: int) -> dict[str, Tensor]:
        noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
        return {"real": noise @ torch.linalg.cholesky(COVARIANCE).T}

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.drawn(count or 1, 100 + seed)

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        return self.drawn(count or 1, 200 + seed)


@dataclass(frozen=True)
class Linear:
    """z -> Lz + b with the best discriminator against it: ln of the ratio of both Gaussians."""

    shift: float = 0.0
    scale: float = 1.0
    name: str = "linear"

    def latents(self, n: int, seed: int) -> Tensor:
        return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))

    def generate(self, latents: Tensor) -> Tensor:
        return self.scale * latents @ torch.linalg.cholesky(COVARIANCE).T + self.shift

    def judge(self, samples: Tensor) -> Tensor:
        normal = torch.distributions.MultivariateNormal
        own = normal(torch.full((2,), self.shift), self.scale**2 * COVARIANCE)
        return normal(torch.zeros(2), COVARIANCE).log_prob(samples) - own.log_prob(samples)


RIVALS = Linear(shift=0.5, name="near"), Linear(shift=2.0, name="far")


def measured(
    name: str, model: Model, rivals: tuple[Model, ...] = RIVALS, n: int = 400
) -> dict[str, Measured]:
    fakes = model.generate(model.latents(n, 7)).detach()
    reference = Reference(Plane(), Identity(), n)  # type: ignore[arg-type]
    return Quantities(reference, fakes, None, model, rivals).measure(catalogue.get(name))


@pytest.mark.parametrize("name", OF_MODELS + AMONG_MODELS + OF_SAMPLES)
def test_readings_are_those_announced_and_lie_in_their_intervals(name: str) -> None:
    metric, found = catalogue.get(name), measured(name, Linear(shift=0.3))
    assert set(found) == set(metric.better)
    for one in found.values():
        assert math.isfinite(one.value)
        assert one.interval is None or one.interval[0] <= one.value <= one.interval[1]
        assert one.interval is not None or "no interval" in one.note
    assert measured(name, Linear(shift=0.3)) == found


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("annealed-likelihood", "annealed-log-likelihood"),
        ("discriminator", "discriminator-auc"),
        ("tournament", "win-rate"),
        ("tournament", "skill-rating"),
        ("nrds", "nrds"),
        ("gam", "gam-samples-ratio"),
        ("neural-distance", "neural-distance"),
        ("parzen", "parzen-log-likelihood"),
        ("fractal-dimension", "fractal-dimension-ratio"),
    ],
)
def test_a_worse_generator_scores_worse(name: str, score: str) -> None:
    """Far away (for the fractal dimension: shrunk) against right."""
    worse = Linear(scale=0.01) if name == "fractal-dimension" else Linear(shift=3.0)
    better = catalogue.get(name).better[score]
    good, bad = (measured(name, model)[score].value for model in (Linear(), worse))
    if isinstance(better, float):
        good, bad = -abs(good - better), -abs(bad - better)
    assert (bad > good) if better == "lower" else (bad < good)


def test_reconstruction_of_what_lies_in_the_range_and_of_what_does_not() -> None:
    """A one-to-one plane reconstructs all and finds its latents again; a line leaves the part across it."""
    whole = measured("reconstruction", Linear())
    assert whole["reconstruction-error"].value < 1e-4
    assert whole["reconstruction-share"].value == 1
    assert whole["latent-error"].value < 1e-3
    line = measured("reconstruction", Flat())
    across = Plane().held_out(400)["real"][:100, 1].double().square().mean() / 2
    assert line["reconstruction-error"].value == pytest.approx(float(across), rel=1e-3)
    assert line["latent-error"].value > 0.1  # the second latent cannot be seen
    assert line["reconstruction-error-train"].value > 0.1


@dataclass(frozen=True)
class Flat(Linear):
    """Only the first latent, only the first coordinate."""

    def generate(self, latents: Tensor) -> Tensor:
        return latents * torch.tensor([1.0, 0.0])


def test_likelihood_of_the_right_generator_is_that_of_the_data() -> None:
    """ln N(x; 0, Σ + σ²I) of the 30 rows, from below; half a nat is what its effort may miss."""
    found = measured("annealed-likelihood", Linear())["annealed-log-likelihood"]
    rows, train = Plane().held_out(400)["real"][:30], Plane().training(400)["real"]
    noisy = COVARIANCE + (0.1 * float(train.double().std())) ** 2 * torch.eye(2)
    truth = torch.distributions.MultivariateNormal(torch.zeros(2), noisy).log_prob(rows).mean()
    assert float(truth) - 0.5 < found.value < float(truth) + 0.15


def test_conditioning_and_paths_of_a_linear_generator() -> None:
    """LᵀL has the eigenvalues of Σ; a path has |L(z₁ − z₀)|², on average 2 tr Σ less what the hundredths cut off."""
    values = torch.linalg.eigvalsh(COVARIANCE)
    condition = measured("jacobian", Linear())["jacobian-log-condition"].value
    assert condition == pytest.approx(float((values[1] / values[0]).log()), rel=1e-4)
    path = measured("path-length", Linear())["path-length"]
    assert 0.8 * 5 < path.value < 1.05 * 5
    assert (
        path.value
        > measured("path-length", Linear(scale=0.5))["path-length"].value
        == pytest.approx(path.value / 4)
    )


def test_the_best_discriminator_of_equal_densities_sees_nothing() -> None:
    found = measured("discriminator", Linear())
    assert found["discriminator-auc"].value == 0.5
    assert found["discriminator-memory"].value == 0.5
    far = measured("discriminator", Linear(shift=3.0))["discriminator-auc"]
    assert far.value > 0.95


def test_a_tournament_knows_the_ranking() -> None:
    ratings = [measured("tournament", one, rest)["skill-rating"] for one, rest in all_against_all()]
    assert [one.note.split(";")[0] for one in ratings] == ["place 1 of 3", "place 2 of 3", "place 3 of 3"]


def all_against_all() -> list[tuple[Linear, tuple[Linear, ...]]]:
    models = (Linear(), *RIVALS)
    return [(one, tuple(other for other in models if other != one)) for one in models]


def test_relative_scores_of_all_models_add_to_one_nearly() -> None:
    """Each is measured with itself first, hence with other noise: to a tenth."""
    scores = [measured("nrds", one, rest)["nrds"].value for one, rest in all_against_all()]
    assert sum(scores) == pytest.approx(1, abs=0.1)
    assert scores == sorted(scores, reverse=True)


def test_what_compares_models_wants_others() -> None:
    for name in AMONG_MODELS:
        with pytest.raises(InputError, match="compares with other runs"):
            measured(name, Linear(), ())


def test_the_floor_is_that_of_the_data() -> None:
    reference = Reference(Plane(), Identity(), 400)  # type: ignore[arg-type]
    far = Linear(shift=3.0)
    (score,) = Quantities(reference, far.generate(far.latents(400, 7))).scores(
        catalogue.get("neural-distance")
    )
    assert score.floor is not None
    assert score.interval is not None
    assert score.floor < 0.1 < score.interval[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    place, quick = (
        tmp_path_factory.mktemp("runs"),
        Settings(evaluations=1, evaluation_samples=100, pictures=1, threads=1),
    )
    return [
        saddlepoint.train(
            methods.get(name), "ring", MLP(width=8), out=place / name, budget=Budget(steps=5), settings=quick
        ).model()
        for name in ("gan", "wgan-gp")
    ]


@pytest.mark.parametrize("name", OF_MODELS + AMONG_MODELS)
def test_takes_readings_of_a_run(name: str, runs: list[Model]) -> None:
    model, rival = runs
    fakes = model.generate(model.latents(300, 0)).detach()
    made = Quantities(Reference(load("ring"), Identity(), 300), fakes, None, model, (rival,))
    scores = made.scores(catalogue.get(name))
    assert {score.metric for score in scores} == set(catalogue.get(name).better)
    assert all(math.isfinite(score.value) for score in scores)
