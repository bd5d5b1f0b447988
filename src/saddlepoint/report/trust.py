"""The trust table: generated samples and controls judged by the same columns, read from `trust.json`.

    {"acceptance": {name: value, …},                                said under the table
     "classes": [name, …],
     "columns": [{"id", "label", "unit", "limit", "definition"}, …], limit: text, number, [low, high] or null
     "rows": [{"name", "n", "shares": [one for each class], "values": {column id: number or null},
               "counts": {column id: text}, "failed": [column id, …],
               "kind": "generated", "real" or "fake", "image": path of a PNG inside the run}, …]}

`counts`, `kind` and `image` may be absent. A row of kind `fake` is a control that ought to fail.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from saddlepoint.report.frames import Picture, picture
from saddlepoint.report.record import Json, Record, mapping, mappings
from saddlepoint.report.text import is_finite, number


@dataclass(frozen=True)
class Cell:
    text: str
    verdict: str  # "pass", "fail" or "" where the column has no limit
    counts: str


@dataclass(frozen=True)
class Row:
    name: str
    count: str
    kind: str
    cells: list[Cell]
    failed: list[str]  # labels of the columns
    shares: list[tuple[float, str]]  # (share cut to [0, 1], as text)
    picture: Picture | None

    @property
    def verdict(self) -> str:
        limits = sum(bool(cell.verdict) for cell in self.cells)
        return f"fails {len(self.failed)} of {limits}" if self.failed else f"passes all {limits}"

    @property
    def remark(self) -> str:
        if self.kind != "fake":
            return ""
        return "as a fake must" if self.failed else "though a fake"

    @property
    def mood(self) -> str:
        """`good` or `bad`: whether fakes fail and all others pass; `plain` for a fake that fails."""
        if self.kind == "fake":
            return "plain" if self.failed else "bad"
        return "bad" if self.failed else "good"


@dataclass(frozen=True)
class Column:
    label: str
    unit: str
    limit: str
    definition: str


@dataclass(frozen=True)
class Trust:
    columns: list[Column]
    rows: list[Row]
    classes: list[str]
    acceptance: list[tuple[str, str]]

    @property
    def has_shares(self) -> bool:
        return bool(self.classes) and any(row.shares for row in self.rows)

    @property
    def has_counts(self) -> bool:
        return any(cell.counts for row in self.rows for cell in row.cells)

    @property
    def has_pictures(self) -> bool:
        return any(row.picture for row in self.rows)

    @property
    def largest_share(self) -> float:
        return max((share for row in self.rows for share, _ in row.shares), default=0.0) or 1.0

    @property
    def conclusion(self) -> str:
        """What the table says in a sentence, where its rows say what they are."""
        generated = [row for row in self.rows if row.kind == "generated"]
        fakes = [row for row in self.rows if row.kind == "fake"]
        caught = sum(bool(row.failed) for row in fakes)
        said = [f"{row.name}: {row.verdict}." for row in generated]
        return " ".join(said + ([f"Fakes caught: {caught} of {len(fakes)}."] if fakes else []))


def trust(record: Record) -> Trust | None:
    """The table, or None when the run has none."""
    rows, columns = (mappings(record.trust.get(name)) for name in ("rows", "columns"))
    if not rows or not columns:
        return None
    classes = record.trust.get("classes")
    return Trust(
        columns=[_column(column) for column in columns],
        rows=[_row(row, columns, record.folder) for row in rows],
        classes=[str(name) for name in classes] if isinstance(classes, list) else [],
        acceptance=[(name, number(value)) for name, value in mapping(record.trust.get("acceptance")).items()],
    )


def _column(column: Json) -> Column:
    label, unit, definition = (str(column.get(name) or "") for name in ("label", "unit", "definition"))
    return Column(label or str(column.get("id")), unit, _limit(column.get("limit")), definition)


def _limit(limit: object) -> str:
    if isinstance(limit, list):
        return " to ".join(number(end) for end in limit)
    return "" if limit is None else number(limit)


def _row(row: Json, columns: list[Json], folder: Path) -> Row:
    listed, shares = row.get("failed"), row.get("shares")
    failed = [str(name) for name in listed] if isinstance(listed, list) else []
    labels = {str(column.get("id")): _column(column).label for column in columns}
    return Row(
        name=str(row.get("name", "")),
        count=number(row.get("n")),
        kind=str(row.get("kind") or ""),
        cells=[_cell(str(column.get("id")), column.get("limit"), row, failed) for column in columns],
        failed=[labels.get(name, name) for name in failed],
        shares=[_share(share) for share in shares] if isinstance(shares, list) else [],
        picture=_picture(row.get("image"), folder),
    )


def _cell(name: str, limit: object, row: Json, failed: list[str]) -> Cell:
    value = mapping(row.get("values")).get(name)
    verdict = "fail" if name in failed else "" if limit is None or value is None else "pass"
    return Cell(number(value), verdict, str(mapping(row.get("counts")).get(name) or ""))


def _share(share: object) -> tuple[float, str]:
    if not is_finite(share):
        return 0.0, number(None)
    return min(max(float(share), 0.0), 1.0), f"{100 * share:.1f} %"


def _picture(name: object, folder: Path) -> Picture | None:
    """The picture a row names, provided that it lies inside the run folder."""
    if not isinstance(name, str) or not name:
        return None
    path = (folder / name).resolve()
    return picture(path) if path.is_relative_to(folder.resolve()) else None
