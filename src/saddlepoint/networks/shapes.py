"""Which samples a network takes, and the sizes of its feature maps from the image to the smallest grid."""

from __future__ import annotations

from collections.abc import Callable

from saddlepoint.errors import InputError

SMALLEST, LARGEST = 8, 256
Size = tuple[int, int]


def require(condition: bool, sentence: str) -> None:
    """Raise InputError with the sentence unless the condition holds."""
    if not condition:
        raise InputError(sentence)


def check(who: object, latent: int, classes: int) -> None:
    """What every pair asks for: a latent vector of at least one number, and no labels."""
    name = type(who).__name__
    require(latent >= 1, f"{name} needs a latent size of at least 1, not {latent}.")
    require(classes == 0, f"{name} takes no labels, so classes must be 0, not {classes}.")


def image_shape(who: object, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """(channels, height, width) of images for a convolutional network: sides 8 to 256, or InputError."""
    fits = len(shape) == 3 and shape[0] >= 1 and all(SMALLEST <= side <= LARGEST for side in shape[1:])
    name = type(who).__name__
    require(
        fits,
        f"{name} needs images of shape (channels, height, width) with at least 1 channel and sides from "
        f"{SMALLEST} to {LARGEST}, not {tuple(shape)}.",
    )
    channels, height, width = shape
    return channels, height, width


def half_up(side: int) -> int:
    """Half of a side, rounded up: 18, 9, 5."""
    return (side + 1) // 2


def pyramid(full: Size, halve: Callable[[int], int], stop: int = 8) -> list[Size]:
    """Sizes from the image to the smallest grid: both sides halved while the smaller is at least `stop`.

    With the default the smaller side ends between 4 and 7: 4 for powers of two, 7 for 28.
    """
    sizes = [full]
    while min(sizes[-1]) >= stop:
        height, width = sizes[-1]
        sizes.append((halve(height), halve(width)))
    return sizes


def width_at(width: int, size: Size) -> int:
    """Feature maps at a size: `width` up to a smaller side of 32, halved per doubling beyond, at least 1."""
    side = min(size)
    while side > 32:
        width, side = width // 2, half_up(side)
    return max(1, width)
