"""Virtual batch normalisation: statistics of a batch that is chosen once, so that samples do not see each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.networks.shapes import require
from saddlepoint.networks.wrapping import Wrapping


class Referenced(nn.Module):
    """A module that keeps a batch to compare with, the buffer `reference`. The game fills it before the first step with
    what the module sees of a batch of data; until then every batch is its own reference."""

    reference: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("reference", torch.zeros(0))
        self.seen: list[Tensor] | None = None  # a list while the game looks at what comes in

    def beside(self, rows: Tensor) -> Tensor:
        """The rows to compare with."""
        if self.seen is not None:
            self.seen.append(rows)
        return self.reference if self.reference.numel() else rows

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *more: Any) -> None:
        """A reference may have any number of rows."""
        self.reference = state_dict.get(f"{prefix}reference", self.reference).clone()
        super()._load_from_state_dict(state_dict, prefix, *more)  # type: ignore[arg-type]


class VirtualBatchNorm(nn.Module):
    """(x − μ)/σ · gain + bias for each sample, μ = (μ_x + B μ_R)/(B + 1) and σ² = ε + (m_x + B m_R)/(B + 1) − μ², μ_x and
    m_x the means of x and x² over the places of the sample itself, μ_R and m_R those of the B reference rows (Salimans et
    al. 2016, section 3.7, as in the authors' code). Reference rows are normalised by their own statistics."""

    def __init__(self, maps: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(maps)), nn.Parameter(torch.zeros(maps))

    def forward(self, reference: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """[B, maps, …] and [n, maps, …], both normalised."""
        count = len(reference)
        mean, square = (self._per_row(x).mean(0, keepdim=True) for x in (reference, reference.square()))
        own, own_square = self._per_row(rows), self._per_row(rows.square())
        share = 1 / (count + 1)
        mixed = share * own + (1 - share) * mean, share * own_square + (1 - share) * square
        return self._normal(reference, mean, square), self._normal(rows, *mixed)

    def _per_row(self, rows: Tensor) -> Tensor:
        return rows.mean(tuple(range(2, rows.dim())), keepdim=True) if rows.dim() > 2 else rows

    def _normal(self, rows: Tensor, mean: Tensor, square: Tensor) -> Tensor:
        places = [1, -1, *[1] * (rows.dim() - 2)]
        deviation = (self.eps + (square - mean.square()).clamp(min=0)).sqrt()
        return (rows - mean) / deviation * self.weight.view(places) + self.bias.view(places)


class Virtual(Referenced):
    """Layers one after the other, each taken by the reference rows too: two forward passes."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, rows: Tensor) -> Tensor:
        reference = self.beside(rows)
        for layer in self.layers:
            if isinstance(layer, VirtualBatchNorm):
                reference, rows = layer(reference, rows)
            else:
                reference, rows = layer(reference), layer(rows)
        return rows


@dataclass(frozen=True)
class VirtuallyNormalised(Wrapping):
    """Virtual batch normalisation after every hidden linear layer of the base's discriminator but the first, for pairs
    without normalisation such as `MLP`; `DCGAN(discriminator_norm="virtual")` has it of its own."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        made = self.built(self.inner(), shape, latent, classes)
        judge = made["discriminator"]
        require(
            isinstance(judge, nn.Sequential) and sum(isinstance(layer, nn.Linear) for layer in judge) >= 3,
            f"VirtuallyNormalised needs a discriminator of at least 3 linear layers in a row, such as MLP(), not that of "
            f"{self.base}.",
        )
        return {**made, "discriminator": _normalised(judge)}  # type: ignore[arg-type]


def _normalised(judge: nn.Sequential) -> nn.Sequential:
    linear = [index for index, layer in enumerate(judge) if isinstance(layer, nn.Linear)]
    before: list[nn.Module] = []
    for index, layer in enumerate(judge):
        if index == linear[-1]:
            break
        before.append(layer)
        if index in linear[1:] and isinstance(layer, nn.Linear):
            before.append(VirtualBatchNorm(layer.out_features))
    return type(judge)(Virtual(*before), *list(judge)[linear[-1] :])
