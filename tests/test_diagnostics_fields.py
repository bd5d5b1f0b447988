"""Portraits of games against closed forms and recursions by hand, and what is drawn of fields and spectra."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure

from saddlepoint import methods
from saddlepoint.diagnostics import (
    Field,
    Spectrum,
    draw_portrait,
    draw_spectrum,
    field_spectrum,
    step_spectrum,
    trajectory,
    vector_field,
)
from saddlepoint.dynamics import Alternating, Extragradient, Lookahead, Simultaneous
from saddlepoint.errors import InputError
from saddlepoint.game import Notes
from saddlepoint.games import Bilinear, DiracGAN, GaussianShift, Quadratic, Small, orbit, timed
from saddlepoint.games.small import vector
from saddlepoint.network import Functional
from saddlepoint.optim import SGD
from saddlepoint.penalties import R1
from saddlepoint.schedules import Decay, Linear

H = 0.1
RATES = {"x": SGD(H), "y": SGD(H)}
XS, YS = torch.linspace(-2, 2, 9), torch.linspace(-1, 3, 7)


def seen(game: Small) -> Field:
    return vector_field(game, game.init(0, game.data())[1], timed(game, 0), XS, YS)


def started(game: Small, dynamics: Any) -> Any:
    return dynamics.init(game, *game.init(0, game.data()))


def played(game: Small, dynamics: Any, steps: int) -> torch.Tensor:
    return trajectory(game, dynamics, started(game, dynamics), steps, timed(game, 0))


def axes() -> Any:
    return Figure().subplots()


# -- fields -------------------------------------------------------------------------------------------


def test_the_field_of_the_bilinear_game() -> None:
    """−v = b(−y, x)."""
    field = seen(Bilinear(b=1.5))
    x, y = np.meshgrid(XS.double(), YS.double())
    assert field.names == ("x", "y")
    np.testing.assert_allclose(field.descent.numpy(), 1.5 * np.stack([-y, x], -1), atol=1e-12)


@pytest.mark.parametrize("gamma", [0.0, 0.7])
def test_the_field_of_the_dirac_gan(gamma: float) -> None:
    """−v = (σ(−ψθ)ψ, −σ(ψθ)θ − γψ) of the non-saturating game with R1, γ/2 ψ²."""
    game = DiracGAN(replace(methods.get("gan"), terms=(R1(gamma),) if gamma else ()))
    field = seen(game)
    theta, psi = np.meshgrid(XS.double(), YS.double())
    share = 1 / (1 + np.exp(-psi * theta))
    expected = np.stack([(1 - share) * psi, -share * theta - gamma * psi], -1)
    assert field.names == ("generator", "discriminator")
    np.testing.assert_allclose(field.descent.numpy(), expected, atol=1e-12)


class Bowl(Small):
    """One player with two numbers, ½x₁² + x₂²."""

    players = ("all",)

    def start(self) -> Any:
        return {"all": vector(1.0, 1.0)}

    def losses(self, who: Any, players: Any, memory: Any, batch: Any) -> Any:
        return {"all": players["all"].square().dot(vector(0.5, 1.0))}, Notes({}, {})


def test_one_player_with_both_numbers() -> None:
    field = seen(Bowl())
    x, y = np.meshgrid(XS.double(), YS.double())
    assert field.names == ("all 1", "all 2")
    np.testing.assert_allclose(field.descent.numpy(), np.stack([-x, -2 * y], -1), atol=1e-12)


def test_games_of_other_sizes_are_refused() -> None:
    game, dynamics = GaussianShift(), Simultaneous({p: SGD(H) for p in ("generator", "discriminator")})
    with pytest.raises(InputError, match=r"two numbers.*GaussianShift has 3"):
        seen(game)
    with pytest.raises(InputError, match=r"two numbers.*GaussianShift has 3"):
        played(game, dynamics, 3)


# -- trajectories -------------------------------------------------------------------------------------


def test_simultaneous_descent_leaves_the_bilinear_game() -> None:
    norms = played(Bilinear(), Simultaneous(RATES), 100).norm(dim=1)
    torch.testing.assert_close(norms[1:] / norms[:-1], torch.full_like(norms[1:], math.sqrt(1 + H * H)))


def test_extragradient_by_hand() -> None:
    path = [np.array(Bilinear().begin)]
    for _ in range(100):
        x, y = path[-1]
        path.append(path[-1] - H * np.array([y + H * x, H * y - x]))
    np.testing.assert_allclose(played(Bilinear(), Extragradient(RATES), 100).numpy(), path, rtol=1e-9)


def test_alternating_with_negative_momentum_by_hand() -> None:
    x, y, bx, by = *Bilinear().begin, 0.0, 0.0
    path = [(x, y)]
    for _ in range(100):
        bx = -0.5 * bx + y
        x -= H * bx
        by = -0.5 * by - x
        y -= H * by
        path.append((x, y))
    dynamics = Alternating({p: SGD(H, -0.5) for p in "xy"}, {"x": 1, "y": 1})
    np.testing.assert_allclose(played(Bilinear(), dynamics, 100).numpy(), path, rtol=1e-9)


@pytest.mark.parametrize("first", [3, 6])
def test_a_state_on_the_way_goes_on(first: int) -> None:
    """With its slots, its slow weights and its step number, on which the turns (k = 4) and the rate depend."""
    optimizers = {player: SGD(Decay(0.3, 0.95), -0.4) for player in "xy"}
    game, dynamics = Bilinear(), Lookahead(Alternating(optimizers, {"x": 1, "y": 1}), 4, 0.3)
    state = started(game, dynamics)
    for step in range(first):
        batch, turns = timed(game, step), dynamics.turns(step)
        state, _ = dynamics.step(game, state, turns, lambda turn, batch=batch: batch, 1)
        state = state._replace(clock=dynamics.advance(game, state.clock, turns, 1))
    found = trajectory(game, dynamics, state, 20, timed(game, 0))
    assert torch.equal(found, orbit(game, dynamics, first + 20)[first:])


def test_images_go_on_and_progress_is_that_of_the_batch() -> None:
    """Rates 0.1 + 0.2u: u = (10 + t)/40 over 40 images from the tenth on, u = 1/2 half way through the run."""
    game = Bilinear()
    for over, rates in ((40, [0.1 + 0.2 * (10 + t) / 40 for t in range(5)]), (None, [0.2] * 5)):
        dynamics = Simultaneous({player: SGD(Linear(0.1, 0.3, over)) for player in "xy"})
        state = started(game, dynamics)
        state = state._replace(clock={**state.clock, "images": 10})
        batch = {"clock": {"step": 0, "images": 0, "progress": 0.5}}
        norms = trajectory(game, dynamics, state, 5, batch).norm(dim=1)
        assert (norms[1:] / norms[:-1]).tolist() == pytest.approx([math.hypot(1, h) for h in rates])


# -- portraits ----------------------------------------------------------------------------------------


def streams(plot: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middles and directions of the pieces of stream lines [n, 2], and their widths [n]."""
    (lines,) = (c for c in plot.collections if isinstance(c, LineCollection))
    pieces = np.array(lines.get_segments())
    return pieces.mean(1), pieces[:, 1] - pieces[:, 0], np.array(lines.get_linewidths())


