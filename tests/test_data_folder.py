"""Folders of images: pixels, labels, sides, the cache, and every way in which a folder can be bad."""

from __future__ import annotations

import logging
import shutil
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from saddlepoint.data import load
from saddlepoint.data.store import write_rows
from saddlepoint.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def noise(seed, height=12, width=12, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def pictures(tmp_path):
    """Thirty lossless images of 12x12 pixels."""
    home = tmp_path / "pictures"
    home.mkdir()
    for seed in range(30):
        Image.fromarray(noise(seed)).save(home / f"{seed:02d}.png")
    return home


def levels(batch):
    return batch["real"].add(1).mul(127.5).round().byte()


def everything(data):
    return torch.cat([levels(data.training()), levels(data.held_out())])


def only(home, image, **view):
    """The image as the loader gives it: beside one other, told apart by which of the two is new."""
    home.mkdir(exist_ok=True)
    image.save(home / "this.png") if isinstance(image, Image.Image) else None
    other = np.full((9, 9), 123, np.uint8)
    Image.fromarray(other).save(home / "other.png")
    rows = everything(load(str(home), **view))
    assert len(rows) == 2
    plain = [(row[0] == 123).all().item() for row in rows]
    return rows[plain.index(False)].permute(1, 2, 0).numpy()


def refused(home, words, **view):
    with pytest.raises(InputError, match=words) as caught:
        load(str(home), **view)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_pixels_at_their_own_size_are_exact(pictures):
    data = load(str(pictures), size=12)
    rows = {row.permute(1, 2, 0).numpy().tobytes() for row in everything(data)}
    assert rows == {noise(seed).tobytes() for seed in range(30)}
    assert data.shape == (3, 12, 12)
    assert data.name == "folder:pictures"
    assert data.classes == ()


@pytest.mark.parametrize(
    ("sides", "expected"), [((12, 15), 8), ((5, 6), 8), ((16, 20), 16), ((64, 70), 64), ((300, 200), 64)]
)
def test_default_size_is_what_most_images_reach(tmp_path, sides, expected):
    for seed in range(5):
        Image.fromarray(noise(seed, *sides)).save(tmp_path / f"{seed}.png")
    Image.fromarray(noise(9, 3, 3)).save(tmp_path / "tiny.png")
    assert load(str(tmp_path)).shape == (3, expected, expected)


def test_grey_folders_have_one_channel(tmp_path):
    for seed in range(3):
        Image.fromarray(noise(seed, channels=1)).save(tmp_path / f"{seed}.png")
    assert load(str(tmp_path)).shape[0] == 1
    Image.fromarray(noise(7)).save(tmp_path / "coloured.png")
    assert load(str(tmp_path)).shape[0] == 3


def test_kinds_of_pixels(tmp_path):
    colour = noise(1, 8, 8)
    white = np.full_like(colour, 255)
    kinds = {
        "rgb": (Image.fromarray(colour), 3, colour),
        "palette": (
            Image.fromarray(colour // 128 * 128).quantize(8, dither=Image.Dither.NONE),
            3,
            colour // 128 * 128,
        ),
        "clear": (Image.fromarray(np.dstack([colour, np.zeros((8, 8), np.uint8)])), 3, white),
        "opaque": (Image.fromarray(np.dstack([colour, np.full((8, 8), 255, np.uint8)])), 3, colour),
        "alpha kept": (
            Image.fromarray(np.dstack([colour, white[..., 0]])),
            4,
            np.dstack([colour, white[..., 0]]),
        ),
        "alpha gained": (Image.fromarray(colour), 4, np.dstack([colour, white[..., 0]])),
        "grey": (Image.fromarray(colour[..., 0]), 3, np.dstack([colour[..., 0]] * 3)),
        "grey and alpha": (Image.fromarray(colour[..., 0]), 2, np.dstack([colour[..., 0], white[..., 0]])),
        "deep": (Image.fromarray(colour[..., 0].astype(np.uint16) * 257), 1, colour[..., :1]),
        "bits": (Image.fromarray(colour[..., 0] > 99), 1, (colour[..., :1] > 99) * np.uint8(255)),
    }
    for name, (image, channels, expected) in kinds.items():
        got = only(tmp_path / name, image, size=8, channels=channels)
        assert np.array_equal(got, expected), name


def test_deep_pixels_without_a_scale_are_refused(tmp_path):
    Image.fromarray(np.ones((8, 8), np.float32)).save(tmp_path / "a.tiff")
    Image.fromarray(noise(0)).save(tmp_path / "b.png")
    refused(tmp_path, "a.tiff .its pixels have 32 bits")


def test_photographs_stand_upright(tmp_path):
    """A file turned by EXIF orientation 6 shows its first row as the last column."""
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[0] = 200
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    tmp_path.joinpath("turned").mkdir()
    image.save(tmp_path / "turned" / "this.png", exif=exif)
    got = only(tmp_path / "turned", None, size=8, channels=3)
    assert (got[:, -1] == 200).all()
    assert (got[:, :-1] == 0).all()


def test_images_are_cut_to_the_middle_and_filtered(tmp_path):
    wide = np.zeros((16, 48), np.uint8)
    wide[:, 16:32] = np.indices((16, 16)).sum(0) % 2 * 255  # one-pixel checks in the middle, black outside
    got = only(tmp_path / "wide", Image.fromarray(wide), size=4, channels=1)
    assert (np.abs(got[1:-1, 1:-1].astype(int) - 127) <= 2).all()
    tall = np.zeros((60, 20), np.uint8)
    tall[20:40] = 50
    cut = only(tmp_path / "tall", Image.fromarray(tall), size=10, channels=1)
    assert (cut[3:-3] == 50).all()  # the filter reaches three rows of the result beyond the cut
    assert cut.min() > 40
    assert only(tmp_path / "oblong", Image.fromarray(noise(1, 20, 30)), size=(16, 8), channels=3).shape == (
        16,
        8,
        3,
    )


def test_sub_folders_are_labels(tmp_path):
    for seed in range(24):
        home = tmp_path / ("cats/old" if seed % 3 else "dogs")
        home.mkdir(parents=True, exist_ok=True)
        image = noise(seed)
        image[0, 0, 0] = 255 if seed % 3 else 0
        Image.fromarray(image).save(home / f"{seed}.png")
    data = load(str(tmp_path), size=12)
    assert data.classes == ("cats", "dogs")
    for batch in (data.training(), data.held_out()):
        assert torch.equal((levels(batch)[:, 0, 0, 0] == 0).long(), batch["label"])


def test_one_sub_folder_is_no_label(pictures):
    assert load(str(pictures.parent / "pictures")).classes == ()
    inner = pictures / "inner"
    inner.mkdir()
    for path in pictures.glob("*.png"):
        path.rename(inner / path.name)
    assert load(str(pictures)).classes == ()


def test_loose_images_beside_labels_are_refused(pictures):
    (pictures / "cats").mkdir()
    (pictures / "00.png").rename(pictures / "cats" / "00.png")
    assert "01.png" in refused(pictures, "sub-folders are labels")


def test_hidden_and_other_files_are_left_out(pictures, caplog):
    (pictures / ".hidden.png").write_bytes(b"not an image")
    (pictures / ".thumbs").mkdir()
    (pictures / ".thumbs" / "a.png").write_bytes(b"not an image")
    (pictures / "notes.txt").write_text("hello")
    with caplog.at_level(logging.WARNING):
        data = load(str(pictures))
    assert len(everything(data)) == 30
    assert "1 of 31 files" in caplog.text


def test_sides_and_identity_depend_on_content_alone(pictures, tmp_path):
    data = load(str(pictures))
    copy = tmp_path / "copy"
    copy.mkdir()
    for number, path in enumerate(sorted(pictures.iterdir(), reverse=True)):
        shutil.copy(path, copy / f"other {number}.png")
    other = load(str(copy))
    assert data.identity == other.identity
    assert torch.equal(data.held_out()["real"], other.held_out()["real"])
    Image.fromarray(noise(99)).save(copy / "one more.png")
    assert load(str(copy)).identity != data.identity


def test_copies_never_straddle(pictures):
    for path in sorted(pictures.iterdir()):
        shutil.copy(path, pictures / f"again {path.name}")
    data = load(str(pictures))
    held, trains = (
        {row.numpy().tobytes() for row in levels(side)} for side in (data.held_out(), data.training())
    )
    assert not held & trains
    assert len(held) + len(trains) == 30
    assert len(everything(data)) == 60


def test_the_second_load_does_not_decode(pictures, monkeypatch, cache):
    first = load(str(pictures), size=10)

    def decode(*arguments):
        raise AssertionError("decoded again")

    monkeypatch.setattr("saddlepoint.data.folder.decode", decode)
    again = load(str(pictures), size=10)
    assert torch.equal(everything(first), everything(again))
    again.rows(0, 0, 200)  # several epochs
    with pytest.raises(InputError, match="decoded again"):  # the net holds: another size does decode
        load(str(pictures), size=11)


def test_the_cache_follows_the_content(pictures):
    before = everything(load(str(pictures), size=12))
    Image.fromarray(noise(77)).save(pictures / "00.png")
    after = {row.numpy().tobytes() for row in everything(load(str(pictures), size=12))}
    assert noise(77).transpose(2, 0, 1).tobytes() in after
    assert len(after & {row.numpy().tobytes() for row in before}) == 29


def test_an_interrupted_decoding_leaves_no_entry(pictures, monkeypatch, cache):
    from saddlepoint.data import folder

    decode, calls = folder.decode, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return decode(*arguments)

    monkeypatch.setattr(folder, "decode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load(str(pictures))
    assert [path.suffix for path in (cache / "decoded").iterdir()] == [".lock"]
    monkeypatch.setattr(folder, "decode", decode)
    assert len(everything(load(str(pictures)))) == 30


def test_a_cache_that_cannot_be_written_is_named(pictures, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "file" / "cache"))
    refused(pictures, "cache folder .* cannot be written .*SADDLEPOINT_CACHE")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_an_error():
    with pytest.raises(OSError, match="No space left"):
        write_rows(Path("/dev/full"), (5, 10), np.zeros((5, 10), np.uint8))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height):
    """A PNG whose header announces a size, with next to nothing behind it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def truncated(path, image, share=0.6):
    image.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


BAD = {
    "truncated.png": lambda path: truncated(path, Image.fromarray(noise(50, 40, 40))),
    "truncated.jpg": lambda path: truncated(path, Image.fromarray(noise(50, 40, 40))),
    "truncated.webp": lambda path: truncated(path, Image.fromarray(noise(50, 40, 40))),
    "truncated.gif": lambda path: truncated(path, Image.fromarray(noise(50, 40, 40)[..., 0])),
    "header.png": lambda path: path.write_bytes(png(12, 12)[:20]),
    "text.png": lambda path: path.write_text("this is not an image"),
    "empty.png": lambda path: path.write_bytes(b""),
    "flat.png": lambda path: path.write_bytes(png(0, 12)),
    "bomb.png": lambda path: path.write_bytes(png(40_000, 40_000)),
    "little bomb.png": lambda path: path.write_bytes(png(12_000, 9_000)),
    "dangling.png": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_image_among_many(pictures, name, caplog):
    """Named and refused; left out and counted on demand, then and later; refused again where not asked to
    skip."""
    good = everything(load(str(pictures)))
    BAD[name](pictures / name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            message = refused(pictures, "1 of 31 images cannot be used")
            assert f"{pictures / name} (" in message
            assert "--skip-bad" in message
            with caplog.at_level(logging.WARNING):
                caplog.clear()
                data = load(str(pictures), skip_bad=True)
            assert "1 of 31 images cannot be used" in caplog.text
            assert torch.equal(everything(data), good)
    assert data.identity == load(str(pictures), skip_bad=True).identity


def test_several_bad_images_are_counted(pictures):
    for name, spoil in BAD.items():
        spoil(pictures / name)
    assert len(everything(load(str(pictures), skip_bad=True))) == 30


def test_skipping_gives_the_identity_of_what_is_left(pictures):
    clean = load(str(pictures)).identity
    BAD["truncated.png"](pictures / "truncated.png")
    assert load(str(pictures), skip_bad=True).identity == clean


def test_nothing_but_bad_images(tmp_path):
    BAD["text.png"](tmp_path / "a.png")
    BAD["truncated.jpg"](tmp_path / "b.jpg")
    for _ in range(2):
        refused(tmp_path, "none is left|one sample only", skip_bad=True)


def test_folders_without_images(tmp_path):
    refused(tmp_path / "missing", "no folder and no file")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "has no images .0 other files.*accepted are .*png")
    (tmp_path / "empty" / "a.txt").write_text("")
    refused(tmp_path / "empty", "has no images .1 other files")


def test_one_image_is_not_enough(tmp_path):
    Image.fromarray(noise(0)).save(tmp_path / "a.png")
    refused(tmp_path, "one sample only")
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    refused(tmp_path, "2 equal samples")
    Image.fromarray(noise(1)).save(tmp_path / "c.png")
    assert len(everything(load(str(tmp_path)))) == 3


def test_two_processes_share_one_decoding(pictures, cache):
    """Threads stand for processes: file locks belong to open files."""
    import threading

    results = []
    threads = [
        threading.Thread(target=lambda: results.append(load(str(pictures)).identity)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(results)) == 1
    assert len(results) == 4
    assert sum(path.is_dir() for path in (cache / "decoded").iterdir()) == 1
