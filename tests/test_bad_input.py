"""Bad input: one sentence that names it, exit code 2, nothing written or changed.

Each way to come to an end runs in a process of its own (`PROCESSES`); its many relatives run through the same `main` in
this one, which prints warnings like a process does.
"""

from __future__ import annotations

from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import pytest
import torch

from bad_place import RUN
from bad_server import serving
from command_line import (
    QUICK,
    assert_refused,
    here,
    listing,
    saddlepoint,
)
from saddlepoint.data.sources import MNIST_FILES
from saddlepoint.errors import InputError
from saddlepoint.run import Folder

# -- one sentence, exit code 2, nothing changed ------------------------------

# Before anything is imported, by the parser, in an image, in a driver, in a checkpoint, in the folder of another run.
PROCESSES = {"method", "flag", "truncated image", "no cuda", "cut checkpoint", "another seed"}

TRAIN: dict[str, tuple[str, list[str]]] = {
    # what there is not
    "method": ("wgan-pg --data ring", ["'wgan-pg'", "did you mean", "wgan-gp"]),
    "data": ("gan --data mnsit", ["'mnsit'", "did you mean", "mnist"]),
    "data path": ("gan --data photos/cats", ["photos/cats", "folder"]),
    "network": ("gan --data ring --network mpl", ["'mpl'", "did you mean mlp"]),
    "tracker": ("gan --data ring --trackers wandbb", ["'wandbb'", "did you mean wandb"]),
    "device": ("gan --data ring --device tpu", ["'tpu'", "cpu, cuda"]),
    "no cuda": ("gan --data ring --device cuda", ["cuda", "accepted here are cpu"]),
    "precision": ("gan --data ring --precision fp8", ["'fp8'", "bf16"]),
    "flag": ("gan --data ring --learning-rate 1", ["--learning-rate"]),
    "number": ("gan --data ring --seed one", ["--seed", "one"]),
    "method's flag": ("gan --data ring --method.terms.0.gamma 1", ["--method.terms.0.gamma"]),
    "player": ("wgan --data ring --method.constraints.0.player judge", ["'judge'", "generator, discriminator"]),
    # images
    "empty folder": ("gan --data empty", ["empty", "no images", ".png"]),
    "corrupt image": ("gan --data corrupt", ["corrupt.png"]),
    "truncated image": ("gan --data truncated", ["truncated.png", "truncated"]),
    "zero-size image": ("gan --data zero", ["zero.png", "0 bytes"]),
    "decompression bomb": ("gan --data bomb", ["bomb.png", "pixels"]),
    "corrupt among many": ("gan --data with-corrupt", ["1 of 41", "corrupt.png", "--skip-bad"]),
    "truncated among many": ("gan --data with-truncated", ["1 of 41", "truncated.png", "--skip-bad"]),
    "zero-size among many": ("gan --data with-zero", ["1 of 41", "zero.png", "--skip-bad"]),
    "bomb among many": ("gan --data with-bomb", ["1 of 41", "bomb.png", "--skip-bad"]),
    "bad ones only": ("gan --data truncated --skip-bad", ["truncated.png", "none is left"]),
    "three sizes": ("gan --data good --size 8 8 3", ["--size", "3 numbers"]),
    "size 0": ("gan --data good --size 0", ["(0, 0)", "1 to 4096"]),
    "channels": ("gan --data good --channels 5", ["5 channels", "3 RGB"]),
    # arrays
    "text in a CSV": ("gan --data text.csv", ["text.csv", "'four'", "line 2, column 2"]),
    "NaN in a CSV": ("gan --data nan.csv", ["nan.csv", "'nan'", "line 2, column 2"]),
    "objects in an .npz": ("gan --data object.npz", ["object.npz", "Object"]),
    "truncated array": ("gan --data cut.npy", ["cut.npy"]),
    "one image only": ("gan --data single", ["single", "one sample only"]),
    "one row only": ("gan --data single.csv", ["single.csv", "one sample only"]),
    "size for points": ("gan --data ring --size 8", ["ring", "for images"]),
    # what does not fit
    "batch above the data": ("gan --data digits --batch-size 1348", ["1348", "1347 training rows of digits"]),
    "batch of one": ("gan --data ring --batch-size 1", ["batch size 1"]),
    "batch of none": ("gan --data ring --batch-size 0", ["batch-size 0"]),
    "images for points": ("gan --data ring --network dcgan", ["DCGAN", "(2,)"]),
    "image too small": ("gan --data small.npy --network dcgan", ["DCGAN", "(1, 4, 4)", "8 to 256"]),
    "micro-batches": ("gan --data ring --accumulate 3", ["batch size 8", "3"]),
    # numbers
    "rate below 0": ("gan --data ring --method.dynamics.optimizers.generator.lr -1", ["-1.0", "generator.lr"]),
    "rate 0": ("gan --data ring --method.dynamics.optimizers.generator.lr 0", ["0.0", "generator.lr"]),
    "rate NaN": ("gan --data ring --method.dynamics.optimizers.generator.lr nan", ["nan", "generator.lr"]),
    "rate infinite": ("gan --data ring --method.dynamics.optimizers.generator.lr inf", ["inf", "generator.lr"]),
    "rate's schedule below 0": (
        "gan --data ring --method.dynamics.optimizers.generator.lr 'Linear(-1e-4, 1e-4)'",
        ["-0.0001", "generator.lr"],
    ),
    "rate no value": (
        "gan --data ring --method.dynamics.optimizers.generator.lr 'Cosine(1'",
        ["generator.lr", "'Cosine(1'"],
    ),
    "weight NaN": ("gan-r1 --data ring --method.terms.0.gamma nan", ["nan", "terms.0.gamma"]),
    "moment 1": ("gan --data ring --method.dynamics.optimizers.generator.betas 1 0.9", ["1.0", "betas"]),
    "nobody moves": (
        "gan --data ring --method.dynamics.steps.generator 0 --method.dynamics.steps.discriminator 0",
        ["gan moves nobody"],
    ),
    # values as text
    "open bracket": ("gan --data ring --network 'MLP('", ["'MLP('"]),
    "wrong type": ("gan --data ring --network 'MLP(width=1.5)'", ["width is 1.5", "int"]),
    "no network": ("gan --data ring --network 'Adam()'", ["'Adam()'", "MLP, DCGAN"]),
    "import": ("gan --data ring --network \"__import__('os').system('touch harm')\"", ["__import__", "cannot read"]),
    "lambda": ("gan --data ring --network 'MLP(width=(lambda: 3)())'", ["lambda", "cannot read"]),
    "attribute": ("gan --data ring --network \"MLP(width=''.__class__)\"", ["__class__", "cannot read"]),
    "method of nothing": ("\"Method(name='x', objective=3)\" --data ring", ["objective is 3", "Objective"]),
    # places
    "a folder that is no run": ("gan --data ring --out foreign", ["foreign", "not a run"]),
    "a file": ("gan --data ring --out file", ["file", "takes a folder"]),
    "below a file": ("gan --data ring --out file/below", ["file/below", "Not a directory"]),
    "a record of nothing": ("gan --data ring --out claims", ["claims", "not a run", "identity"]),
    "a torn record": ("gan --data ring --out torn", ["torn/run.json", "JSON"]),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAIN)
