"""Extractors: what turns samples into the features that metrics compare, each with a name and a hash.

A score depends on its extractor as much as on the samples, so the hash covers every number that the features
depend on. There is no Inception network here, and no distance made with these features is an FID.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.paths import cache_folder, write_atomic
from saddlepoint.random import generator, key

if TYPE_CHECKING:
    from saddlepoint.data.protocol import Data

log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]  # called with (examples seen, examples in all)

RECIPE = 1  # part of the cache key: raise it when a change below changes the trained weights
BATCH = 64  # training
BLOCK = 512  # extraction
FEATURES = 64
WIDTH = 16
LARGEST = 32  # pixels; larger images are averaged down first
RATE = 2e-3
QUICK_EXAMPLES = 20_000


class Extractor(Protocol):
    """Features of samples: [n, *shape] (images in [−1, 1]) -> float32 [n, d], whatever the batching."""

    @property
    def name(self) -> str: ...
    @property
    def hash(self) -> str: ...
    def __call__(self, samples: Tensor) -> Tensor: ...


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
        return _batched(lambda block: (block.flatten(1) - self.mean) @ self.basis, samples)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A small network trained on the labels of a data set's training rows.

    Called, it gives its penultimate features [n, 64]; `probabilities` gives p(y|x) [n, classes]. `accuracy`
    is that on held-out rows. Images over 32 pixels are averaged down first: finer detail is not seen.
    """

    name: str
    hash: str
    accuracy: float
    network: nn.Sequential  # body, head

    def __call__(self, samples: Tensor) -> Tensor:
        return _batched(self.network[0], samples)

    def probabilities(self, samples: Tensor) -> Tensor:
        return _batched(lambda block: self.network(block).softmax(1), samples)


def classifier(data: Data, seed: int = 0, progress: Progress | None = None) -> Classifier:
    """The classifier of a labelled data set: read from the cache, or trained and written there.

    The key is the identity of the data, the seed and the recipe. A file in the cache that does not hold what
    its own hash says is trained anew; where the cache cannot be written, the log says so and nothing is kept.
    """
    if not data.classes:
        raise InputError(f"{data.name} has no labels to train a classifier on; PCA or Identity need none.")
    name = f"{data.name}-{'cnn' if len(data.shape) == 3 else 'mlp'}"
    path = _path(data, name, seed)
    found = _read(path, name, data)
    if found:
        return found
    trained = _train(data, name, seed, progress)
    try:
        _write(path, trained)
    except OSError as error:
        log.warning("the classifier of %s is not kept for next time: %s", data.name, error)
    return trained


def default_extractor(data: Data, seed: int = 0, progress: Progress | None = None) -> Extractor:
    """Identity for vectors, the classifier for labelled images, 64 principal components for other images."""
    if len(data.shape) == 1:
        return Identity()
    if data.classes:
        return classifier(data, seed, progress)
    return PCA.fit(data.training(_affordable(data.shape), seed)["real"])


