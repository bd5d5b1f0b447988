"""Small networks, batches and games for the tests of the centre: points of the plane, a few dozen weights,
and smooth activations, so that finite differences mean something."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.bound import MethodGame
from saddlepoint.data import Data, load
from saddlepoint.definitions import Packing
from saddlepoint.dynamics import Alternating, Turn, Unrolled
from saddlepoint.latents import Codes
from saddlepoint.method import Method
from saddlepoint.mixture import Boosting
from saddlepoint.network import Execution, Plain
from saddlepoint.networks import Autoencoder, Mixture
from saddlepoint.networks.featured import Featured
from saddlepoint.networks.wrapping import Wrapping
from saddlepoint.objectives import Sinkhorn
from saddlepoint.optim import SGD
from saddlepoint.plan import fitting
from saddlepoint.state import State

ROWS = 8
CLASSES = 8  # as many as the ring has modes
CLOCK = {"step": 3, "images": 24, "progress": 0.25}


def small(method: Method) -> Method:
    """The method with a latent of three numbers, at most two turns a player, two inner steps or iterations and two
    components."""
    dynamics, objective = method.dynamics, method.objective
    if isinstance(dynamics, Alternating):
        dynamics = replace(dynamics, steps={who: min(times, 2) for who, times in dynamics.steps.items()})
    if isinstance(dynamics, Unrolled):
        dynamics = replace(dynamics, ahead=2)
    if isinstance(objective, Sinkhorn):
        objective = replace(objective, iterations=2)
    latent: Any = method.latent
    latent = replace(latent, noise=2) if isinstance(latent, Codes) else replace(latent, size=3)
    last = {"turn": 2} if isinstance(method.mixture, Boosting) else {}
    mixture = method.mixture and replace(method.mixture, components=2, **last)
    return replace(method, latent=latent, dynamics=dynamics, objective=objective, mixture=mixture)


def descent(method: Method, lr: Any = 0.05) -> Method:
    """The method under plain descent, which does not blow rounding up."""
    players = method.dynamics.optimizers
    return replace(
        method, dynamics=replace(method.dynamics, optimizers={player: SGD(lr) for player in players})
    )


def shape(method: Method) -> tuple[int, ...]:
    """Of a sample: a point of the plane, or a small image where the method is for images."""
    return (1, 8, 8) if any(treatment.images for treatment in method.treatments) else (2,)


def data(method: Method) -> Data:
    """Real samples of that shape."""
    return load("ring" if shape(method) == (2,) else "digits")


def networks(method: Method, norm: bool = False, seed: int = 0) -> dict[str, nn.Module]:
    """A pair for samples of that shape; `norm`: with BatchNorm wherever the method allows it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = _pair(method, norm)
        for module in made.values():
            for parameter in module.parameters():
                nn.init.normal_(parameter, std=0.5)
    return made


@dataclass(frozen=True)
class Small:
    """Six tanh units, with BatchNorm between on wish."""

    generator_norm: bool = False
    discriminator_norm: str = "none"
    features: bool = False

    def build(self, shape: tuple[int, ...], latent: int, classes: int = 0) -> dict[str, nn.Module]:
        judge = Featured if self.features else nn.Sequential
        layers = (nn.Flatten(), *_net(math.prod(shape), 1, self.discriminator_norm == "batch"), nn.Flatten(0))
        return {"generator": _generator(shape, latent, self.generator_norm), "discriminator": judge(*layers)}


def _pair(method: Method, norm: bool) -> dict[str, nn.Module]:
    size, latent = shape(method), method.latent.size
    if isinstance(method.networks, Mixture):
        return replace(method.networks, components=3).build(size, latent)
    if isinstance(method.networks, Autoencoder):
        value: Any = replace(method.networks, width=6, depth=1, code=2, activation="tanh")
        pair = (method.mixture.around(value) if method.mixture else value).build(size, latent)
        return pair if not norm else pair | {"generator": _generator(size, latent, norm)}
    fit: Any = fitting(method, Small(norm, "batch" if norm else "none"))
    return fit.build(size, latent, CLASSES if isinstance(fit, Wrapping) else 0)


