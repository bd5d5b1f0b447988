"""What one of several processes finds, started by torchrun: derivatives and trajectory of every case, rank 0 writes them."""

from __future__ import annotations

import sys

import torch
from games import CASES, CPU, Played, derivatives, trajectory

from saddlepoint.parallel import Processes


def main(path: str) -> None:
    torch.set_num_threads(1)
    processes, found = Processes(CPU), {}
    for name, case in CASES.items():
        played = Played(case.plan(), processes)
        found[name] = {"derivatives": derivatives(played.game, played.state, played.batch())}
        found[name]["trajectory"] = trajectory(played)
    if processes.writer:
        torch.save(found, path)
    processes.close()


if __name__ == "__main__":
    main(sys.argv[1])
