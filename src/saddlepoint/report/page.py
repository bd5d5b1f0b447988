"""The page: everything read from the run folder, laid out by one template, written as one file."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.errors import InputError
from saddlepoint.paths import write_atomic
from saddlepoint.report import facts
from saddlepoint.report.cards import cards
from saddlepoint.report.curves import Chart, chart, series
from saddlepoint.report.frames import frames, panels
from saddlepoint.report.health import health
from saddlepoint.report.record import Record, read
from saddlepoint.report.scores import charts, entries, final, reading
from saddlepoint.report.trust import trust

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

HERE = Path(__file__).parent
TITLES = {"loss": "Losses", "score": "Discriminator scores", "term": "Terms of the losses"}


def write(run: Path) -> Path:
    """Write `run/report.html` and return its path.

    The file opens without a network and refuses to load anything: pictures, drawings, style and script lie in
    it. Parts that the run does not have (yet) are left out. Raises `InputError` when the folder is not a run
    or cannot be written to.
    """
    path = run / "report.html"
    page = render(run).encode()
    try:
        write_atomic(path, page)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    return path


def render(run: Path) -> str:
    """The page of a run as text. A function of the folder's content: no time of day, no random ids."""
    record = read(run)
    notes = list(record.notes)
    found = entries(record)
    rows = final(found)
    seen = record.metrics.get("images")
    shown = frames("samples", record.samples, seen, notes)
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return _template().render(
        record=record,
        title=facts.title(record),
        status=facts.status(record),
        frames=shown,
        planes=frames("planes", record.planes, seen, notes),
        panels=panels(record, notes),
        readings=[reading(found, frame.step) for frame in shown] if found else [],
        natural=max((frame.picture.width for frame in shown), default=0),
        pixels=len(facts.shape(record)) == 3,
        tiles=facts.tiles(record),
        score_rows=rows,
        score_notes=dict.fromkeys((row.metric, row.note) for row in rows if row.note),
        score_cards=cards(rows, len(facts.shape(record)) == 3),
        score_charts=charts(found),
        log_charts=_logs(record),
        trust=trust(record),
        health=health(record),
        method=facts.method(record),
        budget=facts.budget(record),
        cost=facts.cost(record),
        settings=facts.settings(record),
        environment=facts.flat(record.environment),
        command=facts.command(record),
        notes=notes,
        style=_trusted((HERE / "page.css").read_text(encoding="utf-8")),
        script=_trusted(script),
        script_hash="sha256-" + b64encode(sha256(script.encode()).digest()).decode(),
    )


def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing"] = _trusted
    return environment.get_template("page.html.j2")


def _trusted(text: str) -> Markup:
    """Our own style, script and drawings are not escaped; none holds text from the run folder."""
    from markupsafe import Markup

    return Markup(text)


def _logs(record: Record) -> list[Chart]:
    """One chart for each group of logged quantities: `loss/generator` belongs to the group `loss`."""
    groups: dict[str, list[str]] = {}
    for name in record.metrics:
        if "/" in name:
            groups.setdefault(name.split("/")[0], []).append(name)
    drawn = []
    for place, (group, names) in enumerate(sorted(groups.items(), key=_order)):
        curves = [series(name.split("/", 1)[1], record.metrics[name], i) for i, name in enumerate(names)]
        kept = [curve for curve in curves if curve]
        if kept:
            drawn.append(chart(TITLES.get(group, group.capitalize()), kept, f"log-{place}"))
    return drawn


def _order(item: tuple[str, list[str]]) -> tuple[int, str]:
    known = list(TITLES)
    return (known.index(item[0]) if item[0] in known else len(known), item[0])
