"""What looks at a run say together: findings, each with its evidence, its threshold and what the literature says helps.

    findings(looks)      of rows of health.jsonl, in order of steps: the worst first, none for a healthy run

A sign is a predicate on the looks so far. It is a finding when it held at the last looks, as many of them as it needs;
`since` is the first of that unbroken series. How far they can be trusted: docs/health.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import mean
from typing import Any, Literal

Look = Mapping[str, Any]
Looks = Sequence[Look]
Severity = Literal["severe", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a run. `evidence`: the readings at the last look that decided."""

    name: str
    severity: Severity
    since: int
    sentence: str
    evidence: dict[str, float]
    threshold: str
    helps: str
    sources: str

    def __str__(self) -> str:
        return f"{self.sentence} since step {self.since:,} ({self.threshold}; {self.told}). {self.helps}"

    @property
    def told(self) -> str:
        return ", ".join(f"{name} {value:.3g}" for name, value in self.evidence.items())

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Sign:
    """`shows` on the looks up to one; `reads`: the readings that are shown as evidence; `looks`: how many in a row make it
    a finding."""

    name: str
    severity: Severity
    sentence: str
    shows: Callable[[Looks], bool]
    reads: tuple[str, ...]
    threshold: str
    helps: str
    sources: str
    looks: int = 2

    def finding(self, looks: Looks) -> Finding | None:
        """The finding at the last look, or None."""
        since = len(looks)
        while since > 0 and self.shows(looks[:since]):
            since -= 1
        if len(looks) - since < self.looks:
            return None
        last = looks[-1]
        evidence = {
            name: float(last[name]) for name in last if name in self.reads or name.split("/")[0] in self.reads
        }
        return Finding(
            self.name,
            self.severity,
            int(looks[since]["step"]),
            self.sentence,
            evidence,
            self.threshold,
            self.helps,
            self.sources,
        )


# -- thresholds ------------------------------------------------------------------------------------------

GROWTH = 30.0  # times the first size
COPIES = 0.5  # of the distance that held-out rows keep from the training rows
BY_HEART = 0.7  # chance that a training row is judged above a held-out one
APART = 0.99  # chance that a training row is judged above a fake
VANISHED = 0.01  # of the largest gradient of the generator so far
REACHED = 0.5  # of 16 regions of the data
FAR = 0.2  # root of the energy distance beyond its floor, in roots of the spread of the data
FALLING = 0.8  # of the distance in the first half of the looks
FRESH = 1.3  # times the first size: parameters that have hardly moved
TURNING = 0.15  # root mean square change of a sketch from look to look


def exploding(looks: Looks) -> bool:
    """Numbers that are not finite, or parameters grown thirtyfold."""
    return not looks[-1].get("finite", True) or growth(looks) > GROWTH


def memorising(looks: Looks) -> bool:
    """Fakes lie much nearer to training rows than held-out rows do."""
    return looks[-1].get("nearness", 1.0) < COPIES


def overfitted(looks: Looks) -> bool:
    """The discriminator tells training rows from held-out rows."""
    return looks[-1].get("overfit", 0.5) > BY_HEART


def vanishing(looks: Looks) -> bool:
    """The discriminator separates, the generator's gradient is a hundredth of what it was, and the samples are still far."""
    last = looks[-1]
    largest = max((look.get("gradient/generator", 0.0) for look in looks), default=0.0)
    small = last.get("gradient/generator", math.inf) < VANISHED * largest
    return small and last.get("separation", 0.0) > APART and far(last)


def collapsed(looks: Looks) -> bool:
    """Samples reach few regions of the data, far from it and staying there, and more training does not mend it."""
    few = looks[-1].get("cells", 1.0) <= REACHED
    return few and far(looks[-1]) and not undertrained(looks) and not rotating(looks)


