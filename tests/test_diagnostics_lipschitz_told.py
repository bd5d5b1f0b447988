"""Bounds of Lipschitz constants of discriminators that judge packs or pairs, or are told what a sample is of."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from judged_games import drawn, judged
from saddlepoint import Budget, Settings, methods
from saddlepoint.data import load
from saddlepoint.definitions import ConditionalDiscriminator, ConditionalGenerator, Inpainting, Packing
from saddlepoint.diagnostics import (
    lipschitz,
)
from saddlepoint.errors import InputError
from saddlepoint.forward import joined
from saddlepoint.networks import DCGAN, MLP
from saddlepoint.networks.conditional import Beside, Painted
from saddlepoint.plan import Plan
from saddlepoint.sampling import latents
from small_games import small


def weighted(outputs: Tensor) -> nn.Linear:
    """x ↦ w·x."""
    layer = nn.Linear(outputs.numel(), 1, bias=False)
    layer.weight.data = outputs.float().view(1, -1)
    return layer


def test_of_a_pack_the_slope_is_that_in_all_its_rows() -> None:
    """s(x₁, x₂) = w·(x₁, x₂) has the constant ‖w‖, of which each row alone has a share."""
    weight = torch.tensor([1.0, 2.0, 2.0, 4.0, 0.0, 0.0])
    net = nn.Sequential(weighted(weight), nn.Flatten(0))
    game, players, memory = judged(net, (3,), definitions=(Packing(2),))
    real = drawn(8, 3).float()
    points = game.evaluation(players, memory, {"real": real})["real_point"]
    found = lipschitz(game, "discriminator", players, memory, points)
    assert found.gradient == pytest.approx(5, rel=1e-9)
    assert found.upper == pytest.approx(5, rel=1e-9)
    slopes = torch.pdist((points @ weight)[:, None].double()) / torch.pdist(points.double())
    assert found.slope == pytest.approx(float(slopes.max()), rel=1e-5)


class Pair(nn.Module):
    """s(x, z) = a·x + b·z, as a sum or as one layer of both beside each other."""

    def __init__(self, beside: bool) -> None:
        super().__init__()
        self.a, self.b = weighted(torch.tensor([3.0, 0.0])), weighted(torch.tensor([0.0, 0.0, 4.0]))
        self.both = weighted(torch.tensor([3.0, 0.0, 0.0, 0.0, 4.0])) if beside else None

    def forward(self, pair: tuple[Tensor, Tensor]) -> Tensor:
        x, z = pair
        return (self.both(torch.cat([x, z], 1)) if self.both else self.a(x) + self.b(z)).squeeze(1)


@pytest.mark.parametrize(("beside", "upper"), [(False, 3 + 4), (True, 5 * math.sqrt(2))])
def test_of_a_pair_the_slope_is_that_in_both_members(beside: bool, upper: float) -> None:
    """√(‖a‖² + ‖b‖²) = 5 for (x, z) as one point; from above each member moves as far as both."""
    method = small(replace(methods.get("bigan"), averages={}))
    networks = {"generator": nn.Linear(3, 2), "encoder": nn.Linear(2, 3), "discriminator": Pair(beside)}
    reference = {"real": drawn(8, 2).float()}
    game = method.game(networks, reference)
    players, memory = game.init(0, reference)
    points = (drawn(6, 2, seed=1), drawn(6, 3, seed=2))
    found = lipschitz(game, "discriminator", players, memory, points)
    assert found.gradient == pytest.approx(5, rel=1e-9)
    assert found.upper == pytest.approx(upper, rel=1e-9)
    steepest = torch.tensor([[0.0, 0.0], [3.0, 0.0]]), torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 4.0]])
    assert lipschitz(game, "discriminator", players, memory, steepest).slope == pytest.approx(5, rel=1e-9)
    with pytest.raises(InputError, match="a row for each point, not 6, 5 rows"):
        lipschitz(game, "discriminator", players, memory, (points[0], points[1][:5]))
    with pytest.raises(InputError, match=r"does not take points of shape \(5,\)"):
        lipschitz(game, "discriminator", players, memory, torch.cat(points, 1))


class Told(nn.Module):
    """s(x, y) = g_y w·x + 100 y with ‖w‖ = 3 and g = (1, −3, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.gain = weighted(torch.tensor([2.0, 1.0, 2.0])), nn.Embedding(3, 1)
        self.gain.weight.data = torch.tensor([[1.0], [-3.0], [2.0]])

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return (self.gain(label) * self.layer(x)).squeeze(1) + 100.0 * label


def test_at_a_condition_the_slope_is_that_of_the_point_alone() -> None:
    """‖g_y w‖, the largest over the conditions that occur; the score moves by 100 from one to the next."""
    method = small(replace(methods.get("cgan"), averages={}))
    reference = {"real": drawn(9, 3).float(), "label": torch.arange(9) % 3}
    networks = {"generator": Beside(nn.Linear(6, 3), 3), "discriminator": Told()}
    game = method.game(networks, reference)
    players, memory = game.init(0, reference)
    points = drawn(9, 3, seed=1)
    for labels, truth in (([0, 1, 2], 9.0), ([0, 2, 0], 6.0), ([0, 0, 0], 3.0)):
        label = torch.tensor(labels).repeat(3)
        found = lipschitz(game, "discriminator", players, memory, points, (label,))
        assert found.gradient == pytest.approx(truth, rel=1e-9)
        assert found.upper == pytest.approx(truth, rel=1e-9)
        assert 0 < found.slope <= truth * (1 + 1e-9)
        assert found.layers == {"layer": pytest.approx(3)}
    with pytest.raises(InputError, match="does not take points"):
        lipschitz(game, "discriminator", players, memory, points)


TOLD = ("cgan", "projection", "acgan", "pacgan", "bigan", "inpainting")


@pytest.mark.parametrize("pair", [MLP(width=8), DCGAN(width=4)], ids=str)
@pytest.mark.parametrize("name", TOLD)
def test_lower_is_below_upper_of_what_a_method_judges(name: str, pair: Any) -> None:
    """On data and samples as the discriminator meets them."""
    completing = replace(
        methods.get("gan"),
        definitions=(Inpainting(), ConditionalGenerator(), ConditionalDiscriminator()),
        networks=Painted(),
    )
    method = replace(completing if name == "inpainting" else methods.get(name), averages={})
    digits = load("digits")
    rows = digits.training(12)
    game = method.game(Plan(method, digits, pair, Budget(steps=1), Settings()).modules(), rows)
    players, memory = game.init(0, rows)
    for vector in players.values():
        vector += 0.1 * torch.randn(vector.shape, generator=torch.Generator().manual_seed(1))
    forward = game.evaluation(players, memory, {**rows, **latents(method, 12, 0, "points")})
    points = joined([forward["real_point"], forward["fake_point"]])
    condition = tuple(joined([told, told]) for told in forward["condition"])
    found = lipschitz(game, "discriminator", players, memory, points, condition)
    assert found.unknown == ()
    assert found.upper is not None
    assert 0 < found.lower <= found.upper * (1 + 1e-9)
