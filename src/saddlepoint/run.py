"""A run is a folder that holds everything about one training and can continue itself."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from saddlepoint.errors import InputError, out_of_memory
from saddlepoint.paths import sync_folder, write_atomic
from saddlepoint.state import State

FORMAT = 1  # of what a run folder holds; raised when an older version could not read it


class Folder:
    """The files of a run. One process writes: `lock` refuses a second one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.evaluations = path / "evaluations.jsonl"
        self.health = path / "health.jsonl"
        self.summary = path / "summary.json"
        self.report = path / "report.html"
        self.checkpoints = path / "checkpoints"
        self.samples = path / "samples"
        self.weights = path / "weights"
        self.planes = path / "planes"
        self.panels = path / "panels"
        self.made = False  # by this process
        self._handle: Any = None

    # -- opening ------------------------------------------------------------------------------------

    @classmethod
    def existing(cls, path: Path) -> Folder:
        """The folder of a run that was begun, or a sentence."""
        folder = cls(path)
        if not folder.record.is_file():
            what = "is not a run: it has no run.json" if path.is_dir() else "does not exist"
            raise InputError(f"{path} {what}; give the --out folder of a training")
        return folder

    def admit(self, record: Mapping[str, Any]) -> None:
        """Refuse a place that is neither free nor the run of this record."""
        if self.record.is_file():
            self.check(record)
        elif self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path} is a file; --out takes a folder")
        elif self.path.exists() and not self.free():
            raise InputError(f"{self.path} is not empty and not a run; give --out a new folder")

    def free(self) -> bool:
        """Whether the folder is empty but for what `lock` and `begin` make before run.json."""
        lock = self.path / ".lock"
        made = {lock, self.path / "environment.json", self.checkpoints, self.samples, self.weights}
        if not lock.exists():
            return not any(self.path.iterdir())
        return all(path in made or path.match(".*.part") for path in self.path.rglob("*"))

    def begin(self, record: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        """Make the folder of a new run; run.json comes last, so that where it lies the rest is there."""
        for folder in (self.path, self.checkpoints, self.samples, self.weights):
            folder.mkdir(parents=True, exist_ok=True)
        write_json(self.path / "environment.json", environment)
        write_json(self.record, record)

    def lock(self) -> None:
        """Hold the folder for this process until it ends."""
        self.made = not self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        self._handle = open(self.path / ".lock", "a")  # noqa: SIM115 (held as long as the process trains)
        try:
            _lock(self._handle)
        except OSError as error:
            self._handle.close()
            sentence = f"another process is training in {self.path}; wait for it or give another --out"
            raise InputError(sentence) from error

    def unlock(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def tidy(self) -> None:
        """Remove what a killed process left half-written."""
        for part in self.path.rglob(".*.part"):
            part.unlink(missing_ok=True)

    def complete(self, step: int) -> bool:
        """Whether a run that ends at `step` has been written to its last file, the report."""
        if not (self.summary.is_file() and self.report.is_file()):
            return False
        summary = read_json(self.summary)
        return summary.get("status") == "finished" and summary.get("step") == step

    def discard(self) -> None:
        """Leave the place as it was before a run that came to nothing."""
        self.unlock()
        shutil.rmtree(self.path, ignore_errors=True)
        if not self.made:
            self.path.mkdir(exist_ok=True)

    # -- what was wanted ------------------------------------------------------------------------------

    def read(self) -> dict[str, Any]:
        """run.json, which has every entry that opening and continuing ask for."""
        record = read_json(self.record)
        if record.get("format", FORMAT) != FORMAT:
            raise InputError(
                f"{self.path} is a run of format {record['format']}, made by another version of Saddlepoint; this one reads "
                f"format {FORMAT}: use the version named in {self.path / 'environment.json'}"
            )
        needed = {"identity": dict, "data": dict, "method": str, "networks": str, "seed": int, "threads": int}
        for name, kind in needed.items():
            if not isinstance(record.get(name), kind):
                raise InputError(
                    f"{self.path} is not a run: {self.record.name} has no {name} as a training writes it"
                )
        return record

    def check(self, record: Mapping[str, Any]) -> None:
        """Refuse to continue a run as another one, printing the difference."""
        before, now = self.read(), record["identity"]
        different = [name for name in now if before["identity"].get(name) != now[name]]
        if different:
            changes = "; ".join(f"{n} was {_short(_said(before, n), _said(record, n))}" for n in different)
            raise InputError(
                f"{self.path} holds another run: {changes}; give another --out, or the same settings"
            )

    # -- lines ----------------------------------------------------------------------------------------

    def truncate(self, step: int) -> None:
        """Drop what was logged and pictured after `step`, and a half-written last line."""
        for path in (self.metrics, self.evaluations, self.health):
            if path.is_file():
                keep = sum(size for size, row in _lines(path) if row["step"] <= step)
                if keep != path.stat().st_size:
                    os.truncate(path, keep)
        for picture in (*self.samples.glob("*.png"), *self.planes.glob("*.png")):
            if picture.stem.isdecimal() and int(picture.stem) > step:
                picture.unlink()

    def append(self, path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add lines and force them to disk."""
        first = not path.exists()
        try:
            with open(path, "a") as file:
                file.write("".join(json.dumps(row) + "\n" for row in rows))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            error.filename = str(path)
            raise
        if first:
            sync_folder(path.parent)

    def rows(self, path: Path) -> list[dict[str, Any]]:
        return [row for _, row in _lines(path)] if path.is_file() else []

    # -- checkpoints ------------------------------------------------------------------------------------

    def save(
        self, state: State, extra: Mapping[str, Any], keep: int, best: Mapping[str, Any] | None = None
    ) -> None:
        """Write the state beside, sync, rename; keep the last `keep` checkpoints. `best` is the score of a state
        that is the best so far: it is kept a second time, the score beside it. That comes first, since the
        numbered checkpoint knows of it."""
        buffer = io.BytesIO()
        torch.save({"state": state._asdict(), "extra": dict(extra)}, buffer)
        if best is not None:
            write_atomic(self.checkpoints / "best.pt", buffer.getvalue())
            write_json(self.checkpoints / "best.json", best)
        write_atomic(self.checkpoints / f"{state.clock['step']:09d}.pt", buffer.getvalue())
        for old in self.saved()[:-keep]:
            old.unlink()

    def saved(self) -> list[Path]:
        """Checkpoints, oldest first."""
        return sorted(self.checkpoints.glob("[0-9]*.pt"))

    def load(self, path: Path, device: torch.device) -> tuple[State, dict[str, Any]]:
        """A state from a checkpoint. Nothing is unpickled but plain containers of tensors."""
        stored = io.BytesIO(path.read_bytes())
        try:
            if flipped := zipfile.ZipFile(
                stored
            ).testzip():  # the reader of torch does not look at the checksums
                raise ValueError(f"the checksum of {flipped} is wrong")
            stored.seek(0)
            content = torch.load(stored, map_location=device, weights_only=True)
            return State(**content["state"]), content["extra"]
        except Exception as error:  # a damaged file makes the reader raise anything
            if out_of_memory(error):
                raise
            older = [p.name for p in self.saved() if p.name < path.name]
            instead = f"delete it to go on from {older[-1]}" if older else "no older one is left"
            raise InputError(f"the checkpoint {path} is damaged and cannot be read; {instead}") from error

    def last(self) -> Path | None:
        saved = self.saved()
        return saved[-1] if saved else None


def _lock(handle: Any) -> None:
    if os.name == "posix":
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(bytes, row) of each whole line; a cut last line ends the file."""
    with open(path, "rb") as file:
        for line in file:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if not isinstance(row, dict):
                return
            yield len(line), row


def _said(record: Mapping[str, Any], name: str) -> Any:
    """An entry of the identity; of the data, where two hashes say little, what they were called too."""
    value = record["identity"].get(name)
    return f"{record['data'].get('spec')} {value}" if name == "data" else value


def _short(before: Any, after: Any) -> str:
    """Both values where they differ, shortened to the neighbourhood of the first difference."""
    a, b = str(before), str(after)
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    lo = max(0, start - 40)
    cut = lambda text: ("…" if lo else "") + text[lo : start + 60] + ("…" if len(text) > start + 60 else "")  # noqa: E731
    return f"{cut(a)!r} and is now {cut(b)!r}"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    write_atomic(path, (json.dumps(value, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} does not hold a JSON object")
    return value


def write_weights(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Safetensors: names and numbers only, no time stamps, so equal weights are equal files."""
    from safetensors.torch import save

    write_atomic(path, save({name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}))


def log_lines(
    pending: Sequence[tuple[dict[str, Any], Mapping[str, torch.Tensor]]], seconds: float
) -> list[dict[str, Any]]:
    """Lines of the log: one transfer from the device a name, not one a step."""
    names = sorted({name for _, info in pending for name in info})
    columns = {
        name: dict(
            zip(
                (i for i, (_, info) in enumerate(pending) if name in info),
                torch.stack([info[name].float().mean() for _, info in pending if name in info]).tolist(),
                strict=True,
            )
        )
        for name in names
    }
    return [
        {
            **{n: v for n, v in clock.items() if n != "rows"},
            "seconds": round(seconds, 4),
            **{name: column[i] for name, column in columns.items() if i in column},
        }
        for i, (clock, _) in enumerate(pending)
    ]
