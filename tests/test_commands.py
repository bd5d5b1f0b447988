"""The commands on tiny runs: what they write, print and accept, from the command line and from Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image

import saddlepoint as api
from command_line import here, inside, listing
from saddlepoint import methods
from saddlepoint.data import load
from saddlepoint.images import GAP, TILE, grid, png
from saddlepoint.metrics import Score
from saddlepoint.networks import DCGAN, MLP
from saddlepoint.pictures import in_plane
from saddlepoint.sampling import latents
from saddlepoint.trained import Run
from saddlepoint.version import __version__
from saddlepoint.vocabulary import read

NETWORK = "DCGAN(width=8)"  # with BatchNorm in the generator: its running statistics travel with the weights
DIGITS = (
    f"train gan-r1 --data digits --network '{NETWORK}' --method.terms.0.gamma 0.5 --method.latent.size 6 "
    "--steps 12 --batch-size 16 --evaluations 1 --evaluation-samples 100 --pictures 3 --out digits"
)
RING = "train gan --data ring --network 'MLP(width=16)' --steps 6 --evaluations 0 --pictures 1 --quiet --out ring"


class Made(NamedTuple):
    """The working folder with two runs in it."""

    place: Path
    digits: Run
    ring: Run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    place = tmp_path_factory.mktemp("commands") / "place"
    place.mkdir()
    for line in (DIGITS, RING):
        done = here(line, place)
        assert done.returncode == 0, done.stderr
    return Made(place, Run.open(place / "digits"), Run.open(place / "ring"))


def ran(line: str, made: Made) -> str:
    """What a command prints."""
    done = here(line, made.place)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def array(made: Made, options: str) -> np.ndarray:
    ran(f"sample {options} --npz samples.npz", made)
    with np.load(made.place / "samples.npz", allow_pickle=False) as content:
        assert content.files == ["samples"]
        return np.asarray(content["samples"])


def levels(samples: torch.Tensor) -> np.ndarray:
    """Images in [-1, 1] as uint8 [n, height, width, channels]."""
    return ((samples + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


# -- train ------------------------------


def test_training_writes_a_run(made: Made) -> None:
    folder = made.digits.folder
    record = folder.read()
    assert record["method_id"] == "gan-r1"
    assert record["networks"] == repr(DCGAN(width=8))
    assert read(record["method"]) == made.digits.method
    assert made.digits.method.terms[0].gamma == 0.5
    assert record["budget"] == {"steps": 12}
    assert [row["step"] for row in folder.rows(folder.metrics)] == [*range(1, 13)]
    assert [row["images"] for row in folder.rows(folder.metrics)] == [*range(16, 16 * 13, 16)]
    assert [row["step"] for row in folder.rows(folder.evaluations)] == [0, 12]
    assert sorted(path.name for path in folder.samples.iterdir()) == [
        f"{step:08d}.png" for step in (0, 4, 8, 12)
    ]
    names = {path.stem for path in folder.weights.iterdir()}
    assert names == {"generator", "generator-average", "discriminator"}
    assert json.loads(folder.summary.read_text())["status"] == "finished"


def test_training_again_does_nothing(made: Made) -> None:
    before = listing(made.place)
    done = here(DIGITS, made.place)
    assert done.returncode == 0
    assert "is finished: 12 steps; nothing to do" in done.stderr
    assert listing(made.place) == before


# -- sample ------------------------------


def test_the_grid_has_the_size_of_its_images(made: Made) -> None:
    """8x8 pixels enlarged to 64, half an enlarged pixel between two, as many columns as rows."""
    gap = max(GAP, TILE // 8 // 2)
    for n, columns, rows in ((1, 1, 1), (4, 2, 2), (7, 3, 3), (12, 4, 3)):
        assert ran(f"sample digits -n {n} --out grid.png", made) == "grid.png\n"
        with Image.open(made.place / "grid.png") as picture:
            assert picture.size == (columns * (TILE + gap) - gap, rows * (TILE + gap) - gap)
    assert (made.place / "grid.png").read_bytes() == png(grid(made.digits.sample(12)))


def test_points_are_drawn_in_the_plane(made: Made) -> None:
    ran("sample ring -n 50 --out plane.png", made)
    with Image.open(made.place / "plane.png") as picture:
        assert picture.size == (480, 480)


def test_the_array_holds_the_samples(made: Made) -> None:
    images = array(made, "digits -n 20")
    assert images.dtype == np.uint8
    assert np.array_equal(images, levels(made.digits.sample(20)))
    points = array(made, "ring -n 20")
    assert points.dtype == np.float32
    assert np.array_equal(points, made.ring.sample(20).numpy())


def test_a_seed_is_a_set_of_samples(made: Made) -> None:
    one, again, other = (array(made, f"ring -n 30 --seed {seed}") for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.isin(one, other).any()
    assert np.allclose(array(made, "ring -n 10 --seed 1"), one[:10], atol=1e-6)
    first = (made.place / "samples.npz").read_bytes()
    array(made, "ring -n 10 --seed 1")
    assert (made.place / "samples.npz").read_bytes() == first


@pytest.mark.parametrize("threshold", [0.1, 1.0])
def test_truncation_draws_from_the_middle(made: Made, threshold: float) -> None:
    """Conditioned on |z| <= t the variance is 1 - 2 t φ(t)/(2Φ(t) - 1) in each coordinate."""
    cut = latents(made.ring.method, 4000, 0, "sample", threshold)["latent"].double()
    assert cut.abs().max() <= threshold
    normal = torch.distributions.Normal(torch.tensor(0.0, dtype=torch.float64), 1.0)
    t = torch.tensor(threshold, dtype=torch.float64)
    variance = 1 - 2 * t * normal.log_prob(t).exp() / (2 * normal.cdf(t) - 1)
    assert cut.var() == pytest.approx(float(variance), rel=0.02)
    assert array(made, "ring -n 4000").std() > array(made, f"ring -n 4000 --truncation {threshold}").std()


def test_no_truncation_is_the_limit_of_truncation(made: Made) -> None:
    wide = array(made, "ring -n 100 --truncation 8")
    assert np.allclose(wide, array(made, "ring -n 100"), atol=1e-5)


def test_an_interpolation_goes_from_sample_to_sample(made: Made) -> None:
    """Its ends do not depend on the steps between them and are samples of two latents."""
    short, long = (array(made, f"ring --interpolate -n {3 * steps} --steps {steps}") for steps in (3, 9))
    assert (len(short), len(long)) == (9, 27)
    assert np.allclose(short.reshape(3, 3, 2)[:, [0, 1, 2]], long.reshape(3, 9, 2)[:, [0, 4, 8]], atol=1e-5)
    ends = [latents(made.ring.method, 3, 0, f"interpolation {side}")["latent"] for side in ("start", "end")]
    for index, end in ((0, ends[0]), (-1, ends[1])):
        assert np.allclose(long.reshape(3, 9, 2)[:, index], made.ring.render({"latent": end}), atol=1e-5)
    ran("sample digits --interpolate -n 20 --steps 5 --out strip.png", made)
    assert (made.place / "strip.png").read_bytes() == png(grid(made.digits.interpolate(4, 5), 5))


def test_the_best_checkpoint_can_be_sampled(made: Made) -> None:
    best = json.loads((made.digits.folder.checkpoints / "best.json").read_text())["step"]
    state = Run.open(made.digits.path, best=True).state
    assert state.clock["step"] == best
    assert array(made, "digits -n 4 --best").shape == (4, 8, 8, 1)


def test_a_run_can_be_sampled_where_its_data_are_not(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    np.save(tmp_path / "mine.npy", rows)
    line = f"train gan --data mine.npy --network '{NETWORK}' --steps 2 --batch-size 8 --evaluations 0 --quiet --out run"
    assert here(line, tmp_path).returncode == 0
    sampled = "sample run -n 4 --out grid.png --npz samples.npz"
    assert here(sampled, tmp_path).returncode == 0
    before = (tmp_path / "samples.npz").read_bytes()
    for change in ("removed", "changed"):
        (tmp_path / "mine.npy").unlink()
        if change == "changed":
            np.save(tmp_path / "mine.npy", 255 - rows)
        assert here(sampled, tmp_path).returncode == 0
        assert (tmp_path / "samples.npz").read_bytes() == before
        done = here("evaluate run -n 8", tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "mine.npy" in done.stderr
        np.save(tmp_path / "mine.npy", rows)


def test_vectors_of_any_width_have_a_picture() -> None:
    """On the principal directions distances within their plane are kept; one number is kept on the first axis."""
    source = torch.Generator().manual_seed(0)
    points = torch.randn(40, 2, generator=source) * torch.tensor([3.0, 1.0])
    turned = points @ torch.linalg.qr(torch.randn(5, 5, generator=source))[0][:2]
    samples, real = in_plane(turned[:10], turned)
    assert torch.allclose(torch.cdist(samples, real), torch.cdist(points[:10], points), atol=1e-4)
    assert torch.equal(in_plane(points[:3, :1], points[:, :1])[0][:, 0], points[:3, 0])
    assert torch.equal(in_plane(points[:3], points)[0], points[:3])
    assert in_plane(turned[:3], turned[:1])[0].shape == (3, 2)


# -- evaluate ------------------------------


def scores(line: str, made: Made) -> dict[str, Score]:
    return {score.metric: score for score in map(Score.from_json, json.loads(ran(line, made)))}


def test_the_scores_of_a_run_say_what_they_are(made: Made) -> None:
    found = scores("evaluate digits -n 200 --json", made)
    assert set(found) == {"frechet-distance", "precision", "recall"}
    for score in found.values():
        assert (score.n_real, score.n_fake, score.split, score.seed) == (200, 200, "held-out", 0)
        assert score.data == load("digits").identity
        assert score.extractor == "digits-cnn"
        assert score.hash.startswith("sha256:")
        assert score.floor is not None
        assert score.interval is not None
    with inside(made.place):
        assert list(found.values()) == list(made.digits.evaluate(200))
    modes = scores("evaluate ring -n 200 --json", made)
    assert {"frechet-distance", "modes-covered", "high-quality-share"} <= set(modes)
    assert modes["modes-covered"].floor == 8


def test_scores_are_printed_as_a_table(made: Made) -> None:
    text = ran("evaluate ring -n 200", made)
    for word in (
        "FD[identity]",
        "high-quality-share",
        "real against real",
        "identity sha256:",
        "200 generated",
    ):
        assert word in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_real_images_in_a_folder_score_near_the_floor_and_noise_far_from_it(made: Made) -> None:
    """400 real digits as PNG files: the value is the floor up to which rows were drawn. Noise is not near it."""
    noise = torch.rand(400, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for name, images in (("real", load("digits").training(400, seed=7)["real"]), ("noise", noise)):
        (made.place / name).mkdir()
        for number, image in enumerate(levels(images)):
            Image.fromarray(image[..., 0]).save(made.place / name / f"{number}.png")
    real, fake = (scores(f"evaluate {name} --data digits -n 400 --json", made) for name in ("real", "noise"))
    near, far = real["frechet-distance"], fake["frechet-distance"]
    assert near.n_fake == far.n_fake
    assert near.n_fake > 380
    assert near.floor == far.floor
    assert near.floor is not None
    assert 1 / 3 < near.value / near.floor < 3
    assert far.value > 20 * near.value
    assert real["precision"].value > 0.9 > 0.5 > fake["precision"].value
    for metric in ("precision", "recall"):
        assert real[metric].value == pytest.approx(real[metric].floor, abs=0.05)


def test_a_run_can_be_evaluated_against_other_data_of_its_shape(made: Made) -> None:
    against = scores("evaluate ring -n 100 --data grid --json", made)
    assert against["frechet-distance"].data == load("grid").identity


# -- report, show, methods, data ------------------------------


def test_the_report_is_written_again(made: Made) -> None:
    page = made.place / "ring" / "report.html"
    page.unlink()
    assert ran("report ring", made) == "ring/report.html\n"
    text = page.read_text()
    assert text.lstrip().lower().startswith("<!doctype html>")
    assert "non-saturating" in text.lower() or "gan" in text
    assert not re.search(r"(src|href)=[\"']https?://", text)


@pytest.mark.parametrize("name", methods.names())
def test_a_method_is_shown_in_full(made: Made, name: str) -> None:
    method, text = methods.get(name), ran(f"show {name}", made)
    for part in (method.formula, method.paper, *method.deviations):
        assert part in text
    assert read(text.split("\nvalue\n")[1]) == method


def test_a_value_is_shown_in_full(made: Made) -> None:
    value = "Method(name='mine', objective=Hinge())"
    assert read(ran(f'show "{value}"', made).split("\nvalue\n")[1]) == read(value)


def test_the_catalogue_of_methods_is_json(made: Made) -> None:
    rows = json.loads(ran("methods --json", made))
    assert tuple(row["id"] for row in rows) == methods.names()
    for row in rows:
        method = methods.get(row["id"])
        assert read(row["value"]) == method
        assert row["formula"] == method.formula
        assert row["paper"] == method.paper
        assert row["players"] == list(method.dynamics.optimizers)
    assert ran("methods", made).split("\n")[0].startswith(f"{methods.names()[0]} ")


def test_the_data_sets_are_json(made: Made) -> None:
    rows = {row["name"]: row for row in json.loads(ran("data --json", made))}
    assert {"ring", "digits", "mnist", "fashion-mnist", "cifar10", "stacked-mnist"} <= set(rows)
    for name in ("ring", "digits"):
        here_now = load(name)
        assert rows[name]["shape"] == list(here_now.shape)
        assert rows[name]["size"] == here_now.size
        assert rows[name]["available"] is True
    table = ran("data", made)
    assert all(name in table for name in rows)


# -- from Python ------------------------------


def test_training_from_python_is_the_same_run(made: Made, tmp_path: Path) -> None:
    settings = api.Settings(evaluations=0, pictures=1)
    with inside(made.place):
        run = api.train(
            methods.get("gan"),
            "ring",
            MLP(width=16),
            out=tmp_path / "run",
            budget=api.Budget(steps=6),
            settings=settings,
        )
    assert isinstance(run, api.Run)
    assert torch.equal(run.sample(100, seed=3), made.ring.sample(100, seed=3))
    for name in ("generator", "discriminator"):
        ours, theirs = (r.folder.weights / f"{name}.safetensors" for r in (run, made.ring))
        assert ours.read_bytes() == theirs.read_bytes()


def test_parts_of_ones_own_train_and_come_back(tmp_path: Path) -> None:
    """Modules and an objective that no vocabulary knows: the run that `train` returns has them."""
    from torch import nn

    from saddlepoint.objectives import NonSaturating

    class Own(NonSaturating):
        pass

    pair = {"generator": nn.Linear(4, 2), "discriminator": nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))}
    method = replace(methods.get("gan"), objective=Own(), latent=replace(methods.get("gan").latent, size=4))
    settings = api.Settings(evaluations=0, pictures=0)
    run = api.train(method, "ring", pair, out=tmp_path / "run", budget=api.Budget(steps=2), settings=settings)
    assert run.sample(5).shape == (5, 2)
    start = pair["generator"].weight.detach().clone()
    assert not torch.equal(run.generator().get_parameter("weight"), start)
    assert torch.equal(pair["generator"].weight, start)


@pytest.mark.parametrize("which", ["digits", "ring"])
def test_the_generator_is_an_ordinary_module(made: Made, which: str) -> None:
    """The same samples, from averaged weights and statistics for `gan-r1`, and from the weights themselves for `gan`."""
    run = getattr(made, which)
    generator = run.generator()
    assert not generator.training
    with torch.no_grad():
        samples = generator(latents(run.method, 50, 4, "sample")["latent"])
    assert torch.allclose(samples, run.sample(50, seed=4), atol=1e-6)
    untrained = Run.untrained(run)
    assert not torch.allclose(untrained.sample(50, seed=4), samples, atol=1e-3)
    raw = run.plan.modules()["generator"].eval()
    with torch.no_grad():
        assert torch.allclose(
            raw(latents(run.method, 50, 4, "sample")["latent"]), untrained.sample(50, seed=4), atol=1e-6
        )


def test_the_package_runs_as_a_module(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "saddlepoint", "--version"], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout.strip()) == (0, __version__)
