"""Inception-v3 with the original weights of 2015, through torch-fidelity: the one extractor that makes an FID.

Its resizing is TensorFlow's of that time, to 299x299 without antialiasing, and its weights are converted from the
published graph, so that values agree with published ones.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from saddlepoint.data.split import file_digest
from saddlepoint.errors import InputError
from saddlepoint.features.extractor import content_hash, images
from saddlepoint.features.modules import Foreign, weights_alone
from saddlepoint.metrics.score import INCEPTION
from saddlepoint.paths import cache_folder

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
DIGEST = "6726825d"  # how the SHA-256 of the published weights begins
FEATURES = "2048"  # the pooled layer before the classes


def inception(weights: Path | None = None) -> Foreign:
    """The pooled features [n, 2048] of images; grey ones are repeated three times. Weights are fetched once, and checked
    by their published digest; other weights are possible and carry another name."""
    path = weights or _fetched()
    with weights_alone():
        network = _network(path)
    original = file_digest(path).startswith(DIGEST)
    name = INCEPTION if original else f"inception:{path.stem}"
    return Foreign(name, content_hash(network.state_dict()), lambda block: network(_levels(block))[0])


def _network(path: Path) -> nn.Module:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except ModuleNotFoundError as error:
        raise InputError(
            f"the Inception network needs {error.name}, which is not installed: pip install saddlepoint[inception]."
        ) from error
    try:
        network: nn.Module = FeatureExtractorInceptionV3(
            "inception", [FEATURES], feature_extractor_weights_path=str(path)
        )
    except Exception as error:  # whatever a reader raises on a file that is none
        raise InputError(
            f"{path} does not hold the weights of the Inception network of torch-fidelity."
        ) from error
    return network.eval().requires_grad_(False)


def _levels(block: Tensor) -> Tensor:
    """Images in [−1, 1] as whole levels 0 … 255 in three channels, as the network was trained on."""
    channels = images(block, INCEPTION).shape[1]
    if channels not in (1, 3):
        raise InputError(f"the Inception network sees 1 or 3 channels, and images have {channels}.")
    return ((block.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).expand(-1, 3, -1, -1)


def _fetched() -> Path:
    path = cache_folder() / "inception" / URL.rsplit("/", 1)[1]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(URL, str(path), hash_prefix=DIGEST, progress=False)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{URL} cannot be fetched ({error}); put that file at {path}.") from error
    return path
