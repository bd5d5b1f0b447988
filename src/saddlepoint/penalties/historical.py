"""Historical averaging: a term on a player's parameters, with a memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from saddlepoint.penalties.base import Term
from saddlepoint.schedules import Clock, Schedule, now


@dataclass(frozen=True)
class HistoricalAveraging(Term):
    """λ‖θ − θ̄‖² in the loss of `player` (Salimans et al. 2016, section 3.3), one term for each player that has it.

    θ̄ = (θ₀ + … + θ_t)/(t + 1) is the mean over all that the player has been, the present θ_t among them, and a constant:
    the gradient is 2λ(θ − θ̄). It moves once per committed move of the player.
    """

    player: str = "generator"
    weight: float | Schedule = 1.0

    @property
    def players(self) -> tuple[str, ...]:  # type: ignore[override]
        return (self.player,)

    @property
    def observed(self) -> tuple[str, ...]:  # type: ignore[override]
        """The players after whose moves the memory moves."""
        return (self.player,)

    def start(self, players: Mapping[str, Tensor]) -> dict[str, Tensor]:
        vector = players[self.player].detach()
        return {"mean": vector.clone(), "count": vector.new_ones(())}

    def remember(
        self, memory: Mapping[str, Tensor], seen: Mapping[str, Tensor], players: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        count = memory["count"] + 1
        return {
            "mean": memory["mean"] + (players[self.player].detach() - memory["mean"]) / count,
            "count": count,
        }

    def __call__(  # type: ignore[override]
        self, parameters: Tensor, memory: Mapping[str, Tensor], clock: Clock | None = None
    ) -> Tensor:
        return now(self.weight, clock) * (parameters - memory["mean"].detach()).square().sum()

    def of(self, module: nn.Module, memory: Mapping[str, Tensor], clock: Clock | None = None) -> Tensor:
        """The term alone, for any training loop. `memory = term.kept(module)` before the first step and
        `memory = term.kept(module, memory)` after each."""
        return self(nn.utils.parameters_to_vector(module.parameters()), memory, clock)

    def kept(self, module: nn.Module, memory: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """The memory of a module of one's own after a step, or at the start."""
        players = {self.player: nn.utils.parameters_to_vector(module.parameters())}
        return self.start(players) if memory is None else self.remember(memory, {}, players)