def _affordable(shape: tuple[int, ...]) -> int:
    """Rows to hold at once: 10,000, or fewer where those pass 256 MiB."""
    return max(2, min(10_000, (1 << 26) // torch.Size(shape).numel()))


def content_hash(tensors: Mapping[str, Tensor]) -> str:
    """sha256 over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.numpy().tobytes())
    return "sha256:" + digest.hexdigest()


def _batched(function: Callable[[Tensor], Tensor], samples: Tensor) -> Tensor:
    """The function over blocks of rows in order, without gradients, in float32 on the CPU."""
    if not len(samples):
        raise InputError("an extractor was given 0 samples; it needs at least 1.")
    with torch.no_grad():
        return torch.cat([function(block.detach().float().cpu()) for block in torch.split(samples, BLOCK)])


def _network(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Body (features) and head (logits), initialised from torch's own generator."""
    body = _image_body(shape) if len(shape) == 3 else _vector_body(shape)
    return nn.Sequential(body, nn.Linear(FEATURES, classes))


def _vector_body(shape: tuple[int, ...]) -> nn.Sequential:
    width = torch.Size(shape).numel()
    hidden = (nn.Linear(width, FEATURES), nn.ReLU(), nn.Linear(FEATURES, FEATURES), nn.ReLU())
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(width), *hidden)


def _image_body(shape: tuple[int, ...]) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU and halving until 4 pixels are left on the shorter side."""
    channels, height, width = shape[0], min(shape[1], LARGEST), min(shape[2], LARGEST)
    layers: list[nn.Module] = [nn.AdaptiveAvgPool2d((height, width))]
    wide = WIDTH
    while min(height, width) > 4:
        layers += [*_convolution(channels, wide), nn.MaxPool2d(2)]
        channels, wide, height, width = wide, 2 * wide, height // 2, width // 2
    layers += [
        *_convolution(channels, wide),
        nn.Flatten(),
        nn.Linear(wide * height * width, FEATURES),
        nn.ReLU(),
    ]
    return nn.Sequential(*layers)


def _convolution(channels: int, wide: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()


def _train(data: Data, name: str, seed: int, progress: Progress | None) -> Classifier:
    """AdamW with a one-cycle learning rate on cross entropy; images shifted by up to a twelfth of the side.

    60,000 to 150,000 examples, four passes where the size lies between. No label smoothing: the
    entropy of p(y|x) on real images is itself a measurement.
    """
    examples = min(max(60_000, 4 * (data.size or 0)), 150_000)
    network = _fresh(data.shape, len(data.classes), seed)

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = data.rows(seed, step * BATCH, BATCH)
        return rows["real"], rows["label"]

    _fit(network, batch, examples // BATCH, generator("cpu", "shift", seed), progress)
    return Classifier(name, content_hash(network.state_dict()), _accuracy(network, data, seed), network)


def quick_classifier(
    *, samples: Tensor, labels: Tensor, classes: int, seed: int = 0, progress: Progress | None = None
) -> Callable[[Tensor], Tensor]:
    """p(y|x) of the same network trained by the same recipe on these rows alone: samples [n, *shape], labels int64 [n],
    20,000 examples whatever n. Nothing is cached."""
    network, source = _fresh(tuple(samples.shape[1:]), classes, seed), generator("cpu", "quick rows", seed)
    steps = QUICK_EXAMPLES // BATCH
    rounds = -(-QUICK_EXAMPLES // len(samples))
    order = torch.cat([torch.randperm(len(samples), generator=source) for _ in range(rounds)])

    def batch(step: int) -> tuple[Tensor, Tensor]:
        rows = order[step * BATCH : (step + 1) * BATCH]
        return samples[rows], labels[rows]

    _fit(network, batch, steps, generator("cpu", "shift", seed), progress)
    return lambda rows: _batched(lambda block: network(block).softmax(1), rows)


def _fresh(shape: tuple[int, ...], classes: int, seed: int) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key("classifier", seed))
        return _network(shape, classes)


def _fit(
    network: nn.Sequential,
    batch: Callable[[int], tuple[Tensor, Tensor]],
    steps: int,
    shifts: torch.Generator,
    progress: Progress | None,
) -> None:
    """The network trained on (samples, labels) of every step, and left in its evaluating state."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(steps):
        samples, labels = batch(step)
        loss = functional.cross_entropy(network(_shifted(samples, shifts)), labels)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if progress:
            progress((step + 1) * BATCH, steps * BATCH)
    network.eval().requires_grad_(False)


def _shifted(images: Tensor, shifts: torch.Generator) -> Tensor:
    """Each image moved by its own whole number of pixels, black coming in; vectors as they are."""
    if images.dim() < 4:
        return images
    count, channels, height, width = images.shape
    reach = max(1, min(height, width) // 12)
    padded = functional.pad(images, (reach,) * 4, value=-1.0)
    down, right = torch.randint(0, 2 * reach + 1, (2, count, 1), generator=shifts)
    row, column = down + torch.arange(height), right + torch.arange(width)
    image, channel = torch.arange(count)[:, None, None, None], torch.arange(channels)[None, :, None, None]
    return padded[image, channel, row[:, None, :, None], column[:, None, None, :]]


def _accuracy(network: nn.Sequential, data: Data, seed: int) -> float:
    rows = data.held_out(_affordable(data.shape), seed)
    guessed = _batched(lambda block: network(block).argmax(1), rows["real"])
    return float((guessed == rows["label"]).double().mean())


def _path(data: Data, name: str, seed: int) -> Path:
    made_of = repr((RECIPE, data.identity, data.shape, data.classes, seed))
    digest = hashlib.sha256(made_of.encode()).hexdigest()
    return (
        cache_folder() / "classifiers" / f"{re.sub(r'[^A-Za-z0-9-]+', '_', name)}-{digest[:16]}.safetensors"
    )


def _write(path: Path, trained: Classifier) -> None:
    from safetensors.torch import save

    record = {"name": trained.name, "hash": trained.hash, "accuracy": trained.accuracy}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, save(trained.network.state_dict(), metadata={"classifier": json.dumps(record)}))


def _read(path: Path, name: str, data: Data) -> Classifier | None:
    """The classifier in the file, or None when there is none or it is not whole."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            record = json.loads((file.metadata() or {})["classifier"])
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        with torch.random.fork_rng(devices=[]):
            network = _network(data.shape, len(data.classes))
        network.load_state_dict(weights)
        accuracy = float(record["accuracy"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError):
        return None
    if record["hash"] != content_hash(weights):
        return None
    network.eval().requires_grad_(False)
    return Classifier(name, record["hash"], accuracy, network)
