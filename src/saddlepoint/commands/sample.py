"""saddlepoint sample"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from saddlepoint.commands.parsing import parse
from saddlepoint.errors import InputError


@dataclass(frozen=True)
class Sample:
    """Samples of a run's generator, averaged weights where the method keeps them."""

    path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """The folder of the run."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many samples."""
    out: Path | None = None
    """A PNG with all samples in a grid (points are drawn in the plane)."""
    npz: Path | None = None
    """An .npz with the array `samples`: uint8 [n, height, width, channels] for images, else float32."""
    seed: int = 0
    truncation: float | None = None
    """Draw each latent coordinate conditioned on |z| <= this (for uniform latents: shrink the cube by it)."""
    label: str | None = None
    """Samples of this class only (its name or number), for a method that is told classes; "all": a class a row."""
    interpolate: bool = False
    """Rows of samples along the way between two latents, instead of independent ones."""
    traverse: bool = False
    """Rows of samples in which one code of the latent varies and everything else stays, for a method with codes."""
    steps: int = 10
    """Samples along each way, or for each code."""
    best: bool = False
    """The best checkpoint by the held-out score, instead of the last."""


def run(arguments: list[str]) -> None:
    given = parse(Sample, "sample", arguments)
    if given.out is None and given.npz is None:
        raise InputError("sample writes nothing without --out grid.png or --npz samples.npz")
    if given.n < 1 or given.steps < 2:
        raise InputError(f"-n {given.n} --steps {given.steps} is not possible: at least 1 sample and 2 steps")
    if given.truncation is not None and not given.truncation > 0:
        raise InputError(f"--truncation {given.truncation} is not possible: give a number above 0")
    if given.traverse and given.interpolate:
        raise InputError("--traverse and --interpolate are two pictures: ask for one at a time")
    from saddlepoint.sampling import coded
    from saddlepoint.trained import Run

    trained = Run.open(given.path, best=given.best)
    columns = given.steps if given.interpolate else None
    if given.traverse:
        latent = coded(trained.method)
        columns = latent.columns(given.steps)
        made = trained.traverse(max(1, given.n // (columns * len(latent.named()))), given.steps, given.seed)
    elif given.interpolate:
        made = trained.interpolate(max(1, given.n // given.steps), given.steps, given.seed)
    else:
        labels = None if given.label is None else _labels(given.label, given.n, trained.plan.data.classes)
        made = trained.sample(given.n, given.seed, given.truncation, labels)
    _write(given, trained, made, columns)


def _labels(wanted: str, n: int, classes: tuple[str, ...]) -> Any:
    """A label for each of n samples."""
    import torch

    from saddlepoint.errors import nearest

    if wanted == "all":
        return torch.arange(n) * len(classes) // n
    known = {
        **{str(number): number for number in range(len(classes))},
        **{c: i for i, c in enumerate(classes)},
    }
    if wanted not in known:
        raise InputError(f"--label {wanted} is no class of this run: {nearest(wanted, known)}")
    return torch.full((n,), known[wanted])


def _write(given: Sample, trained: Any, made: Any, columns: int | None) -> None:
    from saddlepoint.paths import write_atomic
    from saddlepoint.pictures import sample_picture

    for path in (given.out, given.npz):
        if path is not None and not path.parent.is_dir():
            raise InputError(
                f"there is no folder {path.parent} for {path.name}: make it, or give another place"
            )
        if path is not None and path.is_dir():
            raise InputError(f"{path} is a folder; give the name of a file")
    if given.out is not None:
        data = trained.plan.data if made.dim() == 4 else trained.data  # points are drawn beside real ones
        write_atomic(given.out, sample_picture(made, data, columns))
        print(given.out)
    if given.npz is not None:
        write_atomic(given.npz, _array(made))
        print(given.npz)


def _array(samples: Any) -> bytes:
    import numpy as np

    values = samples.numpy()
    if values.ndim == 4:
        values = np.clip(np.rint((values + 1) * 127.5), 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, samples=values)
    return buffer.getvalue()
