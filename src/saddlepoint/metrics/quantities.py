"""What metrics may ask for by argument name, each made at most once.

real, fake, train                                 features, float32 [n, d]: held-out rows, generated, training rows
real_samples, fake_samples, train_samples         the rows themselves, images in [-1, 1]
real_images, fake_images, train_images            the same where they are images; points have none
real_points, fake_points                          the same where they are points in the plane
real_probabilities, fake_probabilities, train_probabilities   p(y|x) of the data set's classifier, [n, classes]
real_labels, fake_labels, train_labels            int64 [n]; of fakes only where they were made by class
centres, sigma                                    of a density with known modes
classify                                          the class head of the run's own discriminator: rows -> logits
recognition                                       a run's codes and the head that finds them again
contest                                           the players of a run and their losses, for what they could gain alone
log_density                                       of a density: points [n, 2] -> log p [n]
corners                                           of convex polygons, how many each has
extractor                                         the extractor itself: samples -> features
model, rivals                                     a trained generator with its discriminator; those it is compared with
seed, progress                                    for what a metric draws, and to tell how far it is
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from torch import Tensor

from saddlepoint.data.polygons import SIDE
from saddlepoint.errors import InputError
from saddlepoint.features import Extractor
from saddlepoint.metrics.metric import Measured, Metric
from saddlepoint.metrics.score import Score

if TYPE_CHECKING:
    from saddlepoint.data.protocol import Data
    from saddlepoint.features import Classifier
    from saddlepoint.metrics.convergence import Contest
    from saddlepoint.metrics.information import Recognition

SPLIT = "held-out"
FEATURES = frozenset({"real", "fake", "train", "extractor"})
PROBABILITIES = frozenset({"real_probabilities", "fake_probabilities", "train_probabilities"})
TRAIN = frozenset({"train", "train_samples", "train_images", "train_probabilities", "train_labels"})
IMAGES = frozenset({"real_images", "fake_images", "train_images"})
POINTS = frozenset({"real_points", "fake_points"})
NEEDS = {  # what not every data set, run or set of samples has
    "labels": PROBABILITIES | {"real_labels", "train_labels"},
    "modes": frozenset({"centres", "sigma"}),
    "a density": frozenset({"log_density"}),
    "convex polygons": frozenset({"corners"}),
    "images": IMAGES,
    "points in the plane": POINTS,
    "samples by class": frozenset({"fake_labels"}),
    "a run": frozenset({"model"}),
    "a run that names classes": frozenset({"classify"}),
    "a run with codes": frozenset({"recognition"}),
    "a run of noise alone whose weights are free": frozenset({"contest"}),
    "other runs": frozenset({"rivals"}),
}
Progress = Callable[[int, int], None]


def needs(metric: Metric) -> tuple[str, ...]:
    """What a metric needs beside two sets of rows, in words."""
    return tuple(word for word, names in NEEDS.items() if names & set(metric.asks))


class Model(Protocol):
    """A trained GAN as metrics see it. `generate` is differentiable in the latents."""

    @property
    def name(self) -> str: ...
    def latents(self, n: int, seed: int) -> Tensor: ...
    def generate(self, latents: Tensor) -> Tensor: ...
    def judge(self, samples: Tensor) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class Reference:
    """The real side: at most n held-out rows, which neither the generator nor the extractor was trained on, and at
    most n training rows. Any number of sets of samples are compared with one reference."""

    data: Data
    extractor: Extractor
    n: int = 2000
    seed: int = 0
    progress: Progress = lambda done, total: None
    floors: dict[tuple[str, int], dict[str, Measured]] = field(default_factory=dict, repr=False)

    @cached_property
    def _held_out(self) -> dict[str, Tensor]:
        return self.data.held_out(self.n, self.seed)

    @cached_property
    def _training(self) -> dict[str, Tensor]:
        return self.data.training(self.n, self.seed)

    def beside(self, others: bool, n: int) -> dict[str, Tensor]:
        """At most n training rows to stand for a perfect generator: those of `train`, or, for a metric that looks
        at these, the `others` after them, which are no copies."""
        first = self.n if others else 0
        return {name: rows[first:] for name, rows in self.data.training(first + n, self.seed).items()}

    @property
    def real_samples(self) -> Tensor:
        return self._held_out["real"]

    @property
    def train_samples(self) -> Tensor:
        return self._training["real"]

    @property
    def real_images(self) -> Tensor:
        return self.real_samples

    @property
    def train_images(self) -> Tensor:
        return self.train_samples

    @property
    def real_points(self) -> Tensor:
        return self.real_samples

    @cached_property
    def real(self) -> Tensor:
        return self.extractor(self.real_samples)

    @cached_property
    def train(self) -> Tensor:
        return self.extractor(self.train_samples)

    @cached_property
    def classifier(self) -> Classifier:
        """The judge of p(y|x); the extractor itself where that is one."""
        from saddlepoint.features import Classifier, classifier

        ready = isinstance(self.extractor, Classifier)
        return self.extractor if ready else classifier(self.data, progress=self.progress)  # type: ignore[return-value]

    @cached_property
    def real_probabilities(self) -> Tensor:
        return self.classifier.probabilities(self.real_samples)

    @cached_property
    def train_probabilities(self) -> Tensor:
        return self.classifier.probabilities(self.train_samples)

    @property
    def real_labels(self) -> Tensor:
        return self._held_out["label"]

    @property
    def train_labels(self) -> Tensor:
        return self._training["label"]

    @property
    def centres(self) -> Tensor:
        return self.data.centres  # type: ignore[attr-defined]

    @property
    def sigma(self) -> float:
        return self.data.sigma  # type: ignore[attr-defined]

    @property
    def log_density(self) -> Callable[[Tensor], Tensor]:
        return self.data.log_density  # type: ignore[attr-defined, no-any-return]

    @property
    def corners(self) -> int:
        return self.data.corners  # type: ignore[attr-defined, no-any-return]

    def lacks(self, name: str) -> str | None:
        """Why the data cannot give this quantity; None where they can."""
        if name in IMAGES:
            return None if len(self.data.shape) == 3 else f"{self.data.name} has no images"
        if name in POINTS:
            return None if self.data.shape == (2,) else f"{self.data.name} is not of points in the plane"
        if name in PROBABILITIES or name in ("real_labels", "train_labels"):
            return None if self.data.classes else f"{self.data.name} has no labels"
        if name in ("centres", "sigma", "log_density"):
            known = getattr(self.data, name, None) is not None
            what = "density" if name == "log_density" else "modes"
            return None if known else f"the {what} of {self.data.name} cannot be written down"
        if name == "corners":
            known = hasattr(self.data, name) and self.data.shape == (1, SIDE, SIDE)
            return None if known else f"{self.data.name} is not of convex polygons, grey and {SIDE}x{SIDE}"
        return None


@dataclass(frozen=True, eq=False)
class Quantities:
    """Generated samples, and what made them where that is at hand, against a reference."""

    reference: Reference
    fake_samples: Tensor
    fake_labels: Tensor | None = None
    model: Model | None = None
    rivals: tuple[Model, ...] = ()
    classify: Callable[[Tensor], Tensor] | None = None
    recognition: Recognition | None = None
    contest: Contest | None = None
    resizing: str = "none"  # of the samples, before they came here

    @property
    def fake_images(self) -> Tensor:
        return self.fake_samples

    @property
    def fake_points(self) -> Tensor:
        return self.fake_samples

    @cached_property
    def fake(self) -> Tensor:
        return self.reference.extractor(self.fake_samples)

    @cached_property
    def fake_probabilities(self) -> Tensor:
        return self.reference.classifier.probabilities(self.fake_samples)

    def lacks(self, metric: Metric) -> str | None:
        """Why the metric cannot be taken here, as the end of a sentence; None where it can."""
        own = {
            "fake_labels": (self.fake_labels is None, "the samples were not made by class"),
            "model": (
                self.model is None,
                "it looks into a run whose samples are made of noise alone, and there is none here",
            ),
            "classify": (self.classify is None, "there is no run whose discriminator names classes"),
            "recognition": (self.recognition is None, "there is no run with codes that a head recognises"),
            "contest": (
                self.contest is None,
                "it needs a run without labels, and without constraints on weights that a search would leave",
            ),
            "rivals": (not self.rivals, "it compares with other runs (--against), and none are given"),
        }
        for name in metric.asks:
            reason = own[name][1] if own.get(name, (False,))[0] else self.reference.lacks(name)
            if reason:
                return reason
        return None

    def quantity(self, name: str) -> Any:
        """The quantity of that name."""
        return getattr(self if name in OWN else self.reference, name)

    def measure(self, metric: Metric) -> dict[str, Measured]:
        """The readings of a metric. Raises `InputError` where it cannot be taken."""
        reason = self.lacks(metric)
        if reason:
            raise InputError(f"{metric.id} cannot be taken: {reason}.")
        return dict(metric.measure(**{name: self.quantity(name) for name in metric.asks}))

    def scores(self, metric: Metric) -> tuple[Score, ...]:
        """Complete scores; the floor is the same metric with as many training rows in the place of the fakes."""
        found, floors = self.measure(metric), self.floors(metric)
        return tuple(
            Score(
                metric=name,
                value=one.value,
                interval=one.interval,
                floor=floors[name].value if name in floors else None,
                note="; ".join(filter(None, (one.note, "" if floors else self._floorless(metric)))),
                version=metric.version,
                **self._identity(metric),
            )
            for name, one in found.items()
        )

    def floors(self, metric: Metric) -> dict[str, Measured]:
        """The readings between real and real at the same n; empty where the metric has none."""
        asks = set(metric.asks)
        if not asks & OWN or asks & OF_RUNS:
            return {}
        key, known = (metric.id, len(self.fake_samples)), self.reference.floors
        if key not in known:
            rows = self.reference.beside(bool(asks & TRAIN), len(self.fake_samples))
            fresh = Quantities(self.reference, rows["real"], rows.get("label"))
            enough = len(fresh.fake_samples) == min(len(self.fake_samples), len(self.reference.train_samples))
            known[key] = fresh.measure(metric) if enough else {}
        return known[key]

    def _floorless(self, metric: Metric) -> str:
        few = set(metric.asks) & TRAIN and not set(metric.asks) & {"model", "rivals"}
        return "no floor: too few training rows beside those that are looked at" if few else ""

    def _identity(self, metric: Metric) -> dict[str, Any]:
        asks, reference = set(metric.asks), self.reference
        judge = reference.extractor if asks & FEATURES else None
        judge = reference.classifier if judge is None and asks & PROBABILITIES else judge
        return {
            "extractor": judge.name if judge else "none",
            "hash": judge.hash if judge else "none",
            "data": reference.data.identity,
            "split": SPLIT,
            "n_real": len(reference.real_samples),
            "n_fake": len(self.fake_samples),
            "seed": reference.seed,
            "real_resizing": reference.data.resizing,
            "fake_resizing": self.resizing,
        }


# which rows of data cannot stand for
OF_RUNS = frozenset({"model", "rivals", "classify", "recognition", "contest"})
FAKES = frozenset({"fake_samples", "fake_images", "fake_points", "fake_labels", "fake", "fake_probabilities"})
OWN = OF_RUNS | FAKES
