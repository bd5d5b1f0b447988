"""Pictures inside the page: PNG files of the run as data addresses, thinned so that the page stays small."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from saddlepoint.report.record import Column, Record
from saddlepoint.report.text import number

MOST, FEWEST = 60, 10  # pictures of a viewer on a page, unless the run has fewer
BUDGET = 2_000_000  # bytes of its pictures that a viewer aims at
LARGE = 400_000  # bytes above which a picture is shrunk
SIDE = 1200  # pixels of the longer side of a shrunk picture
COLUMN = 560  # pixels of the page's picture column


@dataclass(frozen=True)
class Picture:
    address: str  # data:image/…
    width: int
    height: int

    @property
    def shown(self) -> int:
        """Width on the page: the largest whole multiple that fits, so that every pixel is equally large."""
        return max(1, COLUMN // self.width) * self.width if self.width <= COLUMN else COLUMN


@dataclass(frozen=True)
class Frame:
    """The picture of one step."""

    step: int
    picture: Picture
    label: str


@dataclass(frozen=True)
class Panel:
    """A picture whose rows have names."""

    title: str
    note: str
    rows: list[str]
    picture: Picture


def panels(record: Record, notes: list[str]) -> list[Panel]:
    """Pictures whose rows mean something; one that cannot be read is left out and noted."""
    shown = []
    for told, path in record.panels:
        found, rows = picture(path), told.get("rows")
        if found is None or not isinstance(rows, list):
            notes.append(f"panels: {path.name} cannot be read and is left out.")
            continue
        title, note = (str(told.get(name, "")) for name in ("title", "note"))
        shown.append(Panel(title, note, [str(row) for row in rows], found))
    return shown


def frames(name: str, saved: list[tuple[int, Path]], seen: Column | None, notes: list[str]) -> list[Frame]:
    """Pictures (step, file) in order of steps: as many as the page can carry, with the first and the last. name: what
    they are called in a note; seen: images by step."""
    chosen = [saved[index] for index in _spread([path for _, path in saved])]
    read = [(step, picture(path)) for step, path in chosen]
    broken = sum(found is None for _, found in read)
    if broken:
        notes.append(f"{name}: {broken} of {len(read)} pictures cannot be read and are left out.")
    return [Frame(step, found, _label(step, seen)) for step, found in read if found]


def picture(path: Path) -> Picture | None:
    """A picture file as a data address; None when it cannot be read as a picture."""
    from PIL import Image

    try:
        content = path.read_bytes()
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            width, height = image.size
            image.verify()
        if len(content) > LARGE:
            return _shrunk(content)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    return Picture("data:image/png;base64," + b64encode(content).decode(), width, height)


def _shrunk(content: bytes) -> Picture:
    from PIL import Image

    with Image.open(BytesIO(content), formats=["PNG"]) as image:
        small = image.convert("RGBA")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    paper = Image.new("RGBA", small.size, "white")
    stream = BytesIO()
    Image.alpha_composite(paper, small).convert("RGB").save(stream, format="JPEG", quality=88, subsampling=0)
    return Picture("data:image/jpeg;base64," + b64encode(stream.getvalue()).decode(), *small.size)


def _spread(paths: list[Path]) -> list[int]:
    """Evenly spaced places in a list, first and last among them."""
    if not paths:
        return []
    size = float(np.mean([min(path.stat().st_size, LARGE) for path in paths]))
    keep = int(np.clip(BUDGET / max(size, 1.0), FEWEST, MOST))
    return sorted({round(place) for place in np.linspace(0, len(paths) - 1, min(keep, len(paths)))})


def _label(step: int, seen: Column | None) -> str:
    """`step 1,200 · 76,800 images`, the second part where the log has that step."""
    label = f"step {number(step)}"
    if seen is None:
        return label
    steps, images = seen
    place = int(np.searchsorted(steps, step))
    if place < len(steps) and steps[place] == step and np.isfinite(images[place]):
        label += f" · {number(round(float(images[place])))} images"
    return label
