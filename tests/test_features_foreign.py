"""Extractors without training and those that somebody else made; nothing is unpickled on the way."""

from __future__ import annotations

import pickle
import sys
import types
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.features import Foreign, Pixels, RandomConvolution, by_name, of_file, of_module
from saddlepoint.features import inception as inception_file
from saddlepoint.features.inception import inception
from saddlepoint.metrics.score import INCEPTION


def images(n: int = 9, channels: int = 1, seed: int = 0) -> Tensor:
    return torch.rand(n, channels, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = (
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(),
            nn.Flatten(),
            nn.Linear(144, 5),
        )
        return nn.Sequential(*layers)


def test_pixels_are_brightness() -> None:
    batch = images()
    assert torch.equal(Pixels()(batch), (batch.reshape(9, 64) + 1) / 2)
    with pytest.raises(InputError, match="pixels is for images"):
        Pixels()(torch.zeros(4, 2))


def test_random_convolutions_are_convolutions() -> None:
    """8x8 to 4x4 by halving once; ReLU and zero biases make them positively homogeneous of degree 1."""
    judge, batch = RandomConvolution(1), images()
    first, second, third = judge.weights
    by_hand = functional.avg_pool2d(functional.conv2d(batch, first, padding=1).relu(), 2)
    by_hand = functional.conv2d(functional.conv2d(by_hand, second, padding=1).relu(), third, padding=1).relu()
    quarters = by_hand.unflatten(3, (2, 2)).unflatten(2, (2, 2)).mean((3, 5))
    torch.testing.assert_close(judge(batch), quarters.flatten(1))
    torch.testing.assert_close(judge(3 * batch), 3 * judge(batch))


def test_random_convolutions_depend_on_the_seed_alone() -> None:
    same, other = RandomConvolution(1), RandomConvolution(1, seed=1)
    assert same.hash == RandomConvolution(1).hash != other.hash
    torch.testing.assert_close(same(images())[4:6], same(images()[4:6]))
    assert not torch.allclose(same(images()), other(images()))
    with pytest.raises(InputError, match="of 1 channels, and samples have 3"):
        same(images(channels=3))


def test_a_module_is_taken_in_evaluation_mode_and_left_as_it_was() -> None:
    module = network()
    judge = of_module(module, "mine")
    assert module.training
    assert judge.name == "module:mine"
    torch.testing.assert_close(judge(images()), module.eval()(images()).detach())
    assert judge.hash == of_module(network(), "other").hash != of_module(network(1), "mine").hash


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    module, paths = network().eval(), {ending: tmp_path / f"net.{ending}" for ending in ("pt", "pt2")}
    torch.jit.trace(module, images()).save(str(paths["pt"]))
    rows = {0: torch.export.Dim("rows")}
    torch.export.save(torch.export.export(module, (images(),), dynamic_shapes=(rows,)), paths["pt2"])
    return paths


@pytest.mark.parametrize("ending", ["pt", "pt2"])
def test_a_file_gives_the_features_of_its_module(files: dict[str, Path], ending: str) -> None:
    judge = of_file(files[ending])
    assert (judge.name, judge.hash) == (
        "file:net",
        f"sha256:{sha256(files[ending].read_bytes()).hexdigest()}",
    )
    torch.testing.assert_close(judge(images(13, seed=5)), of_module(network(), "")(images(13, seed=5)))
    assert by_name(str(files[ending]), load("digits")).hash == judge.hash


SPRUNG: list[int] = []


def spring() -> Trap:
    SPRUNG.append(1)
    return Trap()


class Trap:
    """Whoever unpickles it is noticed."""

    def __reduce__(self) -> tuple[object, ...]:
        return (spring, ())


def replaced(source: Path, target: Path, content: bytes, *words: str) -> Path:
    """An archive with other content in those members whose path holds one of the words."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if any(word in name for word in words) else old.read(name))
    return target


def test_nothing_is_unpickled(files: dict[str, Path], tmp_path: Path) -> None:
    torch.save(Trap(), tmp_path / "pickled.pt")
    trap = (tmp_path / "pickled.pt").read_bytes()
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Trap()))
    hostile = [
        tmp_path / "pickled.pt",
        tmp_path / "plain.pt",
        replaced(files["pt2"], tmp_path / "inputs.pt2", trap, "sample_inputs"),
        replaced(files["pt"], tmp_path / "scripted.pt", pickle.dumps(Trap()), "data.pkl", "constants.pkl"),
    ]
    with zipfile.ZipFile(replaced(files["pt2"], tmp_path / "opaque.pt2", b"", "nothing"), "a") as archive:
        archive.writestr("net/data/constants/opaque_obj_0", pickle.dumps(Trap()))
    for path in [*hostile, tmp_path / "opaque.pt2"]:
        with pytest.raises(InputError, match=path.name):
            of_file(path)(images())
    assert SPRUNG == []
    torch.load(tmp_path / "pickled.pt", weights_only=False)  # the trap works
    assert SPRUNG == [1]
    SPRUNG.clear()


def test_what_is_no_extractor_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "net.onnx").write_text("hello")
    for name, words in {
        "text.pt": "torch.jit.save",
        "net.onnx": "the ending .onnx",
        "none.pt": "not there",
    }.items():
        with pytest.raises(InputError, match=words):
            of_file(tmp_path / name)
    digits, ring = load("digits"), load("ring")
    with pytest.raises(InputError, match="did you mean pixels"):
        by_name("pixel", digits)
    for name in ("inception", "pixels", "random-convolution"):
        with pytest.raises(InputError, match="ring has none"):
            by_name(name, ring)


def test_what_an_extractor_gives_is_looked_at(files: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="does not take 9 samples of shape"):
        of_file(files["pt"])(images(channels=3))
    for bad in (lambda block: block.mean(), lambda block: block[:1], lambda block: [1]):
        with pytest.raises(InputError, match="one row each is needed"):
            Foreign("bad", "none", bad)(images())


class StandIn(nn.Module):
    """The interface of torch-fidelity's Inception, with random weights in a small network."""

    seen: ClassVar[list[Tensor]] = []

    def __init__(self, name: str, features_list: list[str], feature_extractor_weights_path: str) -> None:
        super().__init__()
        assert features_list == ["2048"]
        self.line = nn.Linear(3 * 64, 2048)
        self.load_state_dict(torch.load(feature_extractor_weights_path, weights_only=False))

    def forward(self, levels: Tensor) -> tuple[Tensor]:
        StandIn.seen.append(levels)
        return (self.line(levels.float().flatten(1)),)


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    module = types.ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.FeatureExtractorInceptionV3 = StandIn  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    torch.save({"line.weight": torch.randn(2048, 192), "line.bias": torch.zeros(2048)}, tmp_path / "w.pth")
    return tmp_path / "w.pth"


def test_inception_sees_levels_in_three_channels(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grey = torch.tensor([-1.0, 0.0, 1.0, 0.5]).view(4, 1, 1, 1).expand(4, 1, 8, 8)
    StandIn.seen.clear()
    found = inception(weights)(grey)
    (levels,) = StandIn.seen
    assert (levels.dtype, tuple(levels.shape)) == (torch.uint8, (4, 3, 8, 8))
    assert levels[:, :, 0, 0].tolist() == [[0] * 3, [128] * 3, [255] * 3, [191] * 3]  # round(127.5 (x + 1))
    assert (found.shape, found.dtype) == ((4, 2048), torch.float32)
    with pytest.raises(InputError, match="1 or 3 channels, and images have 2"):
        inception(weights)(images(channels=2))


def test_only_the_published_weights_carry_the_name(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = inception(weights)
    assert other.name == "inception:w"
    digest = sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setattr(inception_file, "DIGEST", digest[:8])
    assert inception(weights).name == INCEPTION
    assert inception(weights).hash == other.hash


def test_pickled_weights_are_refused(weights: Path) -> None:
    torch.save(Trap(), weights)
    with pytest.raises(InputError, match="does not hold the weights"):
        inception(weights)
    assert SPRUNG == []


def test_a_missing_extra_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(InputError, match=r"pip install saddlepoint\[inception\]"):
        inception(tmp_path / "w.pth")
