"""A trained pair over the plane: networks whose scores, gradients and samples are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.quiver import Quiver, QuiverKey
from scipy.stats import chi
from torch import Tensor, nn

import saddlepoint
from saddlepoint import Budget, Run, Settings, methods
from saddlepoint.data import load
from saddlepoint.diagnostics import draw_plane, plane
from saddlepoint.errors import InputError
from saddlepoint.latents import Gaussian
from saddlepoint.method import Method
from saddlepoint.mixture import Mix
from saddlepoint.model import Trained
from saddlepoint.networks import MLP
from saddlepoint.pictures import plane_picture
from saddlepoint.plan import Plan, fitting

DATA = torch.randn(300, 2, generator=torch.Generator().manual_seed(5)) * torch.tensor([2.0, 0.5])


def gan(latent: int = 2, name: str = "gan", **changes: Any) -> Method:
    return replace(methods.get(name), latent=Gaussian(latent), averages={}, **changes)


def trained(method: Method, networks: dict[str, nn.Module], real: Tensor = DATA) -> Trained:
    game = method.game(networks, {"real": real[:8]})
    return Trained("known", method, game.bound(), *game.init(0, {"real": real[:8]}))


def affine(inputs: int, outputs: int, seed: int) -> nn.Linear:
    layer, source = nn.Linear(inputs, outputs), torch.Generator().manual_seed(seed)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, generator=source)
    return layer


class Distance(nn.Module):
    """s(x) = weight·|x − (1, −2)|²."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([weight]))

    def forward(self, point: Tensor) -> Tensor:
        return self.weight * (point - torch.tensor([1.0, -2.0])).square().sum(1)


def known(latent: int = 2) -> tuple[Trained, nn.Linear, nn.Linear]:
    generator, judge = affine(latent, 2, 1), affine(2, 1, 2)
    networks = {"generator": generator, "discriminator": nn.Sequential(judge, nn.Flatten(0))}
    return trained(gan(latent), networks), generator, judge


def test_a_linear_discriminator_has_its_weight_as_gradient_everywhere() -> None:
    model, _, judge = known()
    seen = plane(model, DATA, resolution=31, arrows=6)
    weight, bias = judge.weight.detach()[0], judge.bias.detach()
    assert seen.gradients.shape == (6, 6, 2)
    torch.testing.assert_close(seen.gradients, weight.expand(6, 6, 2))
    expected = weight[0] * seen.xs[None, :] + weight[1] * seen.ys[:, None] + bias
    torch.testing.assert_close(seen.scores, expected, atol=1e-5, rtol=1e-5)


def test_gradients_belong_to_their_places() -> None:
    """∇ 0.3|x − c|² = 0.6(x − c); rows go along y, inside the window."""
    networks = {"generator": affine(2, 2, 1), "discriminator": Distance(0.3)}
    seen = plane(trained(gan(), networks), DATA, arrows=5)
    expected = 0.6 * (seen.places - torch.tensor([1.0, -2.0]))
    torch.testing.assert_close(seen.gradients, expected, atol=1e-5, rtol=1e-5)
    assert (seen.places[..., 0].diff(dim=1) > 0).all()
    assert (seen.places[..., 1].diff(dim=0) > 0).all()
    for index, side in enumerate((seen.xs, seen.ys)):
        assert side[0] < seen.places[..., index].min()
        assert seen.places[..., index].max() < side[-1]


def test_the_window_is_a_square_about_the_data() -> None:
    seen = plane(known()[0], DATA, resolution=31)
    low, high = torch.stack([seen.xs[[0, -1]], seen.ys[[0, -1]]], 1)
    assert len(seen.xs) == len(seen.ys) == 31
    assert (low < DATA).all()
    assert (high > DATA).all()
    torch.testing.assert_close((high - low)[0], (high - low)[1])
    assert torch.equal(seen.real, DATA)


