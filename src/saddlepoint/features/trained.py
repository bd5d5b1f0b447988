"""The classifier of a labelled data set: trained on its training rows, kept in the cache."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from saddlepoint.errors import InputError
from saddlepoint.features.extractor import Progress, affordable, batched, content_hash
from saddlepoint.paths import cache_folder, write_atomic
from saddlepoint.random import generator, key

if TYPE_CHECKING:
    from saddlepoint.data.protocol import Data

log = logging.getLogger(__name__)

RECIPE = 1  # part of the cache key: raise it when a change below changes the trained weights
BATCH = 64  # training
FEATURES = 64
WIDTH = 16
LARGEST = 32  # pixels; larger images are averaged down first
RATE = 2e-3
QUICK_EXAMPLES = 20_000


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
        return batched(self.network[0], samples)

    def probabilities(self, samples: Tensor) -> Tensor:
        return batched(lambda block: self.network(block).softmax(1), samples)


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
    return lambda rows: batched(lambda block: network(block).softmax(1), rows)


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
    rows = data.held_out(affordable(data.shape), seed)
    guessed = batched(lambda block: network(block).argmax(1), rows["real"])
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
