"""saddlepoint demo"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from saddlepoint.commands.parsing import parse

IMAGES = 640_000


@dataclass(frozen=True)
class Demo:
    """Train the default GAN on scikit-learn's real digits (8x8, bundled), judge it against controls, write the report."""

    out: Path = Path("runs/digits")
    """The folder of the run."""
    images: int = IMAGES
    """Training images."""
    seed: int = 0


def method() -> Any:
    """R3GAN with the schedules of its paper, scaled to 8x8 images and a run of minutes."""
    from saddlepoint import methods
    from saddlepoint.optim import Adam
    from saddlepoint.penalties import R1, R2
    from saddlepoint.schedules import Cosine

    base = methods.get("r3gan")
    gamma, adam = Cosine(1.0, 0.1), Adam(Cosine(1e-3, 1e-4), (0.0, Cosine(0.9, 0.99)))
    return replace(
        base,
        terms=(R1(gamma), R2(gamma)),
        dynamics=replace(base.dynamics, optimizers=dict.fromkeys(base.dynamics.optimizers, adam)),
    )


def run(arguments: list[str]) -> None:
    given = parse(Demo, "demo", arguments)
    from saddlepoint.budget import Budget
    from saddlepoint.networks import MLP
    from saddlepoint.run import read_json
    from saddlepoint.settings import Settings
    from saddlepoint.trained import train

    network = MLP(width=256, depth=3, activation="leaky_relu")
    trained = train(
        method(),
        "digits",
        network,
        out=given.out,
        budget=Budget(images=given.images),
        settings=Settings(seed=given.seed, threads=1),
    )
    if read_json(given.out / "summary.json")["status"] != "finished":
        return  # stopped by hand: the same command goes on
    passed = trust(trained)
    print(f"report: {given.out / 'report.html'}")
    print(
        "the generator and every control came out as they should"
        if passed
        else "not every check came out as it should"
    )


def trust(trained: Any, n: int = 2000) -> bool:
    """Write RUN/trust.json and its pictures: the generator beside held-out data and fakes that must be caught."""
    from saddlepoint import images, report
    from saddlepoint.features import classifier
    from saddlepoint.metrics import Acceptance, trust_table
    from saddlepoint.paths import write_atomic
    from saddlepoint.run import write_json
    from saddlepoint.trained import Run

    acceptance = Acceptance()
    untrained = Run.untrained(trained)
    table = trust_table(
        generated=trained.sample(n),
        untrained=untrained.sample(n),
        data=trained.data,
        classifier=classifier(trained.data),
        n=n,
    )
    found = table.to_json(acceptance)
    (trained.path / "trust").mkdir(exist_ok=True)
    for index, row in enumerate(table.rows):
        name = f"trust/{index}.png"
        write_atomic(trained.path / name, images.png(images.grid(row.images[:20], columns=10)))
        found["rows"][index]["image"] = name
    write_json(trained.path / "trust.json", found)
    report.write(trained.path)
    _print(found)
    return as_expected(found)


def as_expected(found: dict[str, Any]) -> bool:
    """Real and generated images pass every check, every fake control fails at least one."""
    return all(bool(row["failed"]) == (row["kind"] == "fake") for row in found["rows"])


def _print(found: dict[str, Any]) -> None:
    """The table, narrow enough for a terminal; the report shows it with definitions, limits and pictures."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    short = {"share": "share", "entropy": "entropy", "relative": "/ start", "floors": "/ floor",
             "nn-accuracy": "1-NN", "distance-ratio": "distance"}  # fmt: skip
    table = Table(box=SIMPLE)
    for name in ("images", *short.values(), "fails"):
        table.add_column(name, no_wrap=True)
    for row in found["rows"]:
        cells = [f"{row['values'][name]:.3g}" for name in short]
        table.add_row(row["name"], *cells, str(len(row["failed"])) if row["failed"] else "nothing")
    Console().print(table)
