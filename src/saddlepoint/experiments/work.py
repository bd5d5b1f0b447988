"""Carrying out what a book lacks: one process for each job, one thread in each, stored as each ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from saddlepoint.experiments.book import Book, Job, carry_out
from saddlepoint.experiments.experiment import Trial

Told = Callable[[Job, Trial], None]


def work(book: Book, jobs: Sequence[Job], processes: int, told: Told) -> None:
    """Every job of the list, the long ones first; `told` after each is stored. An interruption loses the jobs in hand
    and nothing else."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes that are made from here
    ordered = sorted(jobs, key=lambda job: -job.minutes)
    if not ordered:
        return
    pool = ProcessPoolExecutor(min(processes, len(ordered)), mp_context=get_context("spawn"))
    try:
        begun = {pool.submit(carry_out, job, book.quick): job for job in ordered}
        for future in as_completed(begun):
            job, trial = begun[future], future.result()
            book.add(job.id, trial)
            told(job, trial)
    except BaseException:
        for process in list(getattr(pool, "_processes", {}).values()):
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