@pytest.mark.parametrize("latent", [2, 5])
def test_a_linear_generator_warps_the_grid_into_an_affine_one(latent: int) -> None:
    model, generator, _ = known(latent)
    seen = plane(model, DATA, lines=7)
    along = seen.basis @ generator.weight.detach().T
    expected = (
        seen.axis[None, :, None] * along[0] + seen.axis[:, None, None] * along[1] + generator.bias.detach()
    )
    assert seen.warped.shape == (7, 7, 2)
    torch.testing.assert_close(seen.warped, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(seen.axis, -seen.axis.flip(0))


def test_the_grid_of_two_latents_is_their_own() -> None:
    """To Φ⁻¹(0.975): 4 standard errors of a quantile of 2000 draws, √(0.05·0.95/2000)/(2φ(1.96)) = 0.042."""
    seen = plane(known()[0], DATA, samples=1000)
    assert torch.equal(seen.basis, torch.eye(2))
    assert float(seen.axis[-1]) == pytest.approx(1.96, abs=4 * 0.042)


def test_the_grid_of_more_latents_goes_through_draws() -> None:
    """Orthonormal in the plane of the first two, out to the quantile of the χ law of the norm, 4 standard errors."""
    model, *_ = known(5)
    seen = plane(model, DATA, samples=1000, seed=3)
    torch.testing.assert_close(seen.basis @ seen.basis.T, torch.eye(2), atol=1e-5, rtol=0)
    draws = model.latents(1000, 3)[:2]
    torch.testing.assert_close(draws @ seen.basis.T @ seen.basis, draws, atol=1e-5, rtol=1e-5)
    edge = chi(5).ppf(0.95)
    error = (0.05 * 0.95 / 1000) ** 0.5 / chi(5).pdf(edge)
    assert float(seen.axis[-1]) == pytest.approx(edge, abs=4 * error)


def test_samples_are_those_of_the_seed() -> None:
    model, generator, _ = known()
    for seed in (0, 1):
        seen = plane(model, DATA, samples=40, seed=seed)
        torch.testing.assert_close(seen.samples, generator(model.latents(40, seed)).detach())


def test_of_a_mixture_the_component_of_the_first_draw_is_warped() -> None:
    method = gan(mixture=Mix(components=3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = trained(method, method.mixture.around(MLP(width=4)).build((2,), 2))
    components = []
    for seed in range(4):
        seen = plane(model, DATA, resolution=2, lines=5, samples=20, seed=seed)
        axis = seen.axis
        latents = torch.stack([axis.repeat(5), axis.repeat_interleave(5)], 1)
        components.append(model.latents(20, seed)[:1, 2:])
        rows = torch.cat([latents, components[-1].expand(25, -1)], 1)
        torch.testing.assert_close(seen.warped.flatten(0, 1), model.generate(rows).detach())
    assert torch.cat(components).shape == (4, 1)
    assert torch.cat(components).min() < 1 / 3 < torch.cat(components).max()


def test_what_has_no_plane_is_refused() -> None:
    with pytest.raises(InputError, match=r"the data have samples of shape \(1, 8, 8\)"):
        plane(known()[0], torch.zeros(8, 1, 8, 8))
    networks = {"generator": affine(2, 3, 1), "discriminator": nn.Sequential(affine(3, 1, 2), nn.Flatten(0))}
    with pytest.raises(InputError, match=r"known makes samples of shape \(3,\)"):
        plane(trained(gan(), networks, torch.randn(8, 3)), DATA)
    with pytest.raises(InputError, match="at least two numbers"):
        plane(known(1)[0], DATA)
    packed = gan(name="pacgan")
    pair: Any = fitting(packed, MLP(width=4))
    with pytest.raises(InputError, match="packs of points"):
        plane(trained(packed, pair.build((2,), 2)), DATA)


def drawn(model: Trained) -> tuple[Any, Any]:
    seen, axes = plane(model, DATA, resolution=20, arrows=4, lines=6, samples=50), Figure().subplots()
    draw_plane(axes, seen)
    return seen, axes


def only(kind: type, artists: Any) -> list[Any]:
    return [artist for artist in artists if isinstance(artist, kind)]


def test_everything_is_drawn_where_it_belongs() -> None:
    seen, axes = drawn(known()[0])
    (shades,) = only(QuadMesh, axes.collections)
    np.testing.assert_array_equal(shades.get_array(), seen.scores.numpy())
    (arrows,) = only(Quiver, axes.collections)
    np.testing.assert_allclose(arrows.get_offsets(), seen.places.flatten(0, 1).numpy())
    pull = np.stack([arrows.U, arrows.V], -1)
    np.testing.assert_allclose(pull, seen.gradients.flatten(0, 1).numpy())
    data, samples = only(PathCollection, axes.collections)
    np.testing.assert_allclose(data.get_offsets(), DATA.numpy())
    np.testing.assert_allclose(samples.get_offsets(), seen.samples.numpy())
    paths = {tuple(map(tuple, line.get_xydata().tolist())) for line in axes.lines}
    rows = [*seen.warped, *seen.warped.transpose(0, 1)]
    assert paths == {tuple(map(tuple, row.tolist())) for row in rows}
    assert len(axes.lines) == 12
    (key,) = only(QuiverKey, axes.artists)
    longest = float(seen.gradients.norm(dim=-1).max())
    assert key.text.get_text() == f"gradient {float(f'{longest:.1g}'):g}"
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(texts) == ["data", "latent grid", "samples"]
    assert axes.get_title(loc="left") == "known"
    assert [bar.get_ylabel() for bar in axes.figure.axes[1:]] == [
        "score of the discriminator, higher for real"
    ]
    ends = [*seen.xs[[0, -1]].tolist(), *seen.ys[[0, -1]].tolist()]
    assert [*axes.get_xlim(), *axes.get_ylim()] == pytest.approx(ends)
    assert axes.get_aspect() == 1


def test_a_constant_discriminator_pulls_nowhere() -> None:
    networks = {"generator": affine(2, 2, 1), "discriminator": Distance(0.0)}
    _, axes = drawn(trained(gan(), networks))
    assert not only(Quiver, axes.collections)
    assert not only(QuiverKey, axes.artists)


def test_a_run_is_looked_at(tmp_path: Path) -> None:
    """The example of the module: scores and samples are the run's own."""
    settings = Settings(evaluations=1, evaluation_samples=100, pictures=1, threads=1)
    out = tmp_path / "run"
    saddlepoint.train(
        methods.get("gan-r1"), "ring", MLP(width=4), out=out, budget=Budget(steps=3), settings=settings
    )
    run = Run.open(out)
    seen = plane(run.model(), run.data.held_out(500)["real"], resolution=12)
    model = run.model()
    corner = torch.stack([seen.xs[-1], seen.ys[0]])[None]
    torch.testing.assert_close(seen.scores[0, -1], model.judge(corner).detach()[0], atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(seen.samples, run.render({"latent": model.latents(500, 0)}))
    assert seen.name == "run"


SETTINGS = Settings(evaluations=1, evaluation_samples=100, pictures=2, threads=1)


def test_along_a_training_it_is_drawn_beside_the_samples_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(name: str) -> Run:
        pair, budget = MLP(width=4), Budget(steps=4)
        return saddlepoint.train(
            methods.get("gan"),
            "ring",
            pair,
            out=tmp_path / name,
            budget=budget,
            settings=SETTINGS,
            quiet=True,
        )

    drawn = run("drawn")
    shown = {path.name: path.read_bytes() for path in drawn.folder.planes.iterdir()}
    assert (
        set(shown)
        == {path.name for path in drawn.folder.samples.iterdir()}
        == {f"{n:08}.png" for n in (0, 2, 4)}
    )
    assert len(set(shown.values())) == 3, "the pair moves"
    assert shown["00000004.png"] == plane_picture(replace(drawn.model(), name=""), load("ring"), 0)
    assert "The plane along training" in (tmp_path / "drawn" / "report.html").read_text()
    drawn.folder.truncate(2)
    assert {path.name for path in drawn.folder.planes.iterdir()} == {"00000000.png", "00000002.png"}
    monkeypatch.setattr("saddlepoint.pictures.plane_picture", lambda *_: None)
    plain = run("plain")
    assert not plain.folder.planes.exists()
    assert "The plane along training" not in (tmp_path / "plain" / "report.html").read_text()
    for player, vector in drawn.state.players.items():
        assert torch.equal(vector, plain.state.players[player])


def begun(name: str, data: str = "ring") -> Trained:
    method, rows = replace(methods.get(name), averages={}), load(data).training(16)
    game = method.game(Plan(method, load(data), MLP(width=4), Budget(steps=1), Settings()).modules(), rows)
    return Trained("begun", method, game.bound(), *game.init(0, rows))


def test_where_there_is_no_plane_none_is_drawn() -> None:
    ring = load("ring")
    assert plane_picture(begun("gan"), ring, 0) is not None
    for name in ("cgan", "pacgan", "vae", "minibatch-discrimination"):
        assert plane_picture(begun(name), ring, 0) is None
    assert plane_picture(begun("gan", "digits"), load("digits"), 0) is None
    model = begun("gan")
    for player, drawn in (("generator", True), ("discriminator", False)):
        lost = {**model.players, player: torch.full_like(model.players[player], torch.nan)}
        assert (plane_picture(replace(model, players=lost), ring, 0) is not None) == drawn


def test_points_that_are_judged_by_those_beside_them_are_refused() -> None:
    with pytest.raises(InputError, match="judges a point by what is beside it"):
        plane(begun("minibatch-discrimination"), DATA)