def test_a_portrait_has_streams_orbits_and_names() -> None:
    game, plot = Bilinear(), axes()
    rules = {"simultaneous": Simultaneous(RATES), "extragradient": Extragradient(RATES)}
    orbits = {name: played(game, rule, 30) for name, rule in rules.items()}
    draw_portrait(plot, seen(game), orbits)
    assert (plot.get_xlabel(), plot.get_ylabel()) == ("x", "y")
    assert (*plot.get_xlim(), *plot.get_ylim()) == (-2, 2, -1, 3)
    assert [line.get_label() for line in plot.lines] == list(rules)
    for line, path in zip(plot.lines, orbits.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), path.numpy())
    assert [text.get_text() for text in plot.get_legend().get_texts()] == list(rules)


def test_streams_turn_about_the_equilibrium_and_widen_with_speed() -> None:
    """At right angles to the place, (−y, x)·(x, y) = 0, to the curvature of pieces of a few hundredths; anticlockwise;
    widths 0.4 + 1.4 |x|/max |x| up to the bilinear interpolation of |x| between points 2/3 apart, whose error near 0 is
    below 0.5 of 3.6."""
    plot = axes()
    draw_portrait(plot, seen(Bilinear()))
    places, along, widths = streams(plot)
    moving = np.linalg.norm(along, axis=1) > 1e-6
    places, along, widths = places[moving], along[moving], widths[moving]
    radius = np.linalg.norm(places, axis=1)
    assert len(places) > 500
    turning = (places[:, 0] * along[:, 1] - places[:, 1] * along[:, 0]) / np.linalg.norm(along, axis=1)
    assert (turning > 0.97 * radius - 1e-3).all()
    np.testing.assert_allclose(
        widths, 0.4 + 1.4 * radius / math.hypot(2, 3), atol=1.4 * 0.5 / math.hypot(2, 3)
    )
    assert plot.get_legend() is None


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf])
def test_fields_with_holes_are_drawn(value: float) -> None:
    """At 0 nothing flows; where a value is not finite no stream line goes and the others keep their width."""
    descent = torch.ones(7, 9, 2, dtype=torch.float64) * (value != 0)
    descent[2, 3] = value
    plot = axes()
    draw_portrait(plot, Field(("x", "y"), XS, YS, descent))
    places, _, widths = streams(plot) if value else (np.zeros((0, 2)),) * 3
    hole = np.array([float(XS[3]), float(YS[2])])
    assert not (np.abs(places - hole) < np.array([0.2, 0.3])).all(1).any()
    if value:
        assert widths.max() == pytest.approx(1.8)


