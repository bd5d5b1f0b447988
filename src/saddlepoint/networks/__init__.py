"""Generator and discriminator pairs as values: `DCGAN(width=32).build((1, 28, 28), latent=64)`.

A value describes a pair for samples of any fitting shape; `build` makes the modules,

    generator      latent [n, latent] -> samples [n, *shape], images in (-1, 1) through tanh
    discriminator  samples [n, *shape] -> scores [n], raw and never probabilities

drawing the initial weights from torch's global generator, which the caller seeds. Names are resolved on first
use, so importing this package does not import torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

    from saddlepoint.networks.attention import Attentive
    from saddlepoint.networks.autoencoder import Autoencoder
    from saddlepoint.networks.conditional import Concatenated, LabelledGenerator, Painted, Projected
    from saddlepoint.networks.dcgan import DCGAN
    from saddlepoint.networks.dense import DenseDCGAN
    from saddlepoint.networks.encoding import Encoding, Joint, Manifold, Representing, Variational
    from saddlepoint.networks.headed import Classifying, KPlusOne, Recognising
    from saddlepoint.networks.members import Averaged, Chosen, Judged, Members
    from saddlepoint.networks.mixture import Mixture
    from saddlepoint.networks.mlp import MLP
    from saddlepoint.networks.modulated import Modulated
    from saddlepoint.networks.noisy import NoisyMLP
    from saddlepoint.networks.packed import MinibatchDeviation, MinibatchDiscrimination, Packed
    from saddlepoint.networks.r3net import R3Net
    from saddlepoint.networks.resnet import ResNet
    from saddlepoint.networks.virtual import VirtuallyNormalised

__all__ = [
    "DCGAN",
    "MLP",
    "Attentive",
    "Autoencoder",
    "Averaged",
    "Chosen",
    "Classifying",
    "Concatenated",
    "DenseDCGAN",
    "Encoding",
    "Joint",
    "Judged",
    "KPlusOne",
    "LabelledGenerator",
    "Manifold",
    "Members",
    "MinibatchDeviation",
    "MinibatchDiscrimination",
    "Mixture",
    "Modulated",
    "Networks",
    "NoisyMLP",
    "Packed",
    "Painted",
    "Projected",
    "R3Net",
    "Recognising",
    "Representing",
    "ResNet",
    "Variational",
    "VirtuallyNormalised",
    "for_shape",
]
FILES = {
    "attention": ("Attentive",),
    "virtual": ("VirtuallyNormalised",),
    "conditional": ("Concatenated", "LabelledGenerator", "Painted", "Projected"),
    "dense": ("DenseDCGAN",),
    "encoding": ("Encoding", "Joint", "Manifold", "Representing", "Variational"),
    "headed": ("Classifying", "KPlusOne", "Recognising"),
    "members": ("Averaged", "Chosen", "Judged", "Members"),
    "noisy": ("NoisyMLP",),
    "packed": ("MinibatchDeviation", "MinibatchDiscrimination", "Packed"),
}  # where a file holds several, or is called otherwise


class Networks(Protocol):
    """What every value here is, and what a pair of one's own needs in order to stand in its place."""

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        """Fresh modules, keys "generator" and "discriminator"; InputError where the shape does not fit."""
        ...


def for_shape(shape: tuple[int, ...]) -> Networks:
    """The default pair for samples of this shape: DCGAN for images (channels, height, width), else MLP."""
    if len(shape) == 3:
        from saddlepoint.networks.dcgan import DCGAN

        return DCGAN()
    from saddlepoint.networks.mlp import MLP

    return MLP()


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    file = next((file for file, names in FILES.items() if name in names), name.lower())
    return getattr(import_module(f"{__name__}.{file}"), name)
