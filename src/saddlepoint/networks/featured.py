"""Layers that also return what the last linear one sees."""

from __future__ import annotations

from torch import Tensor, nn


class Featured(nn.Sequential):
    """The same layers and names as `nn.Sequential`; returns {"score": the output, "features": [n, numbers]}, the input of the
    last linear layer."""

    def forward(self, point: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
        last = max(i for i, layer in enumerate(self) if isinstance(layer, nn.Linear))
        features = point
        for index, layer in enumerate(self):
            if index == last:
                features = point.flatten(1)
            point = layer(point)
        return {"score": point, "features": features}