@pytest.mark.parametrize("side", [[0.0], [0.0, 1.0, 3.0], [1.0, 0.0]])
def test_a_portrait_wants_an_even_grid(side: list[float]) -> None:
    ys = torch.tensor(side)
    field = Field(("x", "y"), XS, ys, torch.ones(len(ys), len(XS), 2))
    with pytest.raises(InputError, match="ys of a portrait"):
        draw_portrait(axes(), field)


# -- spectra ------------------------------------------------------------------------------------------


def spectra() -> tuple[Spectrum, Spectrum]:
    """Of the field of a game, −3/4 ± i√(4 − 1/16), and of a step."""
    game = Quadratic(a=1.0, b=2.0, c=0.5, execution=Functional())
    state = started(game, Simultaneous(RATES))
    batch = timed(game, 0)
    return (
        field_spectrum(game, state.players, state.memory, batch),
        step_spectrum(game, Simultaneous(RATES), state, batch),
    )


def dots(plot: Any) -> PathCollection:
    (found,) = (c for c in plot.collections if isinstance(c, PathCollection))
    return found


def line(plot: Any, label: str) -> np.ndarray:
    (found,) = (line for line in plot.lines if line.get_label() == label)
    return np.asarray(found.get_xydata(), dtype=float)


def test_the_spectrum_of_a_field_is_drawn_beside_the_imaginary_axis() -> None:
    field, _ = spectra()
    plot = axes()
    draw_spectrum(plot, field)
    root = math.sqrt(4 - 1 / 16)
    places = dots(plot).get_offsets()
    np.testing.assert_allclose(sorted(places.tolist()), [[-0.75, -root], [-0.75, root]], atol=1e-12)
    assert (line(plot, "imaginary axis")[:, 0] == 0).all()
    assert plot.get_xlim()[0] < -0.75 < 0 < plot.get_xlim()[1]
    assert plot.get_title() == "stable: max Re λ = -0.75"
    assert (plot.get_xlabel(), plot.get_ylabel()) == ("Re λ", "Im λ")
    assert len(plot.figure.axes) == 1


def test_the_spectrum_of_a_step_is_drawn_in_the_unit_circle() -> None:
    _, step = spectra()
    plot = axes()
    draw_spectrum(plot, step)
    np.testing.assert_allclose(np.hypot(*line(plot, "unit circle").T), 1, atol=1e-6)
    low, high = np.array([plot.get_xlim(), plot.get_ylim()]).T
    shown = np.array([*dots(plot).get_offsets(), [1, 0]])
    assert ((low < shown) & (shown < high)).all()
    assert high[0] - low[0] == pytest.approx(high[1] - low[1])
    assert high[0] - low[0] < 1  # about the eigenvalues, not about the circle
    assert plot.get_aspect() == 1
    size = abs(1 + H * complex(-0.75, math.sqrt(4 - 1 / 16)))
    assert plot.get_title() == f"stable: max |λ| − 1 = {size - 1:.3g}"


def test_spectra_along_a_training_are_coloured_by_step() -> None:
    first = Spectrum(torch.tensor([0.5 + 0j, 0.1]).cdouble(), 2, "map")
    last = Spectrum(torch.tensor([1.2 + 0.3j, 1.2 - 0.3j, 0.4]).cdouble(), 3, "map")
    plot = axes()
    draw_spectrum(plot, [(0, first), (1000, last)])
    assert dots(plot).get_array().tolist() == [0, 0, 1000, 1000, 1000]
    values = torch.view_as_real(torch.cat([first.values, last.values])).numpy()
    np.testing.assert_array_equal(dots(plot).get_offsets(), values)
    assert [other.get_ylabel() for other in plot.figure.axes[1:]] == ["step"]
    assert plot.get_title().startswith("diverging")


def test_the_window_of_a_map_holds_one() -> None:
    plot = axes()
    draw_spectrum(plot, Spectrum(torch.tensor([0.3 + 0.1j, 0.3 - 0.1j]).cdouble(), 2, "map"))
    assert plot.get_xlim()[0] < 0.3 < 1 < plot.get_xlim()[1]


def test_spectra_of_two_kinds_or_none_are_refused() -> None:
    for found in ([], [(0, spectra()[0]), (1, spectra()[1])]):
        with pytest.raises(InputError, match="all of fields or all of maps"):
            draw_spectrum(axes(), found)
