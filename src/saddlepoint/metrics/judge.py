"""A small network that learns to tell rows apart: the family F of neural-network distances, the classifier of NRDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from saddlepoint.random import generator, key

Losses = Callable[[nn.Module, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Judge:
    """Two hidden layers of SiLU and one score, after standardising by the real rows; Adam with decoupled weight decay, the
    rate falling to 0. An epoch is a pass over the larger side, and at least `least` batches: few rows are seen often."""

    width: int = 64
    epochs: int = 30
    least: int = 16
    batch: int = 64
    rate: float = 2e-3
    decay: float = 1e-4

    def trained(
        self, real: Tensor, fake: Tensor, loss: Losses, seed: int
    ) -> Iterator[Callable[[Tensor], Tensor]]:
        """The score function after every epoch; `loss(network, reals, fakes)` is minimised over equally many batches
        of both sides. One object is yielded again and again, and moves on when asked for the next."""
        network = self._network(real, seed)
        optimiser = torch.optim.AdamW(network.parameters(), lr=self.rate, weight_decay=self.decay)
        source = generator("cpu", "judge", seed)
        steps = max(self.least, -(-max(len(real), len(fake)) // self.batch))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, self.epochs * steps)
        for _ in range(self.epochs):
            sides = [_batches(rows, steps, self.batch, source) for rows in (real, fake)]
            for reals, fakes in zip(*sides, strict=True):
                optimiser.zero_grad()
                torch.autograd.backward(loss(network, reals, fakes))
                optimiser.step()
                schedule.step()
            yield lambda rows: _scores(network, rows)

    def _network(self, real: Tensor, seed: int) -> nn.Module:
        width = real.shape[1]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(key("judge", seed))
            layers = nn.Linear(width, self.width), nn.SiLU(), nn.Linear(self.width, self.width), nn.SiLU()
            return nn.Sequential(Standardised(real), *layers, nn.Linear(self.width, 1), nn.Flatten(0))


class Standardised(nn.Module):
    """(rows − mean)/standard deviation of the rows given; numbers that never change are only centred."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        spread = rows.std(0)
        self.mean, self.spread = rows.mean(0), torch.where(spread > 1e-6 * spread.max(), spread, 1.0)

    def forward(self, rows: Tensor) -> Tensor:
        return (rows - self.mean) / self.spread


def _batches(rows: Tensor, count: int, most: int, source: torch.Generator) -> Iterator[Tensor]:
    """`count` parts of at most `most` rows, from as many permutations as fill them all."""
    rounds = max(1, count * min(most, len(rows)) // len(rows))
    order = torch.cat([torch.randperm(len(rows), generator=source) for _ in range(rounds)])
    return iter(rows[order].tensor_split(count))


@torch.no_grad()
def _scores(network: nn.Module, rows: Tensor) -> Tensor:
    return network(rows)
