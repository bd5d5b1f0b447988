"""Several generators against several discriminators: what a plain double loop over pairs computes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import saddlepoint
from command_line import here
from saddlepoint import Budget, Run, Settings, methods
from saddlepoint.bound import MethodGame
from saddlepoint.definitions import Packing, SharedCodes
from saddlepoint.dynamics import Alternating, Skipping
from saddlepoint.errors import InputError
from saddlepoint.game import Notes
from saddlepoint.latents import Codes
from saddlepoint.method import Method
from saddlepoint.mixture import SIDES, Ensemble, Mix
from saddlepoint.network import Functional
from saddlepoint.networks import MLP, Averaged, Chosen, Packed, Recognising
from saddlepoint.penalties import MutualInformation
from saddlepoint.state import State
from same_runs import equal
from small_games import ROWS, batch, descent, leaves, networks, play, small

LR = 0.05
BASES = {  # second derivatives, interpolates, constraints with memory, statistics, a memory of parts, rows that are coupled
    "gan-r1": False,
    "wgan-gp": False,
    "sngan": False,
    "gan": True,
    "began": False,
    "historical-averaging": False,
    "nagarajan-kolter": False,
    "ragan": False,
    "feature-matching": False,
    "infogan": False,
    "pacgan": True,
    "wgan": False,
}


def of_two(name: str, norm: bool = False) -> tuple[Method, MethodGame, State]:
    method = replace(descent(small(methods.get(name)), LR), mixture=Mix(2, entropy=0.1))
    return method, *play(method, norm=norm)


def reference() -> dict[str, Tensor]:
    return {"real": torch.randn(ROWS, 2), "label": torch.arange(ROWS)}


@dataclass
class Loop:
    """Two generators and two discriminators in lists; every pair's game is an ordinary one, with a memory of its own."""

    game: MethodGame
    logits: dict[str, Tensor]
    vectors: dict[str, list[Tensor]]
    memory: list[list[Any]]

    @classmethod
    def of(cls, method: Method, modules: dict[str, nn.Module], state: State) -> Loop:
        """Beginning where a mixture does."""
        pairs = [{side: modules[side].members[i] for side in SIDES} for i in range(2)]  # type: ignore[index, union-attr]
        game = replace(method, mixture=None).game(pairs[0], reference())
        vectors = {
            side: [game.networks[side].layout.vector(dict(p[side].named_parameters())) for p in pairs]
            for side in SIDES
        }
        vectors = {side: [game.after(side, v.detach()) for v in found] for side, found in vectors.items()}
        loop = cls(game, {side: modules[side].logits.detach() for side in SIDES}, vectors, [])  # type: ignore[misc]
        loop.memory = [[loop.begin(state, i, j) for j in range(2)] for i in range(2)]
        return loop

    def begin(self, state: State, i: int, j: int) -> Any:
        """Buffers and parts as ever; the vectors of power iterations as they were drawn for the mixture."""
        own = {"generator": f"members.{i}.", "discriminator": f"members.{j}."}
        memory = self.game.init(0, reference())[1]
        memory["constraints"] = {
            side: {
                key: {n: drawn[own[side] + n] for n in known}
                for (key, known), drawn in zip(
                    memory["constraints"][side].items(),
                    state.memory["constraints"][side].values(),
                    strict=True,
                )
            }
            for side in SIDES
        }
        if "parts" in memory:
            memory["parts"] = {n: part.start(self.pair(i, j)) for n, part in self.game.remembering.items()}
        return memory

    def pair(self, i: int, j: int) -> dict[str, Tensor]:
        return {"generator": self.vectors["generator"][i], "discriminator": self.vectors["discriminator"][j]}

    def move(self, who: str, data: dict[str, Any]) -> Tensor:
        """One descent of a side, networks and logits; the loss before it."""
        leaves = [self.logits[who], *self.vectors[who]]
        for leaf in leaves:
            leaf.requires_grad_()
        u, v = (self.logits[side].softmax(0) for side in SIDES)
        total = -0.1 * self.logits[who].log_softmax(0).mean()
        notes: list[list[Notes]] = [[], []]
        for i in range(2):
            for j in range(2):
                losses, seen = self.game.losses((who,), self.pair(i, j), self.memory[i][j], data)
                total = total + u[i] * v[j] * losses[who]
                notes[i].append(seen)
        slopes = torch.autograd.grad(total, leaves)
        self.logits[who], *self.vectors[who] = (
            x.detach() - LR * g for x, g in zip(leaves, slopes, strict=True)
        )
        self.vectors[who] = [self.game.after(who, vector) for vector in self.vectors[who]]
        self.remember(who, notes)
        return total.detach()

    def remember(self, who: str, notes: list[list[Notes]]) -> None:
        """A network's statistics are the mean over those whom it met."""
        for i in range(2):
            for j in range(2):
                met = notes[i] if who == "generator" else [notes[0][j], notes[1][j]]
                buffers = {
                    n: torch.stack([m.buffers[who][n].double() for m in met]).mean(0).to(b.dtype)
                    for n, b in met[0].buffers.get(who, {}).items()
                }
                own = Notes({}, {who: buffers}, notes[i][j].seen)
                self.memory[i][j] = self.game.remember((who,), self.pair(i, j), self.memory[i][j], own)


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(("name", "norm"), BASES.items())
def test_a_mixture_of_two_is_a_double_loop(name: str, norm: bool) -> None:
    """Vectors, weights, statistics, power iterations and memories of parts after three steps of descent."""
    method, game, state = of_two(name, norm)
    loop = Loop.of(method, networks(method, norm), state)
    for step in range(3):
        for turn, who in enumerate(SIDES):
            data = batch(game, seed=10 * step + turn)
            state, info = method.dynamics.move(
                game, state, method.dynamics.turns(0)[0]._replace(players=(who,)), data
            )
            torch.testing.assert_close(info[f"least weight/{who}"], loop.logits[who].softmax(0).min())
            torch.testing.assert_close(info[f"loss/{who}"], loop.move(who, data), rtol=1e-9, atol=1e-9)
    for side in SIDES:
        expected = torch.cat([loop.logits[side], *loop.vectors[side]])
        assert (state.players[side][:2] - networks(method, norm)[side].logits).abs().max() > 1e-6  # type: ignore[operator]
        torch.testing.assert_close(state.players[side], expected, rtol=1e-9, atol=1e-9)
        for member in range(2):
            pair = loop.memory[member][member]
            for path, value in leaves({k: pair[k][side] for k in ("buffers", "constraints")}).items():
                found = state.memory[path[0]][side]
                for key in path[1:-1]:
                    found = found[key]
                torch.testing.assert_close(found[f"members.{member}.{path[-1]}"], value, rtol=1e-9, atol=1e-9)
    for path, value in leaves(state.memory.get("parts", {})).items():
        for i in range(2):
            for j in range(2):
                one = loop.memory[i][j]["parts"][path[0]][path[1]]
                torch.testing.assert_close(value[i, j], one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["gan-r1", "wgan-gp", "infogan"])
