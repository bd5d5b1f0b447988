"""How a run is carried out, as opposed to what it computes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from saddlepoint.errors import InputError

if TYPE_CHECKING:
    import torch

LEAST = 4  # samples in an evaluation: precision and recall look at the third nearest neighbour


@dataclass(frozen=True)
class Settings:
    """Everything beside method, data, networks and budget."""

    seed: int = 0
    """All randomness derives from it."""
    batch_size: int | None = None
    """Rows of a batch, over all processes and micro-batches; by default the method's own."""
    device: str = "cpu"
    """cpu, cuda or mps."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """bf16: network calls under autocast, everything else in float32."""
    compile: bool = False
    """Whole steps as one graph. Takes seconds to minutes to build; pays for small networks and long runs."""
    chunk: int = 4
    """Steps in one compiled graph; checkpoints lie on multiples of it."""
    accumulate: int = 1
    """Micro-batches whose gradients are averaged: less memory, the same gradients."""
    channels_last: bool | None = None
    """Memory format of images; by default on for images."""
    threads: int | None = None
    """CPU threads; part of the run's identity, since sums differ in the last bit."""
    log_every: int = 1
    """Steps from one line of metrics.jsonl to the next."""
    pictures: int = 20
    """Sample grids over the run."""
    looks: int = 20
    """Looks at the health of the run, at least 500 steps apart, besides those of the beginning and the end;
    0 for none."""
    stop_when_sick: bool = False
    """Stop at a severe finding of these looks; the same command goes on."""
    evaluations: int = 5
    """Evaluations over the run, besides the one of the untrained generator."""
    evaluation_samples: int = 2000
    """Generated samples in an evaluation."""
    checkpoint_steps: int | None = None
    """Steps from one checkpoint to the next, besides those that time asks for."""
    checkpoint_seconds: float = 60.0
    """Seconds from one checkpoint to the next, at the latest."""
    keep: int = 2
    """Last checkpoints that are kept, besides the best."""
    trackers: tuple[str, ...] = ()
    """Where to log besides the run folder: tensorboard, wandb, mlflow, trackio."""

    def __post_init__(self) -> None:
        whole = (
            "batch_size",
            "chunk",
            "accumulate",
            "threads",
            "log_every",
            "evaluation_samples",
            "checkpoint_steps",
        )
        for name in (*whole, "keep"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(
                    f"{name.replace('_', '-')} {value} is not possible: give a whole number of at least 1"
                )
        for name in ("pictures", "looks", "evaluations", "checkpoint_seconds", "seed"):
            if not getattr(self, name) >= 0:  # nan is neither
                raise InputError(
                    f"{name.replace('_', '-')} {getattr(self, name)} is not possible: give at least 0"
                )
        if self.evaluation_samples < LEAST:
            raise InputError(
                f"evaluation-samples {self.evaluation_samples} is not possible: scores compare at least {LEAST} samples"
            )

    def place(self) -> torch.device:
        """The device, or a sentence if this machine has none such."""
        import torch

        kind, _, index = self.device.partition(":")
        there: dict[str, Callable[[], bool]] = {
            "cpu": lambda: True,
            "cuda": torch.cuda.is_available,
            "mps": torch.backends.mps.is_available,
        }
        if kind not in there:
            raise InputError(f"unknown device {self.device!r}: accepted are cpu, cuda and mps")
        if not there[kind]():
            others = [name for name, test in there.items() if test()]
            raise InputError(
                f"there is no {kind} device on this machine: accepted here are {', '.join(others)}"
            )
        count = torch.cuda.device_count() if kind == "cuda" else 1
        if index and not (index.isdecimal() and int(index) < count):
            raise InputError(
                f"unknown device {self.device!r}: this machine has {count} of {kind}, counted from 0"
            )
        return torch.device(self.device)
