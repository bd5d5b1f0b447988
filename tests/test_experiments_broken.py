"""With one part broken the quick verdict of an experiment turns: an acceptance that is met is met no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import pytest
import torch

from saddlepoint import experiments
from saddlepoint.dynamics import Consensus, Unrolled
from saddlepoint.experiments import e14_loss_programme, e23_contrast
from saddlepoint.experiments.accept import Numbers
from saddlepoint.games import Bilinear
from saddlepoint.objectives import BoundaryEquilibrium
from saddlepoint.penalties import R1, R2, GradientPenalty, MutualInformation, Roth
from saddlepoint.training import TrainingFailed
from saddlepoint.treatments import InstanceNoise

Break = Callable[[pytest.MonkeyPatch], None]


def verdict(id: str) -> dict[str, bool]:
    """What the quick acceptances of an experiment say of one seed."""
    experiment = experiments.get(id)
    numbers: Numbers = {}
    for part in experiment.parts:
        if not part.gpu:
            try:
                numbers |= part.measure(0, True).numbers
            except TrainingFailed:
                continue
    return {judged.says: judged.met for judged in experiment.judged([numbers], quick=True)}


def weightless(kind: type) -> Break:
    """The term with weight 0."""

    def broken(monkeypatch: pytest.MonkeyPatch) -> None:
        original = kind.__call__  # type: ignore[operator]

        @wraps(original)
        def zero(*given: Any, **named: Any) -> torch.Tensor:
            value: torch.Tensor = 0 * original(*given, **named)
            return value

        monkeypatch.setattr(kind, "__call__", zero)

    return broken


def flipped(owner: Any, name: str) -> Break:
    """A function of the opposite sign."""

    def broken(monkeypatch: pytest.MonkeyPatch) -> None:
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given, **named: -original(*given, **named))

    return broken


def same_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both players of the bilinear game descend the same value."""
    original = Bilinear.losses

    def losses(self: Bilinear, *given: Any) -> Any:
        made, notes = original(self, *given)
        return {player: -loss if player == "y" else loss for player, loss in made.items()}, notes

    monkeypatch.setattr(Bilinear, "losses", losses)


def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """No derivative passes through the steps ahead."""
    original = Unrolled._ahead

    def ahead(self: Unrolled, game: Any, state: Any, batch: Any, create_graph: bool) -> Any:
        found = original(self, game, state, batch, create_graph=False)
        leading = {player: vector.detach() for player, vector in found.items()}
        return {**state.players, self.opponent: leading[self.opponent]}

    monkeypatch.setattr(Unrolled, "_ahead", ahead)


def first_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consensus without its second term."""
    original = Consensus.move
    monkeypatch.setattr(Consensus, "move", lambda self, *given: original(replace(self, gamma=0.0), *given))


def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instance noise of deviation 0."""
    original = InstanceNoise.__call__

    @wraps(original)
    def still(self: InstanceNoise, *given: Any, **named: Any) -> Any:
        return original(replace(self, sigma=0.0), *given, **named)

    monkeypatch.setattr(InstanceNoise, "__call__", still)


def unbalanced(monkeypatch: pytest.MonkeyPatch) -> None:
    """BEGAN whose k stays where it begins."""
    monkeypatch.setattr(BoundaryEquilibrium, "remember", lambda self, memory, *given: memory)


BROKEN: tuple[tuple[str, str, Break, bool], ...] = (
    ("E02", "R1 of weight 0", weightless(R1), True),
    ("E07", "R1 only: R2 of weight 0", weightless(R2), True),
    ("E08", "mutual information of weight 0", weightless(MutualInformation), True),
    ("E09", "a sign flipped", same_side, False),
    ("E10", "consensus of first order", first_order, False),
    ("E11", "gradient penalty of weight 0", weightless(GradientPenalty), True),
    ("E12", "no noise", silent, True),
    ("E13", "stopped gradient in unrolling", stopped, True),
    ("E14", "a sign flipped", flipped(e14_loss_programme, "dual"), False),
    ("E17", "Roth's term of weight 0", weightless(Roth), True),
    ("E20", "k not balanced", unbalanced, True),
    ("E22", "gradient penalty of weight 0", weightless(GradientPenalty), True),
    ("E23", "a sign flipped", flipped(e23_contrast, "log_normal"), False),
    ("E27", "gradient penalty of weight 0", weightless(GradientPenalty), True),
)  # id, what is broken, how, whether it takes long


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("id", "broken"),
    [
        pytest.param(id, broken, id=f"{id} {said}", marks=[pytest.mark.slow] if long else [])
        for id, said, broken, long in BROKEN
    ],
)
def test_a_broken_part_turns_the_quick_verdict(
    id: str, broken: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = verdict(id)
    broken(monkeypatch)
    found = verdict(id)
    assert [says for says, met in whole.items() if met and not found[says]], "no acceptance has noticed"
    assert all(whole.values()), [says for says, met in whole.items() if not met]