def test_training_refuses(place: Path, name: str) -> None:
    arguments, words = TRAIN[name]
    out = "" if "--out" in arguments else "--out out"
    batch = QUICK.replace("--batch-size 8", "") if "--batch-size" in arguments else QUICK
    refused(place, name, f"train {arguments} {batch} {out}", words)


def refused(place: Path, name: str, command: str, words: list[str]) -> None:
    before = listing(place)
    assert_refused((saddlepoint if name in PROCESSES else here)(command, place), *words)
    assert listing(place) == before


OTHERS: dict[str, tuple[str, list[str]]] = {
    "command": ("trian gan", ["'trian'", "did you mean train"]),
    "no method": ("train --data ring --out out", ["'--data'", "r3gan"]),
    "no data": ("train gan --out out", ["--data"]),
    "steps 0": ("train gan --data ring --out out --steps 0", ["steps 0", "above 0"]),
    "seconds -1": ("train gan --data ring --out out --seconds -1", ["seconds -1", "above 0"]),
    "seconds NaN": ("train gan --data ring --out out --seconds nan", ["seconds nan", "above 0"]),
    "two budgets": ("train gan --data ring --out out --steps 5 --images 9", ["exactly one", "steps, images"]),
    "schedule without an end": (
        "train gan --data ring --out out --seconds 5 --method.dynamics.optimizers.generator.lr 'Cosine(1e-3, 0)'",
        ["gan", "budget in seconds", "over"],
    ),
    "sample of no run": ("sample foreign --out grid.png", ["foreign", "not a run"]),
    "sample of nothing": ("sample missing --out grid.png", ["missing", "does not exist"]),
    "sample of a claim": ("sample claims --out grid.png", ["claims", "not a run"]),
    "sample nowhere": ("sample run", ["--out", "--npz"]),
    "sample into nothing": ("sample run --out missing/grid.png", ["missing", "grid.png"]),
    "sample into a folder": ("sample run --out empty", ["empty", "is a folder"]),
    "no samples": ("sample run -n 0 --out grid.png", ["-n 0"]),
    "truncation NaN": ("sample run --truncation nan --out grid.png", ["--truncation nan"]),
    "evaluate no run": ("evaluate foreign", ["foreign", "--data"]),
    "evaluate a foreign folder": ("evaluate foreign --data digits", ["foreign", "no images"]),
    "evaluate against images": ("evaluate run --data digits", ["(2,)", "(1, 8, 8)"]),
    "evaluate images against points": ("evaluate good --data ring", ["good", "(3, 8, 8)", "(2,)"]),
    "evaluate too few": ("evaluate run -n 3", ["-n 3", "at least 4"]),
    "report of no run": ("report foreign", ["foreign", "not a run"]),
    "report of a torn record": ("report torn", ["torn", "JSON"]),
    "show nothing": ("show ganz", ["'ganz'", "did you mean", "gan"]),
    "sample of a cut checkpoint": ("sample cut --out grid.png", ["000000002.pt", "damaged", "000000001.pt"]),
    "cut checkpoint": (f"{RUN} {QUICK} --steps 4 --out cut", ["000000002.pt", "damaged", "000000001.pt"]),
    "another method": (RUN.replace("gan", "hinge") + f" {QUICK} --out run", ["method was", "'gan'", "'hinge'"]),
    "another seed": (f"{RUN} {QUICK} --out run --seed 2", ["seed was '1' and is now '2'"]),
    "another data set": (RUN.replace("ring", "grid") + f" {QUICK} --out run", ["data was 'ring ", "now 'grid "]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_a_command_refuses(place: Path, name: str) -> None:
    refused(place, name, *OTHERS[name])


def test_every_kind_has_its_process() -> None:
    assert {*TRAIN, *OTHERS} >= PROCESSES


def test_a_tracker_that_is_not_installed_is_refused(place: Path) -> None:
    missing = next(
        (name for name in ("wandb", "trackio", "mlflow", "tensorboard") if find_spec(name) is None), None
    )
    if missing is None:
        pytest.skip("all trackers are installed here")
    before = listing(place)
    done = here(f"train gan --data ring {QUICK} --out out --trackers {missing}", place)
    assert_refused(done, f"tracker {missing} is not installed", f"saddlepoint[{missing}]")
    assert listing(place) == before


def test_bad_images_can_be_left_out(place: Path) -> None:
    done = here(f"train gan --data with-all --skip-bad {QUICK} --out ../left-out", place)
    assert done.returncode == 0, done.stderr
    assert "3 of 44 images" in done.stderr
    assert "truncated.png" in done.stderr
    assert len(Folder(place.parent / "left-out").rows(place.parent / "left-out" / "metrics.jsonl")) == 2


@pytest.mark.parametrize("share", [0, 0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("rest", ["missing", "zeros"])
def test_a_checkpoint_that_is_damaged_anywhere_is_told(
    place: Path, tmp_path: Path, share: float, rest: str
) -> None:
    folder = Folder(place / "run")
    whole = (folder.last() or Path()).read_bytes()
    kept = whole[: int(share * len(whole))]
    (tmp_path / "5.pt").write_bytes(kept if rest == "missing" else kept.ljust(len(whole), b"\0"))
    with pytest.raises(InputError, match=r"5\.pt is damaged"):
        folder.load(tmp_path / "5.pt", torch.device("cpu"))


def content(folder: Folder, path: Path) -> bytes:
    stream = BytesIO()
    torch.save(folder.load(path, torch.device("cpu")), stream)
    return stream.getvalue()


def test_a_flipped_bit_in_a_checkpoint_is_told_or_changes_nothing(place: Path, tmp_path: Path) -> None:
    """A file has some bytes without meaning, paddings among them; no other flip may pass."""
    folder = Folder(place / "run")
    whole = (folder.last() or Path()).read_bytes()
    sound, told, positions = (
        content(folder, folder.last() or Path()),
        0,
        range(0, len(whole), len(whole) // 200),
    )
    for position in positions:
        flipped = bytearray(whole)
        flipped[position] ^= 4
        (tmp_path / "5.pt").write_bytes(flipped)
        try:
            assert content(folder, tmp_path / "5.pt") == sound
        except InputError:
            told += 1
    assert told > len(positions) / 2


# -- named sets: files that are cut, wrong, or broken off ------------------------------


def test_a_truncated_idx_file_is_refused(place: Path) -> None:
    before = listing(place)
    done = here(f"train gan --data mnist {QUICK} --out out", place, {"SADDLEPOINT_DATA": str(place / "sets")})
    assert_refused(done, "train-images-idx3-ubyte", str(16 + 78_400), "truncated")
    assert listing(place) == before


@pytest.mark.parametrize(
    ("share", "words"),
    [(1.0, ["wrong checksum", MNIST_FILES[0].sha256]), (0.5, ["interrupted after 4956211 of 9912422 bytes"])],
    ids=["wrong checksum", "interrupted download"],
)
def test_a_bad_download_is_refused(place: Path, tmp_path: Path, share: float, words: list[str]) -> None:
    before = listing(place)
    with serving() as server:
        server.share = share
        server.released.set()
        where = {"SADDLEPOINT_MIRROR": server.address, "SADDLEPOINT_CACHE": str(tmp_path)}
        done = here(f"train gan --data mnist {QUICK} --out out", place, where)
    assert_refused(done, f"{server.address}/mnist/train-images-idx3-ubyte.gz", *words)
    assert listing(place) == before
    left = [path.name for path in (tmp_path / "data" / "mnist").iterdir() if path.suffix != ".lock"]
    assert left == ([] if share == 1 else ["train-images-idx3-ubyte.gz.part"])
