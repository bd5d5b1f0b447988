"""What surrounds a training: signals, threads, determinism, and the sentence for a full memory."""

from __future__ import annotations

import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch

from saddlepoint.errors import InputError, out_of_memory
from saddlepoint.plan import Plan
from saddlepoint.run import Folder


class Stoppable(Protocol):
    stop: bool
    message: str


def peak_memory(device: torch.device) -> int:
    """Bytes: of the device for CUDA, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count what the process that started this one had in memory
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) * 1024
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@contextmanager
def signals(training: Stoppable) -> Iterator[None]:
    """SIGINT and SIGTERM finish the step, save and end the run; a second SIGINT ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        training.stop, training.message = True, f"stopped by {signal.Signals(number).name}"
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def threads_of(plan: Plan, folder: Folder) -> Iterator[int]:
    """The run's number of CPU threads: what is asked for, else what the run began with, else torch's own."""
    before = torch.get_num_threads()
    recorded = folder.read()["threads"] if folder.record.is_file() else before
    threads = plan.settings.threads or recorded
    torch.set_num_threads(threads)
    try:
        yield threads
    finally:
        torch.set_num_threads(before)


@contextmanager
def deterministic() -> Iterator[None]:
    """Same seed, same bits: no kernels chosen by timing, none that add in any order."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


@contextmanager
def memory_errors(plan: Plan) -> Iterator[None]:
    """Out of memory, in one sentence with what to lower."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        raise InputError(
            f"out of memory at batch size {plan.rows} on {plan.settings.device}: lower --batch-size or the networks' "
            "width, raise --accumulate, or take --precision bf16"
        ) from error