@pytest.mark.parametrize("rule", [Mix, Ensemble])
def test_a_mixture_of_one_is_the_base_bit_for_bit(name: str, rule: Any, tmp_path: Any) -> None:
    base = small(methods.get(name))
    kept = []
    for method in (base, replace(base, mixture=rule(1))):
        run = saddlepoint.train(
            method,
            "ring",
            MLP(width=8),
            out=tmp_path / repr(method.mixture)[:3],
            budget=Budget(steps=4),
            settings=Settings(evaluations=0, pictures=1, threads=1, batch_size=16),
            quiet=True,
        )
        kept.append((run.state._asdict(), run.sample(20)))
    assert equal(kept[0][0], kept[1][0])
    assert torch.equal(kept[0][1], kept[1][1])


@pytest.mark.usefixtures("double")
def test_an_ensemble_is_its_pairs_trained_alone() -> None:
    """Under Adam, on the same batches; the weights stay equal."""
    base = small(methods.get("gan-r1"))
    method = replace(base, mixture=Ensemble(2))
    modules = networks(method)
    for module in modules.values():
        module.logits.data.zero_()  # type: ignore[union-attr, operator]
    game = method.game(modules, reference())
    state = method.dynamics.init(game, *game.init(0, reference()))
    alone = []
    for member in range(2):
        one = base.game({side: modules[side].members[member] for side in SIDES}, reference())  # type: ignore[index, union-attr]
        alone.append((one, base.dynamics.init(one, *one.init(0, reference()))))
    turns = method.dynamics.turns(0)
    for step in range(3):
        data = [batch(game, seed=10 * step + turn) for turn in range(len(turns))]
        state, _ = method.dynamics.step(game, state, turns, data.__getitem__, ROWS)
        alone = [(one, base.dynamics.step(one, at, turns, data.__getitem__, ROWS)[0]) for one, at in alone]
    for side in SIDES:
        expected = torch.cat([torch.zeros(2), *(at.players[side] for _, at in alone)])
        torch.testing.assert_close(state.players[side], expected, rtol=1e-9, atol=1e-9)


