"""The book of results in docs/results, five seeds each, about three hours on two cores; goes on where it stopped.

python evidence/book.py            measure what is missing, write the pages and the front in README.md
python evidence/book.py --pages    write the pages and the front from what is stored
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tables import insert, markdown

from saddlepoint import experiments
from saddlepoint.experiments.book import Book, missing
from saddlepoint.experiments.pages import HEAD, lines, write
from saddlepoint.experiments.work import work

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "docs" / "results"
FRONT = {
    "E01": ("μ*, KL: exact", "σ*, reverse KL: exact"),
    "E02": ("largest Re λ: R1 of .3",),
    "E05": (
        "GAN, grid: modes found",
        "PacGAN-4, grid: modes found",
        "PacGAN-4, grid: KL(modes ‖ uniform), nats",
    ),
    "E08": ("bound, λ = 1",),
    "E13": ("K = 0, ring: modes found", "K = 5, ring: modes found"),
    "E18": ("error, 100 labels, with the generator",),
    "E28": ("separation a from which JS takes one mode",),
}  # id → lines of its table


def front(book: Book) -> str:
    """A few lines of the book, and how many acceptances are met."""
    known = [experiments.get(id) for id in experiments.names()]
    judged = [one for experiment in known for one in book.verdict(experiment)[1]]
    shown = []
    for id, wanted in FRONT.items():
        experiment = experiments.get(id)
        table = {line[0]: line for line in lines(experiment, book.results(experiment))}
        link = f"[{id} {experiment.title}](docs/results/README.md#{id.lower()})"
        shown += [(link, *table[what]) for what in wanted if what in table]
    met = sum(one.met for one in judged)
    count = sum(bool(book.verdict(experiment)[1]) for experiment in known)
    said = (
        f"**{met} of {len(judged)} acceptances of {count} experiments are met**; those that are not stand first in "
        "[the book](docs/results/README.md), with what was tried. [V] read in the authors' repository or figure, [S] quoted "
        "in a second text, [M] from memory."
    )
    return f"{markdown(('experiment', *HEAD), shown)}\n\n{said}"


def main() -> None:
    book = Book.at(BOOK, quick=False)
    chosen = [experiments.get(id) for id in experiments.names()]
    without = missing(chosen)
    if "--pages" not in sys.argv[1:]:
        possible = [experiment for experiment in chosen if experiment.id not in without]
        jobs = list(book.jobs(possible, None))
        work(
            book,
            jobs,
            os.cpu_count() or 1,
            lambda job, trial: print(job.id, job.part, job.seed, trial.seconds),
        )
    write(book, without)
    insert(ROOT / "README.md", "book", front(book))


if __name__ == "__main__":
    main()
