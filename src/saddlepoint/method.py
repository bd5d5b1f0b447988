"""A method: a named GAN as a value. It prints itself completely and is read back by `saddlepoint.vocabulary.read`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from saddlepoint.average import EMA
from saddlepoint.bound import MethodGame
from saddlepoint.constraints import Constraint
from saddlepoint.draws import Draw
from saddlepoint.dynamics import Alternating, Dynamics
from saddlepoint.errors import InputError
from saddlepoint.forward import Definition, arguments
from saddlepoint.game import Batch
from saddlepoint.latents import Gaussian, Latent
from saddlepoint.mixture import Several, mixed
from saddlepoint.network import Execution, Plain
from saddlepoint.objectives import NonSaturating, Objective
from saddlepoint.penalties import Term
from saddlepoint.treatments import Treatment


@dataclass(frozen=True)
class Stage:
    """A game played before the method's own, for `steps` steps, with the same networks and vectors.

    Players that both stages know by name hand their vectors and buffers on; optimisers and averages start anew.
    """

    method: Method
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError(
                f"a stage of {self.method.name} with {self.steps} steps is none: give at least 1"
            )


@dataclass(frozen=True)
class Method:
    """objective + terms + constraints + dynamics, and where it comes from.

    A variation is `dataclasses.replace(method, terms=(R1(gamma=0.1),))`.
    """

    name: str
    formula: str = ""
    paper: str = ""
    deviations: tuple[str, ...] = ()
    objective: Objective = NonSaturating()
    terms: tuple[Term, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    definitions: tuple[Definition, ...] = ()
    latent: Latent = Gaussian(128)
    dynamics: Dynamics = Alternating()
    averages: dict[str, EMA] = field(default_factory=dict)
    batch_size: int = 64
    networks: object = None
    """The pair that the method is published with, where an ordinary one will not do; None: what fits the data."""
    before: tuple[Stage, ...] = ()
    mixture: Several | None = None
    """Several pairs in place of one."""

    @property
    def asks(self) -> frozenset[str]:
        """The quantities that its parts ask for."""
        losses = [arguments(getattr(self.objective, player)) for player in self.objective.players]
        watched = [arguments(part.observe) for part in (self.objective, *self.terms, *self.treatments)]
        return frozenset().union(*losses, *watched, *(term.asks() for term in self.terms))

    @property
    def per_row(self) -> bool:
        """Whether a term speaks of single points, so that the discriminator must not couple samples."""
        return any(term.per_row for term in self.terms)

    @property
    def pack(self) -> int:
        """Rows that the discriminator judges as one point."""
        return math.prod(definition.pack for definition in self.definitions)

    @property
    def glance(self) -> int:
        """Rows of a small batch to look at shapes with: eight, or the next number that packs divide."""
        return self.pack * -(-8 // self.pack)

    @property
    def noise(self) -> dict[str, Draw]:
        """What a sample is made of."""
        several = self.mixture.draws() if self.mixture else {}
        makers = [d for d in self.definitions if hasattr(d, "beside")]
        return self.latent.draws() | several | {n: draw for d in makers for n, draw in d.draws().items()}

    def game(
        self,
        networks: Mapping[str, nn.Module],
        reference: Batch,
        *,
        execution: Execution = Plain(),
        channels_last: bool = False,
        gather: Callable[[Any], Any] | None = None,
    ) -> MethodGame:
        """The method met with networks. What does not fit fails here, in one sentence.

        `reference`: a small batch, {"real": [n, …], "label": [n]}, n ≥ 4, to look at shapes and couplings.
        """

        several = self.mixture if self.mixture and self.mixture.components > 1 else None

        def base(modules: Mapping[str, nn.Module], execution: Execution) -> MethodGame:
            return MethodGame(
                self,
                modules,
                reference,
                execution=execution,
                channels_last=channels_last and several is None,  # `torch.vmap` knows no memory formats
                gather=gather,
            )

        if several is None:
            return base(networks, execution)
        game = mixed(base, several, tuple(self.dynamics.optimizers), networks, execution)
        if gather and (coupled := (*game.found.coupled, game.coupling)[0]):
            raise InputError(
                f"{coupled} of {self.name} couples rows, and a mixture on several processes needs parts that take each row "
                "by itself: start one process, or take networks without BatchNorm"
            )
        return game
