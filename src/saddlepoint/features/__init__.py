"""Extractors: what turns samples into the features that metrics compare, each with a name and a hash.

A score depends on its extractor as much as on the samples, so the hash covers every number that the features
depend on. Only between features of Inception itself is a Fréchet distance an FID.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from saddlepoint.errors import InputError, nearest
from saddlepoint.features.extractor import Extractor, Progress, affordable, content_hash
from saddlepoint.features.fixed import PCA, Identity, Pixels, RandomConvolution
from saddlepoint.features.modules import Foreign, of_file, of_module
from saddlepoint.features.trained import Classifier, classifier, quick_classifier

if TYPE_CHECKING:
    from saddlepoint.data.protocol import Data

__all__ = [
    "NAMES",
    "PCA",
    "Classifier",
    "Extractor",
    "Foreign",
    "Identity",
    "Pixels",
    "RandomConvolution",
    "by_name",
    "classifier",
    "content_hash",
    "default_extractor",
    "of_file",
    "of_module",
    "quick_classifier",
]

NAMES = ("classifier", "identity", "inception", "pca", "pixels", "random-convolution")


def default_extractor(data: Data, seed: int = 0, progress: Progress | None = None) -> Extractor:
    """Identity for vectors, the classifier for labelled images, 64 principal components for other images."""
    if len(data.shape) == 1:
        return Identity()
    if data.classes:
        return classifier(data, seed, progress)
    return PCA.fit(data.training(affordable(data.shape), seed)["real"])


def by_name(name: str, data: Data, seed: int = 0, progress: Progress | None = None) -> Extractor:
    """An extractor by name, or the path of a TorchScript file or exported program, for a data set."""
    if name not in NAMES and Path(name).suffix:
        return of_file(Path(name).expanduser())
    if name in ("inception", "pixels", "random-convolution") and len(data.shape) != 3:
        raise InputError(f"the extractor {name} is for images, and {data.name} has none.")
    match name:
        case "classifier":
            return classifier(data, seed, progress)
        case "identity":
            return Identity()
        case "inception":
            from saddlepoint.features.inception import inception

            return inception()
        case "pca":
            return PCA.fit(data.training(affordable(data.shape), seed)["real"])
        case "pixels":
            return Pixels()
        case "random-convolution":
            return RandomConvolution(data.shape[0])
    raise InputError(f"there is no extractor {name!r}: {nearest(name, NAMES)}; or give the path of a file.")
