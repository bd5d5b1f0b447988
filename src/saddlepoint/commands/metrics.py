"""saddlepoint metrics"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from saddlepoint.commands.parsing import parse

if TYPE_CHECKING:
    from saddlepoint.metrics import Metric


@dataclass(frozen=True)
class Procedure:
    """A row of the metric sheet that is no score of samples: how it is had."""

    id: str
    title: str
    rows: tuple[str, ...]
    use: str


PROCEDURES = (
    Procedure(
        "pairs",
        "SSIM, PSNR and sharpness difference of pairs of images",
        ("K22",),
        "saddlepoint.metrics.ssim, psnr, sharpness_difference",
    ),
    Procedure(
        "convergence",
        "norm of the vector field, spectral radius of a step, drift and running median of a loss, class of an orbit, "
        "BEGAN's measure",
        ("K37",),
        "saddlepoint diagnose RUN; saddlepoint.metrics.gradient_norm, spectral_radius, drift, median_filter; "
        "saddlepoint.games.convergence; saddlepoint.objectives.BoundaryEquilibrium.convergence",
    ),
    Procedure(
        "codes",
        "bound of the information between codes and samples, and the share of labels that codes tell",
        ("K49",),
        "saddlepoint.metrics.mutual_information_bound, majority_accuracy",
    ),
    Procedure(
        "latent-walk",
        "samples along ways between latents",
        ("K50",),
        "saddlepoint sample RUN --interpolate --out FILE",
    ),
    Procedure("over-runs", "means and intervals over runs", ("K51",), "saddlepoint evaluate RUN1 RUN2 ..."),
    Procedure("corruptions", "graded corruptions of real rows", ("K52",), "saddlepoint.metrics.corruptions"),
)


@dataclass(frozen=True)
class Metrics:
    """The catalogue of metrics."""

    json: bool = False
    """Everything about each, as JSON."""
    markdown: bool = False
    """A table for documents."""


def run(arguments: list[str]) -> None:
    given = parse(Metrics, "metrics", arguments)
    from saddlepoint.metrics import catalogue

    rows = [described(catalogue.get(name)) for name in catalogue.names()]
    if given.json:
        print(json.dumps([*rows, *({"kind": "procedure", **asdict(one)} for one in PROCEDURES)], indent=2))
    elif given.markdown:
        print(markdown(rows))
    else:
        width = max(len(row["id"]) for row in rows) + 2
        for row in rows:
            print(f"{row['id']:<{width}}{row['title']}{' (slow)' if row['slow'] else ''}")


def described(metric: Metric) -> dict[str, Any]:
    """What a program would want to know of a metric."""
    from saddlepoint.metrics.quantities import needs

    return {
        "kind": "metric",
        "id": metric.id,
        "title": metric.title,
        "formula": metric.formula,
        "paper": metric.paper,
        "rows": list(metric.rows),
        "scores": dict(metric.better),
        "blind": metric.blind,
        "unmoved": list(metric.unmoved),
        "needs": list(needs(metric)),
        "slow": metric.slow,
        "version": metric.version,
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """A section for each metric."""
    return "\n\n".join(map(_section, rows))


def _section(row: dict[str, Any]) -> str:
    scores = ", ".join(f"`{name}` ({_better(best)})" for name, best in row["scores"].items())
    facts = [
        f"Scores: {scores}.",
        f"Blind to: {row['blind'].rstrip('.')}.",
        *([f"Needs: {', '.join(row['needs'])}."] if row["needs"] else []),
        *(["Slow: left out unless asked for."] if row["slow"] else []),
        f"{row['paper'].rstrip('.')} ({', '.join(row['rows'])}).",
    ]
    return f"### `{row['id']}`: {row['title']}\n\n`{row['formula']}`\n\n" + "\n".join(
        f"- {fact}" for fact in facts
    )


def _better(best: object) -> str:
    return f"{best} is better" if best in ("lower", "higher") else f"{best} is best"
