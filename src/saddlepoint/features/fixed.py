"""Extractors without training: the numbers themselves, pixels, principal components, random convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.features.extractor import batched, content_hash, images
from saddlepoint.random import generator

WIDTHS = (32, 64, 128)  # channels of the random convolutions


@dataclass(frozen=True)
class Identity:
    """The numbers themselves, flattened: right for vectors of few coordinates."""

    @property
    def name(self) -> str:
        return "identity"

    @property
    def hash(self) -> str:
        return content_hash({})

    def __call__(self, samples: Tensor) -> Tensor:
        return samples.detach().flatten(1).float().cpu()


@dataclass(frozen=True)
class Pixels:
    """Brightness of every pixel and channel, (x + 1)/2 in [0, 1], flattened."""

    @property
    def name(self) -> str:
        return "pixels"

    @property
    def hash(self) -> str:
        return content_hash({"scale": torch.tensor(0.5)})

    def __call__(self, samples: Tensor) -> Tensor:
        return batched(lambda block: (block.flatten(1) + 1) / 2, images(samples, self.name))


@dataclass(frozen=True, eq=False)
class PCA:
    """Projection (x − mean) @ basis on the directions of largest variance; float32 mean [d], basis [d, k]."""

    mean: Tensor
    basis: Tensor

    @classmethod
    def fit(cls, samples: Tensor, components: int = 64) -> PCA:
        """Principal components of samples [n, …], at most n − 1 and at most the width of them."""
        from sklearn.decomposition import PCA as Decomposition

        rows = Identity()(samples).double().numpy()
        if len(rows) < 2:
            raise InputError(f"principal components need at least 2 samples and there are {len(rows)}.")
        solver = "covariance_eigh" if len(rows) > rows.shape[1] else "full"
        kept = min(components, len(rows) - 1, rows.shape[1])
        fitted = Decomposition(n_components=kept, svd_solver=solver).fit(rows)
        return cls(
            torch.tensor(fitted.mean_).float(), torch.tensor(fitted.components_.T).float().contiguous()
        )

    @property
    def name(self) -> str:
        return f"pca-{self.basis.shape[1]}"

    @property
    def hash(self) -> str:
        return content_hash({"mean": self.mean, "basis": self.basis})

    def __call__(self, samples: Tensor) -> Tensor:
        return batched(lambda block: (block.flatten(1) - self.mean) @ self.basis, samples)


@dataclass(frozen=True)
class RandomConvolution:
    """Three 3x3 convolutions with weights N(0, 2/fan-in) that the seed fixes, ReLU after each, halving between them
    while more than 4 pixels are left, then means over the four quarters of the image: [n, 4·128].

    Nothing is learnt, so that no data set is favoured; what is compared are textures and where they are.
    """

    channels: int
    seed: int = 0

    @property
    def name(self) -> str:
        return "random-convolution"

    @property
    def hash(self) -> str:
        return content_hash({str(place): weight for place, weight in enumerate(self.weights)})

    @cached_property
    def weights(self) -> tuple[Tensor, ...]:
        source, made, before = generator("cpu", "random convolution", self.seed), [], self.channels
        for wide in WIDTHS:
            made.append(torch.randn(wide, before, 3, 3, generator=source) * (2 / (9 * before)) ** 0.5)
            before = wide
        return tuple(made)

    def __call__(self, samples: Tensor) -> Tensor:
        if images(samples, self.name).shape[1] != self.channels:
            raise InputError(
                f"{self.name} is of {self.channels} channels, and samples have {samples.shape[1]}."
            )
        return batched(self._features, samples)

    def _features(self, block: Tensor) -> Tensor:
        for weight in self.weights:
            block = functional.conv2d(block, weight, padding=1).relu()
            if weight is not self.weights[-1] and min(block.shape[2:]) > 4:
                block = functional.avg_pool2d(block, 2)
        return functional.adaptive_avg_pool2d(block, 2).flatten(1)
