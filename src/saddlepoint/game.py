"""A game: players, and a loss for each that depends on everybody's parameters. Nothing is updated here.

Whatever has `losses` gets its gradients, its vector field and its Jacobian-vector products from this file; a
two-number toy and a network of millions are the same thing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from saddlepoint.average import EMA
from saddlepoint.network import Execution, Plain

if TYPE_CHECKING:
    from saddlepoint.bound import MethodGame

Vector = Tensor
Players = dict[str, Vector]
Memory = dict[str, Any]  # nested dictionaries of tensors, one entry per part
Batch = Mapping[str, Any]  # rows of data and noise by name, and the clock


class Notes(NamedTuple):
    """What an evaluation leaves besides its losses: `info` is looked at; `buffers` of networks and what parts have `seen`
    (means over rows) may be remembered."""

    info: dict[str, Tensor]
    buffers: dict[str, dict[str, Tensor]]
    seen: dict[str, dict[str, Tensor]] = {}  # noqa: RUF012 (never changed)


class Game(ABC):
    """Players and their losses. `losses` is pure: memory is read, never returned; randomness is in the batch."""

    players: tuple[str, ...]
    execution: Execution = Plain()
    averages: Mapping[str, EMA] = {}

    @abstractmethod
    def init(self, seed: int, reference: Batch) -> tuple[Players, Memory]:
        """The players' vectors and the memory at the start; `reference` is a batch to look at."""

    @abstractmethod
    def losses(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch
    ) -> tuple[dict[str, Tensor], Notes]:
        """The losses of the players in `who`, from one evaluation."""

    def sample(self, players: Players, memory: Memory, batch: Batch) -> Tensor:
        """Samples in evaluation mode, a row for each row of noise in `batch`."""
        raise NotImplementedError(f"{type(self).__name__} has nothing to sample")

    def best_response(self, player: str, players: Players, memory: Memory, batch: Batch) -> Vector:
        """argmin of the player's loss over its own vector, the others held: known to small games only."""
        raise NotImplementedError(f"{type(self).__name__} does not know the best response of {player!r}")

    def at(self, step: int) -> Game:
        """The game that is played at this step: one of finitely many, each named by its `phase`."""
        return self

    def phase(self, step: int) -> int:
        """The first step at which the same game is played."""
        return 0

    def bound(self) -> MethodGame:
        """The game of a method under all transformations."""
        raise NotImplementedError(f"{type(self).__name__} has no networks")

    def needs(self, who: tuple[str, ...]) -> frozenset[str]:
        """The entries of a batch that an evaluation for `who` reads."""
        return frozenset()

    def after(self, player: str, vector: Vector) -> Vector:
        """The projection of a moved player (constraints)."""
        return vector

    def remember(self, who: tuple[str, ...], players: Players, memory: Memory, notes: Notes) -> Memory:
        """The memory after the players in `who` made a committed move."""
        return memory

    def gradients(
        self, who: tuple[str, ...], players: Players, memory: Memory, batch: Batch, create_graph: bool = False
    ) -> tuple[Players, Notes]:
        """∇_p L_p for every p in `who`, each with respect to its own vector, from one evaluation."""

        def losses(at: Players) -> tuple[dict[str, Tensor], Notes]:
            return self.losses(who, {**players, **at}, memory, batch)

        return self.execution.gradients(losses, {p: players[p] for p in who}, create_graph)

    def field(self, players: Players, memory: Memory, batch: Batch) -> Players:
        """The simultaneous vector field v = (∇_p L_p)_p over all players; descent follows −v."""
        return self.gradients(self.players, players, memory, batch)[0]

    def derivatives(
        self, losses: Callable[[Players], tuple[dict[str, Tensor], Notes]], at: Players
    ) -> tuple[Players, Notes]:
        """dL_p/dθ_p for every p in `at`, L a function of these vectors that is put together from evaluations of this
        game: the last of them may stand at points that depend on `at` (steps of the others, for instance)."""
        return self.execution.gradients(losses, at)

    def pullback(self, players: Players, memory: Memory, batch: Batch, cotangent: Players) -> Players:
        """Jᵀu, J the Jacobian of `field`. Linear in the batch, hence a mean over shards and micro-batches."""
        return self.execution.pullback(
            lambda at: self.losses(self.players, at, memory, batch), players, cotangent
        )

    def pushforward(self, players: Players, memory: Memory, batch: Batch, tangent: Players) -> Players:
        """Ju, J the Jacobian of `field`."""
        return self.execution.pushforward(
            lambda at: self.losses(self.players, at, memory, batch), players, tangent
        )