def test_a_sample_is_one_of_a_generator_drawn_by_its_weight() -> None:
    """Each row is the chosen member's; shares of the members are the weights within four standard deviations."""
    method, game, state = of_two("gan-r1")
    modules = networks(method)
    n = 4000
    noise = {name: draw.sample(n, torch.Generator().manual_seed(0)) for name, draw in method.noise.items()}
    made = game.sample(state.players, state.memory, noise)
    share = state.players["generator"][:2].softmax(0)
    chosen = (noise["component"] >= share[0]).long()
    each = torch.stack([member(noise["latent"]) for member in modules["generator"].members])  # type: ignore[union-attr]
    torch.testing.assert_close(made, each[chosen, torch.arange(n)])
    off = (chosen.double().mean() - share[1]).abs()
    assert off < 4 * math.sqrt(share[0] * share[1] / n)
    assert (each[0] - each[1]).abs().amin() > 0


def test_judges_are_averaged_by_their_weights() -> None:
    """Every output of a record by itself."""
    one, other = nn.Linear(2, 1), nn.Linear(2, 1)
    judge = Averaged([one, other])
    judge.logits.data = torch.tensor([0.0, math.log(3.0)])
    points = torch.randn(5, 2)
    torch.testing.assert_close(judge(points), 0.25 * one(points) + 0.75 * other(points))


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("spread", [0.0, 1.0, 15.0])
def test_the_regulariser_holds_the_weights_at_their_closed_form(spread: float) -> None:
    """At rest w_i = (c / T) / (c + L_i - mean under w): above c / (T (c + spread)), here 1e-3, however bad a component."""
    values = spread * torch.tensor([[0.0, 0.3], [1.0, 0.1], [0.5, 0.9], [0.2, 0.2], [0.9, 1.0]])
    rule, against = Mix(5, entropy=0.1), torch.tensor([0.5, 0.5])
    logits = torch.zeros(5, requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [logits], max_iter=500, tolerance_grad=1e-13, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = rule.loss(values, {"generator": logits.softmax(0), "discriminator": against}, logits)
        loss.backward()
        return loss

    optimiser.step(closure)  # type: ignore[arg-type]
    weights, losses = logits.detach().softmax(0), values @ against
    torch.testing.assert_close(weights.sum(), torch.tensor(1.0))
    torch.testing.assert_close(weights, 0.02 / (0.1 + losses - weights @ losses), rtol=1e-5, atol=1e-8)
    assert weights.min() > 1e-3


def test_infogan_and_packing_and_mixture_are_one_value() -> None:
    """Printed and read back, trained, and the codes found; a pack shares its code."""
    from saddlepoint.vocabulary import read

    codes = replace(
        methods.get("infogan"),
        latent=Codes(noise=3, categorical=(3,), continuous=1),
        terms=(MutualInformation(categorical=(3,)),),
        definitions=(Packing(2), SharedCodes(2)),
        networks=Packed(rows=2, base=Recognising(outputs=4)),
        mixture=Mix(2),
    )
    assert read(repr(codes)) == codes
    game, state = play(codes)
    data = batch(game)
    losses, notes = game.losses(game.players, state.players, state.memory, data)
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert notes.info["score/real"].shape == (ROWS // 2,)
    code = game.evaluation(state.players, state.memory, data)["code"]
    assert torch.equal(code[::2], code[1::2])
    assert notes.info["term/MutualInformation"] > -math.log(3) - math.log(2)


def test_a_skipped_turn_changes_nothing() -> None:
    """Vector, slots and memory of the discriminator; with a lower threshold the move is the ordinary one."""
    base = small(methods.get("sngan"))
    game, state = play(base)
    turn, data = base.dynamics.turns(0)[1], batch(game)
    assert turn.players == ("discriminator",)
    rule = Skipping(base.dynamics.optimizers)
    plain, info = Alternating(base.dynamics.optimizers).move(game, state, turn, data)
    loss = float(info["loss/discriminator"])
    for below, expected in ((loss + 0.01, state), (loss - 0.01, plain)):
        after, seen = replace(rule, below=below).move(game, state, turn, data)
        assert float(seen["skipped/discriminator"]) == float(below > loss)
        for path, value in leaves(expected).items():
            if path[0] != "clock":
                torch.testing.assert_close(
                    torch.as_tensor(leaves(after)[path], dtype=torch.float64),
                    torch.as_tensor(value, dtype=torch.float64),
                    rtol=0,
                    atol=0,
                )
    after, seen = replace(rule, below=1e9).move(game, state, base.dynamics.turns(0)[0], data)
    assert "skipped/discriminator" not in seen
    assert not torch.equal(after.players["generator"], state.players["generator"])


def test_what_cannot_be_mixed_is_said() -> None:
    gan = replace(small(methods.get("gan")), mixture=Mix(2))
    with pytest.raises(InputError, match="needs 2 networks for the generator"):
        gan.game(networks(replace(gan, mixture=None)), reference())
    with pytest.raises(InputError, match="needs 2 networks for the generator"):
        gan.game(networks(replace(gan, mixture=Mix(3))), reference())
    with pytest.raises(InputError, match="at least 1 component"):
        Mix(0)
    with pytest.raises(InputError, match="is for a generator and a discriminator"):
        play(replace(small(methods.get("nce")), mixture=Mix(2)))
    own = (
        Chosen([nn.Linear(3, 2), nn.Linear(3, 2)]),
        Averaged([nn.Sequential(nn.Linear(2, 1), nn.Flatten(0)) for _ in range(2)]),
    )
    gan.game(dict(zip(SIDES, own, strict=True)), reference())


@pytest.mark.parametrize(("name", "data"), [("mix-gan", "ring"), ("mix-gan", "digits"), ("ensemble", "ring")])
def test_a_mixture_from_the_command_line(name: str, data: str, tmp_path: Path) -> None:
    """Trained, sampled, evaluated and opened like any other run, on networks that a line chooses."""
    line = f"train {name} --data {data} --network MLP(width=8) --steps 3 --batch-size 8 --evaluations 0 --quiet --out run"
    for command in (line, "sample run -n 12 --npz a.npz", "evaluate run --n 200", line):
        done = here(command, tmp_path)
        assert done.returncode == 0, done.stderr
    run = Run.open(tmp_path / "run")
    assert run.sample(12).shape == (12, *run.plan.data.shape)
    model = run.model()
    drawn = model.latents(6, seed=1)
    assert drawn.shape == (6, run.method.latent.size + 1)
    exported = run.generator()
    torch.testing.assert_close(model.generate(drawn), exported(drawn[:, :-1], drawn[:, -1]))
    judge = run.plan.modules()["discriminator"]
    assert model.judge(run.sample(5)).shape == (5,)
    assert len(judge.members) == 5  # type: ignore[arg-type]


def test_a_mixture_is_compiled_from_the_same_value() -> None:
    method, game, state = of_two("wgan-gp")
    twin, _ = play(method, Functional())
    data = batch(game)
    for who in game.turns():
        expected, found = (g.gradients(who, state.players, state.memory, data)[0] for g in (game, twin))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
