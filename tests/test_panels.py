"""Codes that vary, classes a row, and the scores of what was made by class or by code."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from command_line import assert_refused, here
from saddlepoint import Budget, Settings, methods, report, train
from saddlepoint.data import load
from saddlepoint.errors import InputError
from saddlepoint.evaluate import Evaluator
from saddlepoint.features import Identity
from saddlepoint.latents import Codes, Gaussian, Latent, Sphere, Uniform
from saddlepoint.metrics import Quantities, Reference, catalogue
from saddlepoint.metrics.information import Recognition
from saddlepoint.networks import MLP
from saddlepoint.panels import panels
from saddlepoint.penalties import MutualInformation
from saddlepoint.plan import Plan
from saddlepoint.sampling import by_class, latents, samples
from saddlepoint.trained import Run
from small_games import play, small

QUICK = "--network mlp --steps 3 --batch-size 16 --evaluations 0 --pictures 1 --quiet"


def drawn(latent: Codes, rows: int) -> dict[str, torch.Tensor]:
    return {n: d.sample(rows, torch.Generator().manual_seed(0)) for n, d in latent.draws().items()}


def test_one_code_varies_and_everything_else_stays() -> None:
    latent = Codes(noise=4, categorical=(3, 5), continuous=2)
    start = drawn(latent, 2)
    noise = latent.traversed(start, steps=4)
    columns = latent.columns(4)
    assert columns == 5, "each category is shown"
    assert all(len(rows) == 4 * 2 * columns for rows in noise.values())
    code = latent.code(noise["choice"], noise["place"]).view(4, 2, columns, -1)
    own = latent.code(start["choice"], start["place"])
    parts = [slice(0, 3), slice(3, 8), slice(8, 9), slice(9, 10)]
    assert torch.equal(
        noise["latent"].view(4, 2, columns, 4), start["latent"].view(1, 2, 1, 4).expand(4, 2, columns, 4)
    )
    for varied in range(4):
        for part in range(4):
            shown = code[varied, :, :, parts[part]]
            if part != varied:
                assert torch.equal(shown, own[:, None, parts[part]].expand_as(shown))
    assert code[0, 0, :, :3].argmax(1).tolist() == [0, 0, 1, 2, 2]
    assert code[1, 1, :, 3:8].argmax(1).tolist() == [0, 1, 2, 3, 4]
    torch.testing.assert_close(code[2, 0, :, 8], torch.linspace(-1, 1, 5))
    assert len(latent.named()) == 4


def test_traversals_from_the_command_line_and_in_the_report(tmp_path: Path) -> None:
    done = here(f"train infogan --data digits {QUICK} --out run", tmp_path)
    assert done.returncode == 0, done.stderr
    done = here("sample run --traverse -n 60 --steps 6 --out codes.png --npz codes.npz", tmp_path)
    assert done.returncode == 0, done.stderr
    made = np.load(tmp_path / "codes.npz")["samples"]
    assert made.shape == (60, 8, 8, 1)  # 10 columns, 3 codes, 2 rows a code
    run = Run.open(tmp_path / "run")
    again = run.traverse(2, 6)
    pixels = (again.permute(0, 2, 3, 1).numpy() + 1) * 127.5
    assert np.abs(pixels - made).max() <= 0.5 + 1e-4
    told = json.loads((tmp_path / "run" / "panels" / "codes.json").read_text())
    assert len(told["rows"]) == 3
    page = (tmp_path / "run" / "report.html").read_text()
    assert "One code varied a row" in page
    assert "−1 to 1 (2)" in page
    wide, high = Image.open(tmp_path / "run" / "panels" / "codes.png").size
    assert wide > 3 * high
    assert_refused(here("sample run --traverse --interpolate --out x.png", tmp_path), "one at a time")
    plain = here(f"train gan --data digits {QUICK} --out plain", tmp_path)
    assert plain.returncode == 0, plain.stderr
    assert [path.name for path in (tmp_path / "plain" / "panels").glob("*.png")] == ["walks.png"]
    assert_refused(here("sample plain --traverse --out x.png", tmp_path), "gan has no codes to vary")


def test_a_panel_that_is_damaged_is_noted(tmp_path: Path) -> None:
    assert here(f"train infogan --data digits {QUICK} --out run", tmp_path).returncode == 0
    (tmp_path / "run" / "panels" / "codes.png").write_bytes(b"no picture")
    report.write(tmp_path / "run")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "codes.png cannot be read and is left out" in page
    assert "One code varied a row" not in page


def test_classes_stand_in_rows_with_their_names(tmp_path: Path) -> None:
    """From folders with a sub-folder a class: labels in the order of the names, sampled by name, named in the report."""
    folders(tmp_path / "pets", {"cats": 20, "dogs <b>": 20, "newts": 20})
    done = here(f"train cgan --data pets {QUICK} --out run", tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "run" / "panels" / "classes.json").read_text())
    assert told["rows"] == ["cats", "dogs <b>", "newts"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "<li>dogs &lt;b&gt;</li>" in page
    assert page.index("<li>cats</li>") < page.index("<li>newts</li>")
    done = here("sample run -n 4 --label newts --npz newts.npz", tmp_path)
    assert done.returncode == 0, done.stderr
    by_number = here("sample run -n 4 --label 2 --npz two.npz", tmp_path)
    assert by_number.returncode == 0
    assert np.array_equal(*(np.load(tmp_path / f"{n}.npz")["samples"] for n in ("newts", "two")))
    assert_refused(
        here("sample run --label birds --npz x.npz", tmp_path), "--label birds", "no class", "newts"
    )
    run = Run.open(tmp_path / "run")
    for wrong in (torch.tensor([0, 3]), torch.tensor([-1, 0]), torch.zeros(3, dtype=torch.long)):
        with pytest.raises(InputError, match="labels of 2 samples are 2 whole numbers from 0 to 2"):
            run.sample(2, labels=wrong)
    with pytest.raises(InputError, match="whole numbers"):
        run.sample(2, labels=torch.tensor([0.5, 1.0]))


def folders(place: Path, counts: dict[str, int]) -> None:
    random = np.random.default_rng(0)
    for name, count in counts.items():
        (place / name).mkdir(parents=True)
        for index in range(count):
            Image.fromarray(random.integers(0, 256, (8, 8), dtype=np.uint8)).save(
                place / name / f"{index}.png"
            )


def test_the_labels_of_a_folder_are_its_sub_folders(tmp_path: Path) -> None:
    """Rows that train: brightness tells the class, and the label agrees, through the batches of the game."""
    for level, name in ((40, "b dark"), (200, "a light")):
        (tmp_path / "set" / name).mkdir(parents=True)
        for index in range(12):
            pixels = np.full((8, 8), level + index, np.uint8)
            Image.fromarray(pixels).save(tmp_path / "set" / name / f"{index}.png")
    data = load(str(tmp_path / "set"))
    assert data.classes == ("a light", "b dark")
    for rows in (data.rows(3, 0, 40), data.training(), data.held_out()):
        bright = rows["real"].flatten(1).mean(1) > 0
        assert torch.equal(rows["label"] == 0, bright)


def test_labels_without_a_class_are_refused(tmp_path: Path) -> None:
    """A set of one's own whose labels do not fit its classes."""
    wrong = replace(load("digits"), classes=tuple("abcdefg"))  # type: ignore[type-var]
    with pytest.raises(InputError, match="label 9 and has 7 classes: labels are whole numbers from 0 to 6"):
        train(
            methods.get("cgan"),
            wrong,
            MLP(8),
            out=tmp_path / "r",
            budget=Budget(steps=1),
            settings=settings(),
        )


