"""What every data set offers, and how its images may be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from saddlepoint.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_SIDE = 4096


class Data(Protocol):
    """A data set, finite or infinite. Samples are float32 on the CPU, images in [-1, 1] as [channels, height,
    width].

    Everything random is keyed by the seed that is passed: each method is a pure function of its arguments.
    """

    @property
    def name(self) -> str: ...

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample: (features,) or (channels, height, width)."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of their labels; empty when there are no labels."""

    @property
    def size(self) -> int | None:
        """Number of training rows; None when rows are drawn from a density without end."""

    @property
    def identity(self) -> str:
        """ "sha256:…" of the content and of all that is done to it: equal identities mean equal rows."""

    @property
    def resizing(self) -> str:
        """What was done to the size of the images, "none" where nothing was."""

    def rows(self, seed: int, start: int, count: int) -> dict[str, Tensor]:
        """Rows start … start+count-1 of the endless training stream: "real" [count, *shape], "label" int64
        [count] when there are classes. Epoch e of a finite set is a permutation keyed by (seed, e)."""

    def training(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        """At most `count` training rows without repetition and without flips, in an order keyed by `seed`."""

    def held_out(self, count: int | None = None, seed: int = 0) -> dict[str, Tensor]:
        """At most `count` rows that never train, in an order keyed by `seed`."""


LABELS = ("label", "labelled_label")  # what rows may bring


def check_labels(data: Data, rows: Mapping[str, Tensor]) -> None:
    """Refuse labels without a class, which would silently be those of none."""
    classes = len(data.classes)
    for label in (rows[name] for name in LABELS if name in rows):
        if label.min() < 0 or label.max() >= classes:
            wrong = int(label.min() if label.min() < 0 else label.max())
            raise InputError(
                f"{data.name} brings the label {wrong} and has {classes} classes: labels are whole numbers from 0 to "
                f"{classes - 1}"
            )


@dataclass(frozen=True)
class View:
    """How images are looked at: `size` (height, width) and `channels` (1 grey, 2 grey and alpha, 3 RGB, 4
    RGBA), None for those of the set; `flip` mirrors each training row left to right with probability 1/2."""

    size: tuple[int, int] | None = None
    channels: int | None = None
    flip: bool = False

    def __post_init__(self) -> None:
        if self.size is not None and not all(1 <= side <= LARGEST_SIDE for side in self.size):
            raise InputError(f"The image size {self.size} is refused; a side has 1 to {LARGEST_SIDE} pixels.")
        if self.channels not in (None, 1, 2, 3, 4):
            raise InputError(
                f"{self.channels} channels are refused; accepted are 1 grey, 2 with alpha, 3 RGB, 4 RGBA."
            )

    @property
    def plain(self) -> bool:
        return self == View()


def view(size: int | tuple[int, int] | None, channels: int | None, flip: bool) -> View:
    """A view from what a person types: one number is a square."""
    return View((size, size) if isinstance(size, int) else size, channels, flip)
