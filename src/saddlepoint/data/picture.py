"""One image file: what its header says, and its pixels. Formats are a closed list, pixels are bounded."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm"}
)
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
GREY_MODES = ("1", "L", "LA", "La")
LARGEST_FILE = 1 << 29  # bytes
LARGEST_IMAGE = 100_000_000  # pixels


@dataclass(frozen=True)
class Picture:
    """An image file by what its header says; `problem` is empty, or why it cannot be used."""

    path: Path
    label: str
    digest: str = ""
    size: tuple[int, int] = (0, 0)  # width, height
    grey: bool = False
    problem: str = ""


def inspect(path: Path, label: str) -> Picture:
    """Content hash and header of one file, without decoding it."""
    import hashlib

    try:
        content = _read(path)
        digest = hashlib.sha256(content).hexdigest()
        with _open(content) as image:
            return Picture(path, label, digest, image.size, _is_grey(image))
    except (
        Exception
    ) as error:  # a decoder may raise anything on hostile bytes; each is a property of the file
        return Picture(path, label, problem=reason(error))


def decode(path: Path, size: tuple[int, int], channels: int) -> NDArray[np.uint8]:
    """Pixels [channels, height, width] of a file: turned upright (EXIF), brought to `channels`, then the
    largest centred window of the target's aspect resized by Lanczos' antialiased filter, alpha
    premultiplied."""
    from PIL import Image, ImageOps

    with _open(_read(path)) as opened:
        image = _in_mode(ImageOps.exif_transpose(opened), channels)
    height, width = size
    fitted = ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(fitted, np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def reason(error: Exception) -> str:
    """The part of a sentence that says why, from what a decoder raised."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def _read(path: Path) -> bytes:
    length = path.stat().st_size
    if not 0 < length <= LARGEST_FILE:
        raise ValueError(f"it has {length} bytes; accepted are 1 to {LARGEST_FILE}")
    return path.read_bytes()


def _open(content: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"it is none of {', '.join(FORMATS)}, or damaged") from None
    except Image.DecompressionBombError:  # Pillow's own limit lies higher than ours
        raise ValueError(f"it has more than {LARGEST_IMAGE} pixels") from None
    width, height = image.size
    if not 0 < width * height <= LARGEST_IMAGE:
        raise ValueError(f"it has {width} x {height} pixels; accepted are 1 to {LARGEST_IMAGE} in all")
    return image


def _is_grey(image: Image) -> bool:
    return image.mode in GREY_MODES or image.mode.startswith("I;16")


def _in_mode(image: Image, channels: int) -> Image:
    """Grey, grey and alpha, RGB or RGBA with 8 bits; an alpha that is not kept is laid over white."""
    from PIL import Image

    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError("its pixels have 32 bits; accepted are 8 and 16")
    if image.mode == MODES[channels]:
        return image
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if channels in (1, 3):
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    elif image.mode not in GREY_MODES:
        image = image.convert("RGB")
    return image.convert(MODES[channels])