def test_columns_of_the_classes_have_their_noise_in_common() -> None:
    method = replace(methods.get("cgan"), latent=Gaussian(5))
    digits = load("digits")
    game = method.game(method.networks.__class__(MLP(8)).build(digits.shape, 5, 10), digits.training(8))  # type: ignore[attr-defined]
    panel, _ = panels(method, game, digits, 0)
    noise = panel.noise["latent"].view(10, 10, 5)
    assert torch.equal(noise, noise[:1].expand(10, 10, 5))
    assert torch.equal(panel.noise["label"].view(10, 10), torch.arange(10)[:, None].expand(10, 10))
    game, _ = play(small(methods.get("cgan")))
    assert panels(small(methods.get("cgan")), game, load("ring"), 0) == []


WAYS: dict[str, Latent] = {
    "infogan": Codes(noise=3),
    "gan": Gaussian(5),
    "gan-r1": Sphere(5),
    "cgan": Uniform(5),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_walk_goes_from_sample_to_sample(name: str) -> None:
    """The first and the last of each row are the samples of its two latents; the class and the codes stay."""
    method, digits = replace(methods.get(name), latent=WAYS[name]), load("digits")
    networks = Plan(method, digits, MLP(8), Budget(steps=1), Settings()).modules()
    game = method.game(networks, digits.training(8))
    players, memory = game.init(0, digits.training(8))
    panel = panels(method, game, digits, 7)[-1]
    assert (panel.name, panel.columns) == ("walks", 10)
    assert method.latent.way in panel.note
    assert ("Its class stays." in panel.note) == (name == "cgan")
    made = samples(game, players, memory, panel.noise).view(-1, 10, 64)
    start, end = (latents(method, len(made), 7, f"interpolation {side}") for side in ("start", "end"))
    label = {"label": torch.arange(len(made))} if name == "cgan" else {}
    assert panel.rows == (digits.classes[:8] if label else ())
    for place, drawn in ((0, start), (-1, {**start, "latent": end["latent"]})):
        expected = samples(game, players, memory, {**drawn, **label}).flatten(1)
        torch.testing.assert_close(made[:, place], expected, atol=1e-5, rtol=1e-5)
    moved = panel.noise["latent"].view(len(made), 10, -1).diff(dim=1).norm(dim=2)
    assert (moved > 0.01).all(), "every step is one"


def test_on_great_arcs_norms_and_angles_grow_evenly() -> None:
    """‖z(t)‖ = (1 − t)‖a‖ + t‖b‖ and the angle to a is t times that to b, in double precision."""
    start, end = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    share = torch.linspace(0, 1, 7, dtype=torch.float64)
    for latent in (Gaussian(4), Sphere(4)):
        way = latent.between(start, end, share)
        norms = torch.lerp(start.norm(dim=1)[:, None], end.norm(dim=1)[:, None], share)
        torch.testing.assert_close(way.norm(dim=2), norms, atol=1e-12, rtol=1e-12)
        cosine = torch.cosine_similarity(way, start[:, None], dim=2).clamp(-1, 1)
        # arccos loses half of the digits where the cosine is near 1
        torch.testing.assert_close(cosine.arccos(), cosine[:, -1:].arccos() * share, atol=1e-7, rtol=1e-7)
        plane = torch.stack([start, end], 1)
        assert torch.linalg.matrix_rank(torch.cat([plane, way], 1)).tolist() == [2] * 6
    straight = Uniform(4).between(start, end, share)
    torch.testing.assert_close(straight[:, 2], start * 2 / 3 + end / 3)


def test_between_opposite_latents_the_way_is_straight() -> None:
    """There is no shortest arc; single numbers are opposite or in line."""
    share = torch.linspace(0, 1, 5)
    for start in (torch.tensor([[2.0]]), torch.tensor([[2.0, -1.0, 0.5]])):
        for end in (-1.5 * start, 1.5 * start):
            way = Gaussian(start.shape[1]).between(start, end, share)
            torch.testing.assert_close(way[0], torch.lerp(start, end, share[:, None]))


def known(wrong: float = 0.0) -> Recognition:
    """A head that names 4 categories surely, but for a share that it names at random."""
    latent, term = Codes(2, (4,), 1), MutualInformation(categorical=(4,))

    def sure(n: int, seed: int) -> torch.Tensor:
        draws = {name: d.sample(n, torch.Generator().manual_seed(seed)) for name, d in latent.draws().items()}
        code = latent.code(draws["choice"], draws["place"])
        logits = code[:, :4] * (1 - wrong) + wrong / 4
        return term.log_probabilities(torch.cat([logits.log().clamp(min=-1e4), code[:, 4:]], 1), code)

    return Recognition((4,), term.entropy(1), lambda rows: rows[:, :5], sure)


def test_information_of_a_head_that_knows() -> None:
    """log 4 + log 2 − ½ log 2π where it knows all; less by the cross-entropy of a head that is unsure."""
    metric, reference = catalogue.get("mutual-information"), Reference(load("ring"), Identity(), 100)
    fakes = torch.randn(100, 2)
    for wrong in (0.0, 0.5):
        found = Quantities(reference, fakes, recognition=known(wrong)).measure(metric)["mutual-information"]
        exact = math.log(8) - 0.5 * math.log(math.tau) + math.log(1 - wrong + wrong / 4)
        assert found.value == pytest.approx(exact, abs=1e-5)
        assert found.interval is not None
        assert found.interval[0] - 1e-9 <= found.value <= found.interval[1] + 1e-9
    with pytest.raises(InputError, match="no run with codes"):
        Quantities(reference, fakes).measure(metric)


def test_classes_matched_by_a_code() -> None:
    """Digits whose code is read off their label: ten classes by five values match half of them; ignorance the largest."""
    digits = load("digits")
    reference = Reference(digits, Identity(), 400)
    order = {row.numpy().tobytes(): int(y) for row, y in zip(*digits.held_out(400).values(), strict=True)}

    def read(rows: torch.Tensor) -> torch.Tensor:
        labels = torch.tensor([order[row.numpy().tobytes()] for row in rows])
        return torch.nn.functional.one_hot(labels // 2, 5).float()

    labels = reference.real_labels
    expected = sum(int(max((labels == 2 * k).sum(), (labels == 2 * k + 1).sum())) for k in range(5)) / len(
        labels
    )
    metric = catalogue.get("code-accuracy")
    for head, value in (
        (read, expected),
        (lambda rows: torch.zeros(len(rows), 5), labels.bincount().max() / len(labels)),
    ):
        coded = replace(known(), categorical=(5,), recognise=head)
        found = Quantities(reference, digits.training(50)["real"], recognition=coded).measure(metric)
        assert found["code-accuracy"].value == pytest.approx(float(value))
    assert (
        Quantities(reference, torch.randn(9, 1, 8, 8), recognition=replace(known(), categorical=())).measure(
            metric
        )
        == {}
    )


def settings() -> Settings:
    return Settings(batch_size=16, pictures=0, evaluations=1, evaluation_samples=64, threads=1)


def test_scores_of_a_run_with_codes_follow_its_own_head(tmp_path: Path) -> None:
    run = train(
        methods.get("infogan"),
        "ring",
        MLP(8),
        out=tmp_path / "r",
        budget=Budget(steps=2),
        settings=settings(),
    )
    line = json.loads((tmp_path / "r" / "evaluations.jsonl").read_text().splitlines()[-1])
    scores = {one["metric"]: one["value"] for one in line["scores"]}
    recognition = run.model().recognition
    assert recognition
    assert recognition.entropy == pytest.approx(math.log(10) + 2 * math.log(2))
    assert scores["mutual-information"] == pytest.approx(
        float(recognition.drawn(2000, 0).double().mean()) + recognition.entropy
    )
    assert 0 < scores["code-accuracy"] <= 1
    assert {s.metric for s in run.evaluate(64)} == set(scores)


def test_metrics_know_the_labels_of_fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both in training and afterwards the labels are those that the samples were made with."""
    seen: list[torch.Tensor | None] = []
    call = Evaluator.quantities

    def spy(
        self: Evaluator, samples: torch.Tensor, labels: torch.Tensor | None = None, *more: object
    ) -> object:
        seen.append(labels)
        return call(self, samples, labels, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Evaluator, "quantities", spy)
    run = train(
        methods.get("cgan"), "ring", MLP(8), out=tmp_path / "r", budget=Budget(steps=2), settings=settings()
    )
    run.evaluate(64)
    expected = load("ring").held_out(64, 0)["label"]
    assert len(seen) == 3
    assert all(labels is not None and torch.equal(labels, expected) for labels in seen)
    found = Quantities(Reference(load("ring"), Identity(), 64), run.sample(64), expected)
    assert found.lacks(catalogue.get("gan-train")) is None
    bare = replace(found, fake_labels=None)
    assert bare.lacks(catalogue.get("gan-train")) == "the samples were not made by class"


def test_a_picture_of_many_classes_shows_the_first_twenty() -> None:
    """Of a thousand classes eight columns each would be eight thousand samples at every picture."""
    many: Any = SimpleNamespace(classes=tuple(map(str, range(1000))), shape=(1, 8, 8))
    game: Any = SimpleNamespace(bound=lambda: SimpleNamespace(found=SimpleNamespace(given={"label"})))
    assert by_class(game, many, 8)["label"].tolist() == [k for k in range(20) for _ in range(8)]
    panel, walk = panels(methods.get("cgan"), game, many, 0)
    assert panel.rows == many.classes[:20]
    assert "first 20 of 1000" in panel.note
    assert walk.rows == many.classes[:8]