def _generator(size: tuple[int, ...], latent: int, norm: bool) -> nn.Module:
    return nn.Sequential(*_net(latent, math.prod(size), norm), nn.Unflatten(1, size))


def _net(inputs: int, outputs: int, norm: bool) -> list[nn.Module]:
    middle = (nn.BatchNorm1d(6), nn.Tanh()) if norm else (nn.Tanh(),)
    return [nn.Linear(inputs, 6), *middle, nn.Linear(6, outputs)]


def batch(game: MethodGame, rows: int = ROWS, seed: int = 0) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    size = shape(game.method)
    noise = {name: draw.sample(rows, generator, {"real": size}) for name, draw in game.draws.items()}
    real = torch.randn(rows, *size, generator=generator)
    return {"real": real, "label": torch.arange(rows) % CLASSES, **noise, "clock": CLOCK}


def play(
    method: Method, execution: Execution = Plain(), norm: bool = False, seed: int = 0
) -> tuple[MethodGame, State]:
    """The game of a method with small networks, and its state before the first step."""
    real = torch.randn(ROWS, *shape(method), generator=torch.Generator().manual_seed(1))
    reference = {"real": real, "label": torch.arange(ROWS) % CLASSES}
    game = method.game(networks(method, norm, seed), reference, execution=execution)
    return game, method.dynamics.init(game, *game.init(seed, reference))


def evaluated(method: Method) -> tuple[dict[str, Tensor], dict[str, Any], dict[str, Any]]:
    """The losses of all players, with the modules and the batch that they are of."""
    game, state = play(method)
    rows = batch(game)
    return game.losses(game.players, state.players, state.memory, rows)[0], networks(method), rows


def close(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Equal to rounding in double precision."""
    assert found.keys() == expected.keys()
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def distinct(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    return tuple(dict.fromkeys(turns))


def leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Tensors and numbers inside nested values, by path."""
    if isinstance(value, State):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {p: leaf for name, part in value.items() for p, leaf in leaves(part, (*path, name)).items()}
    return {path: value.clone() if isinstance(value, Tensor) else value}


def differing(a: Any, b: Any) -> set[tuple[str, ...]]:
    """Paths whose leaves are not equal bit for bit."""
    left, right = leaves(a), leaves(b)
    return {path for path in left.keys() | right.keys() if not _same(left.get(path), right.get(path))}


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    return type(a) is type(b) and a == b


def directions(vector: Tensor, count: int) -> list[Tensor]:
    """Random unit vectors."""
    generator = torch.Generator().manual_seed(0)
    drawn = (torch.randn(vector.shape, generator=generator, dtype=vector.dtype) for _ in range(count))
    return [d / d.norm() for d in drawn]


def slope(function: Callable[[float], Any], h: float = 1e-4) -> Any:
    """Derivative at 0 by the four-point rule, error O(h⁴)."""
    return (function(-2 * h) - 8 * function(-h) + 8 * function(h) - function(2 * h)) / (12 * h)


def together(method: Method) -> int:
    """Rows that a point is made of."""
    return next((d.rows for d in method.definitions if isinstance(d, Packing)), 1)


# Objectives that are not functions of two scores, and where they are tested, alone or in their method.
OTHER_OBJECTIVES = {
    "Judging": "test_boosting_rounds",
    "NoiseContrastive": "test_objectives_density",
    "SelfContrastive": "test_objectives_density",
    "Autoencoding": "test_reconstructions",
    "Bidirectional": "test_encoders",
    "EvidenceBound": "test_reconstructions",
    "LogOdds": "test_encoders",
    "ManifoldDiffusion": "test_reconstructions",
    "Classification": "test_semi_supervised",
    "RealEnergy": "test_techniques",
    "SemiSupervised": "test_semi_supervised",
}