def rotating(looks: Looks) -> bool:
    """Samples keep moving about without coming nearer."""
    late = looks[len(looks) // 2 :]
    return len(moves(late)) >= 2 and mean(moves(late)) > TURNING and far(late[-1]) and not improving(looks)


def undertrained(looks: Looks) -> bool:
    """Samples are far from the data and still coming nearer, or the parameters have hardly moved."""
    return far(looks[-1]) and (improving(looks) or growth(looks) < FRESH)


def improving(looks: Looks) -> bool:
    """Whether the distance is a fifth lower, on average, in the last half of the looks than in the first, or there are two
    of them at most. The untrained generator is left out where there are four."""
    known = [away(look) for look in looks if "distance" in look]
    if len(known) < 3:
        return True
    known = known[1:] if len(known) > 3 else known
    half = len(known) // 2
    return mean(known[half:]) < FALLING * mean(known[:half])


def growth(looks: Looks) -> float:
    """The largest growth of a player's parameters since the first look."""
    first, last = looks[0], looks[-1]
    sizes = [name for name in last if name.startswith("size/") and first.get(name, 0.0) > 0]
    return max((last[name] / first[name] for name in sizes), default=1.0)


def moves(looks: Looks) -> list[float]:
    """Root mean square changes of the sketch from each look to the next."""
    sketches = [look["sketch"] for look in looks if "sketch" in look]
    return [
        math.sqrt(sum((a - b) ** 2 for a, b in zip(one, two, strict=False)) / len(one))
        for one, two in pairwise(sketches)
    ]


def away(look: Look) -> float:
    """√ of the energy distance beyond what held-out rows have of it; 0 where there is none."""
    return math.sqrt(max(0.0, look.get("distance", 0.0) - look.get("distance/floor", 0.0)))


def far(look: Look) -> bool:
    return away(look) > FAR


SIGNS = (
    Sign(
        "exploding",
        "severe",
        "Parameters explode",
        exploding,
        ("size", "gradient"),
        f"parameters {GROWTH:g} times as large as at first, or numbers that are not finite",
        "A lower learning rate, a gradient penalty on the discriminator or spectral normalisation bound what moves.",
        "Gulrajani et al. 2017; Miyato et al. 2018; Mescheder et al. 2018",
        looks=1,
    ),
    Sign(
        "memorising",
        "severe",
        "The generator repeats training rows",
        memorising,
        ("nearness",),
        f"fakes nearer to training rows than {COPIES:g} of the distance of held-out rows",
        "More data, augmentation of what the discriminator sees, a smaller generator or an earlier stop.",
        "Meehan et al. 2020; Karras et al. 2020",
    ),
    Sign(
        "overfitted discriminator",
        "severe",
        "The discriminator knows training rows by heart",
        overfitted,
        ("overfit", "separation"),
        f"training rows judged above held-out rows with probability above {BY_HEART:g}",
        "Adaptive augmentation (ada), DiffAugment, R1 with a larger weight, more data or a smaller discriminator.",
        "Karras et al. 2020; Zhao et al. 2020; Yazici et al. 2020",
    ),
    Sign(
        "vanishing gradient",
        "severe",
        "The discriminator separates perfectly and the generator's gradient vanishes",
        vanishing,
        ("gradient/generator", "separation", "distance"),
        f"gradient below {VANISHED:g} of its largest with separation above {APART:g}",
        "The non-saturating loss instead of minimax, R1, instance noise or a Wasserstein critic with a penalty.",
        "Goodfellow et al. 2014; Arjovsky & Bottou 2017; Mescheder et al. 2018",
    ),
    Sign(
        "collapsed",
        "severe",
        "Samples reach few regions of the data",
        collapsed,
        ("cells", "spread", "distance"),
        f"at most {REACHED:g} of 16 regions, far from the data and not coming nearer",
        "R1 or R2 with relativistic pairing, packing, unrolling, minibatch standard deviation or a lower learning rate.",
        "Metz et al. 2017; Lin et al. 2018; Karras et al. 2018; Huang et al. 2024",
        looks=1,
    ),
    Sign(
        "rotating",
        "warning",
        "Samples move about without coming nearer to the data",
        rotating,
        ("distance",),
        f"mean movement above {TURNING:g} from look to look, far from the data and not coming nearer",
        "R1, averaged weights, extragradient or optimistic steps, or a lower learning rate.",
        "Mescheder et al. 2018; Gidel et al. 2019; Yazıcı et al. 2019",
        looks=1,
    ),
    Sign(
        "under-trained",
        "note",
        "Samples are far from the data and still coming nearer, or parameters have hardly moved",
        undertrained,
        ("distance", "size"),
        f"√ of the energy distance above its floor by {FAR:g}, and below {FALLING:g} of what it was in the first half or "
        f"parameters less than {FRESH:g} times as large as at first",
        "A larger budget; the same command with more steps continues a run.",
        "",
        looks=1,
    ),
)


def findings(looks: Looks) -> list[Finding]:
    """What is wrong at the last look, the worst first. Looks of an earlier stage of training are not looked at."""
    if not looks:
        return []
    stage = [look for look in looks if look.get("phase") == looks[-1].get("phase")]
    found = [sign.finding(stage) for sign in SIGNS]
    return [finding for finding in found if finding is not None]
