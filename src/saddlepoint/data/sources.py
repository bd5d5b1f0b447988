"""The data sets that have a name: what each is, who publishes it, where its files are looked for.

Nothing heavy is imported here, so that listing them is quick.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from saddlepoint.errors import InputError
from saddlepoint.paths import cache_folder

DIGITS = tuple("0123456789")
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
OBJECTS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
STACKED_ROWS = 128_000, 26_000  # that train, that are held out
POLYGON_ROWS = 60_000, 20_000
CIFAR_MEMBERS = {
    f"{stem}.bin": 30_730_000 for stem in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")
}


@dataclass(frozen=True)
class Remote:
    """A published file: address, SHA-256 in hexadecimal, length in bytes."""

    url: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Source:
    """A named data set: `files` holds, for each file it needs, the accepted names in order of preference."""

    name: str
    kind: str
    shape: tuple[int, ...]
    size: int | None
    held_out: int | None
    origin: str
    licence: str
    classes: tuple[str, ...] = ()
    folder: str = ""
    files: tuple[tuple[str, ...], ...] = ()
    remotes: tuple[Remote, ...] = ()

    def present(self) -> tuple[Path, ...] | None:
        """The files, all from the first of the folders that has them all; None where none has."""
        for folder in folders(self.folder):
            found = [
                next((folder / name for name in names if (folder / name).is_file()), None)
                for names in self.files
            ]
            paths = tuple(path for path in found if path is not None)
            if len(paths) == len(found):
                return paths
        return None

    def obtain(self) -> tuple[Path, ...]:
        """The files, fetched into the cache folder where they are nowhere yet."""
        paths = self.present()
        if paths is None:
            self._fetch(cache_folder() / "data" / self.folder)
            paths = self.present()
        if paths is None:
            raise InputError(f"The files of {self.name} were fetched but are not in {cache_folder()}.")
        return paths

    def _fetch(self, folder: Path) -> None:
        from saddlepoint.data.fetch import fetch, unpack

        for remote in self.remotes:
            path = fetch(mirrored(remote, self.folder), folder)
            if path.name.endswith(".tar.gz"):
                unpack(path, CIFAR_MEMBERS, folder)
                path.unlink()


def folders(name: str) -> Iterator[Path]:
    """Where the files of a set are looked for: `$SADDLEPOINT_DATA`, then the cache folder."""
    if os.environ.get("SADDLEPOINT_DATA"):
        yield Path(os.environ["SADDLEPOINT_DATA"]) / name
    yield cache_folder() / "data" / name


def mirrored(remote: Remote, folder: str) -> Remote:
    """The same file at `$SADDLEPOINT_MIRROR`/folder/file, if that is set; the checksum stays."""
    mirror = os.environ.get("SADDLEPOINT_MIRROR")
    if not mirror:
        return remote
    if not mirror.startswith(("http://", "https://")):
        raise InputError(
            f"SADDLEPOINT_MIRROR={mirror} is refused; an address begins with http:// or https://."
        )
    return replace(remote, url=f"{mirror.rstrip('/')}/{folder}/{remote.name}")


def catalogue() -> list[dict[str, Any]]:
    """Every named set: name, kind, shape, size, held_out, classes, origin, licence, and whether it is at
    hand."""
    return [
        {
            "name": source.name,
            "kind": source.kind,
            "shape": list(source.shape),
            "size": source.size,
            "held_out": source.held_out,
            "classes": len(source.classes),
            "origin": source.origin,
            "licence": source.licence,
            "available": source.present() is not None,
        }
        for source in SOURCES
    ]


def _density(name: str, what: str, modes: int = 0) -> Source:
    classes = tuple(map(str, range(modes)))
    return Source(
        name, "density", (2,), None, None, f"drawn from its formula: {what}", "none needed", classes
    )


def _polygons(name: str, what: str) -> Source:
    return Source(
        name, "images", (1, 28, 28), *POLYGON_ROWS, f"drawn from their formula: {what}", "none needed"
    )


def _idx(remotes: tuple[Remote, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((remote.name, remote.name.removesuffix(".gz")) for remote in remotes)


MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
MNIST_FILES = (
    Remote(
        f"{MNIST_URL}train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        9_912_422,
    ),
    Remote(
        f"{MNIST_URL}train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        28_881,
    ),
    Remote(
        f"{MNIST_URL}t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        1_648_877,
    ),
    Remote(
        f"{MNIST_URL}t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        4_542,
    ),
)
FASHION_URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
FASHION_FILES = (
    Remote(
        f"{FASHION_URL}train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        26_421_880,
    ),
    Remote(
        f"{FASHION_URL}train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        29_515,
    ),
    Remote(
        f"{FASHION_URL}t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        4_422_102,
    ),
    Remote(
        f"{FASHION_URL}t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        5_148,
    ),
)
CIFAR_FILES = (
    Remote(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        170_052_171,
    ),
)
CIFAR_BATCHES = tuple((f"data_batch_{i}.bin", f"data_batch_{i}.bin.xz") for i in range(1, 6))
CIFAR_TEST = (
    "test_batch.bin",
    "test_batch.bin.xz",
    "test_batch_first1000.bin",
    "test_batch_first1000.bin.xz",
)

MNIST = Source(
    name="mnist", kind="images", shape=(1, 28, 28), size=60_000, held_out=10_000, origin=MNIST_URL,
    licence="Yann LeCun and Corinna Cortes, from NIST data; generally stated as CC BY-SA 3.0",
    classes=DIGITS, folder="mnist", files=_idx(MNIST_FILES), remotes=MNIST_FILES,
)  # fmt: skip

SOURCES: tuple[Source, ...] = (
    _density("ring", "8 Gaussians on a circle", 8),
    _density("grid", "25 Gaussians on a square lattice", 25),
    _density("spiral", "two noisy Archimedean arms"),
    _density("swiss-roll", "one noisy rolled-up curve"),
    _density("two-moons", "two noisy half circles"),
    _density("checkerboard", "uniform on the dark squares"),
    Source(
        name="digits", kind="images", shape=(1, 8, 8), size=1_347, held_out=450,
        origin="bundled with scikit-learn (UCI Optical Recognition of Handwritten Digits)",
        licence="E. Alpaydin and C. Kaynak, CC BY 4.0", classes=DIGITS,
    ),
    MNIST,
    Source(
        name="fashion-mnist", kind="images", shape=(1, 28, 28), size=60_000, held_out=10_000,
        origin=FASHION_URL, licence="MIT, copyright 2017 Zalando SE",
        classes=FASHION, folder="fashion_mnist", files=_idx(FASHION_FILES), remotes=FASHION_FILES,
    ),
    Source(
        name="cifar10", kind="images", shape=(3, 32, 32), size=50_000, held_out=10_000,
        origin=CIFAR_FILES[0].url, licence="none stated; cite Krizhevsky 2009; for research",
        classes=OBJECTS, folder="cifar10", files=(*CIFAR_BATCHES, CIFAR_TEST), remotes=CIFAR_FILES,
    ),
    replace(
        MNIST, name="stacked-mnist", shape=(3, 28, 28), size=STACKED_ROWS[0], held_out=STACKED_ROWS[1],
        classes=tuple(f"{number:03d}" for number in range(1000)),
        origin=f"three MNIST digits as red, green and blue; {MNIST_URL}",
    ),
    _polygons("triangles", "convex polygons with 3 corners"),
    _polygons("convex-polygons", "convex polygons with 8 corners"),
)  # fmt: skip
