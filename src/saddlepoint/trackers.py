"""Thin adapters to experiment trackers. The run folder is the source of truth; trackers get copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from saddlepoint.errors import InputError, nearest

Log = Callable[[int, dict[str, float]], None]
Row = Mapping[str, Any]
NAMES = ("tensorboard", "wandb", "mlflow", "trackio")


def check(names: Iterable[str]) -> None:
    """Refuse trackers that are unknown or not installed."""
    for name in names:
        if name not in NAMES:
            raise InputError(f"unknown tracker {name!r}: {nearest(name, NAMES)}")
        if find_spec(name) is None:
            raise InputError(f"the tracker {name} is not installed: install saddlepoint[{name}]")


class Trackers:
    """The trackers of a run, by name."""

    def __init__(self, names: Iterable[str], folder: Path, record: Row) -> None:
        opened = [_open(name, folder, record) for name in names]
        self._logs, self._closes = [log for log, _ in opened], [close for _, close in opened]

    def log(self, rows: Iterable[Row]) -> None:
        for row in rows if self._logs else ():
            numbers = {n: float(v) for n, v in row.items() if n != "step" and isinstance(v, (int, float))}
            for log in self._logs:
                log(row["step"], numbers)

    def close(self) -> None:
        for close in self._closes:
            close()


def _open(name: str, folder: Path, record: Row) -> tuple[Log, Callable[[], Any]]:
    makers = {"tensorboard": _tensorboard, "wandb": _wandb, "mlflow": _mlflow, "trackio": _trackio}
    return makers[name](folder, record)


def _tensorboard(folder: Path, record: Row) -> tuple[Log, Callable[[], Any]]:
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder / "tensorboard"))

    def log(step: int, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            writer.add_scalar(name, value, step)

    return log, writer.close


def _wandb(folder: Path, record: Row) -> tuple[Log, Callable[[], Any]]:
    import wandb

    run = wandb.init(
        project="saddlepoint", name=folder.name, config=dict(record), resume="allow", id=folder.name
    )
    return lambda step, numbers: run.log(numbers, step=step), run.finish


def _trackio(folder: Path, record: Row) -> tuple[Log, Callable[[], Any]]:
    import trackio

    trackio.init(project="saddlepoint", name=folder.name, config=dict(record))
    return lambda step, numbers: trackio.log({"step": step, **numbers}), trackio.finish


def _mlflow(folder: Path, record: Row) -> tuple[Log, Callable[[], Any]]:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{(folder / 'mlflow.db').absolute()}")
    mlflow.start_run(run_name=folder.name)
    mlflow.log_params({name: str(value)[:500] for name, value in record.items()})
    return lambda step, numbers: mlflow.log_metrics(numbers, step=step), mlflow.end_run
