"""The pages of a book: Markdown, HTML, figures and a contact sheet, a function of what is stored."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from saddlepoint import experiments
from saddlepoint.experiments import drawing, suite
from saddlepoint.experiments.accept import median
from saddlepoint.experiments.book import Book
from saddlepoint.experiments.experiment import TAGS, Experiment, Results
from saddlepoint.paths import write_atomic

HERE = Path(__file__).parent
HEAD = ("what", "published", "exact", "measured: median [least, most]")
COLUMNS = 3  # of the contact sheet


def lines(experiment: Experiment, results: Results) -> list[tuple[str, str, str, str]]:
    """The table of an experiment; rows without a measured number are left out, but where a GPU is wanted for all."""
    found = []
    waiting = all(part.gpu for part in experiment.parts)
    for row in experiment.rows:
        values = results.all(row.number)
        exact = row.exact
        if isinstance(exact, str):
            known = results.all(exact)
            exact = known[0] if known else None
        published = f"{row.published} [{row.tag}]" if row.tag else row.published
        if values or waiting:
            exactly = "" if exact is None else number(exact)
            found.append((row.what, published, exactly, spread(values) if values else ""))
    return found


def spread(values: Sequence[float]) -> str:
    middle = number(median(values))
    if len(values) == 1 or min(values) == max(values):
        return middle
    return f"{middle} [{number(min(values))}, {number(max(values))}]"


def number(value: float) -> str:
    return f"{value:.4g}"


def write(book: Book, without: Mapping[str, str] | None = None) -> Path:
    """README.md, index.html, figures/ and contact.png in the book's folder; the path of the page."""
    chapters = _chapters(book, without)
    (book.path / "figures").mkdir(exist_ok=True)
    drawn = [chapter for chapter in chapters if chapter["figure"]]
    for chapter in drawn:
        write_atomic(book.path / chapter["figure"], _picture(chapter["experiment"], chapter["results"]))
    if drawn:
        write_atomic(book.path / "contact.png", _contact(book.path / c["figure"] for c in drawn))
    for name, text in _texts(book, chapters).items():
        write_atomic(book.path / name, text.encode())
    return book.path / "index.html"


def texts(book: Book, without: Mapping[str, str] | None = None) -> dict[str, str]:
    """README.md and index.html, by name."""
    return _texts(book, _chapters(book, without))


def _texts(book: Book, chapters: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    asked = [j for chapter in chapters for j in chapter["judged"]]
    told = {
        "quick": book.quick,
        "chapters": chapters,
        "met": sum(j.met for j in asked),
        "asked": len(asked),
        "failures": [(c["experiment"], j) for c in chapters for j in c["judged"] if not j.met],
        "waiting": [c for c in chapters if c["verdict"] not in ("met", "not met")],
        "tags": TAGS,
        "head": HEAD,
        "suite": suite.table(book),
        "suite_head": suite.HEAD,
        "suite_said": suite.SAID,
        "hours": sum(chapter["seconds"] for chapter in chapters) / 3600,
    }
    return {
        name: _template(f"book.{name.split('.')[1]}.j2").render(**told)
        for name in ("README.md", "index.html")
    }


def _chapters(book: Book, without: Mapping[str, str] | None) -> list[dict[str, Any]]:
    known = [experiments.get(id) for id in experiments.names()]
    return [_chapter(book, experiment, (without or {}).get(experiment.id, "")) for experiment in known]


def _chapter(book: Book, experiment: Experiment, without: str) -> dict[str, Any]:
    verdict, judged = book.verdict(experiment)
    results = book.results(experiment)
    stored = book.stored(experiment.id)
    changed = bool(stored["trials"]) and not results.trials
    left_out = [
        part.name
        for part in experiment.parts
        if part.gpu and part.name not in {t.part for t in results.trials}
    ]
    why = without or ("what measures it has changed since: run it again" if changed else "")
    return {
        "experiment": experiment,
        "verdict": verdict,
        "why": why,
        "judged": judged,
        "results": results,
        "lines": lines(experiment, results),
        "seconds": book.seconds(experiment.id),
        "command": f"saddlepoint reproduce {experiment.name}{' --quick' if book.quick else ''}",
        "left_out": left_out,
        "note": drawing.note(results),
        "environment": stored.get("environment", {}),
        "figure": f"figures/{experiment.id}.png" if judged and any(results.numbers) else "",
    }


def _picture(experiment: Experiment, results: Results) -> bytes:
    content = io.BytesIO()
    drawing.figure(experiment, results).savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def _contact(paths: Iterable[Path]) -> bytes:
    """All figures on one sheet, half as large."""
    from PIL import Image

    pictures: list[Image.Image] = []
    for path in paths:
        with Image.open(path) as whole:
            pictures.append(whole.convert("RGB").resize((whole.width // 2, whole.height // 2)))
    width, height = (max(size) for size in zip(*(p.size for p in pictures), strict=True))
    sheet = Image.new("RGB", (COLUMNS * width, -(-len(pictures) // COLUMNS) * height), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(picture, ((place % COLUMNS) * width, (place // COLUMNS) * height))
    content = io.BytesIO()
    sheet.save(content, format="png")
    return content.getvalue()


def _template(name: str) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=name.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment.get_template(name)
