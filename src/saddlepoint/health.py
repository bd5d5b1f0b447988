"""The health of a run in training: when it is looked at, what is written, what is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from saddlepoint.bound import MethodGame
from saddlepoint.budget import passed
from saddlepoint.data.protocol import Data
from saddlepoint.diagnostics.signs import Finding, findings
from saddlepoint.diagnostics.vitals import Vitals
from saddlepoint.game import Memory, Players
from saddlepoint.run import Folder
from saddlepoint.settings import Settings

APART = 500  # steps between two looks: a look costs a few of them


class Health:
    """The looks of one run, in its folder and at hand."""

    def __init__(self, folder: Folder, settings: Settings, say: Callable[[str], None]) -> None:
        self.folder, self.wanted, self.seed, self.say = folder, settings.looks, settings.seed, say
        self.looks: list[dict[str, Any]] = []

    def take_up(self) -> None:
        """The looks that the folder holds."""
        self.looks = self.folder.rows(self.folder.health)

    def see(self, game: MethodGame, data: Data) -> None:
        """From here on the players of this game are looked at."""
        self.vitals = Vitals(game, data, self.seed)

    @property
    def possible(self) -> bool:
        return bool(self.wanted) and self.vitals.possible

    @property
    def findings(self) -> list[Finding]:
        return findings(self.looks)

    def due(self, before: float, spent: float, step: int) -> bool:
        """Whether a mark of the budget was passed, and the last look is long ago; at the end always."""
        last = self.looks[-1]["step"] if self.looks else -APART
        return bool(self.wanted) and (
            spent >= 1 > before or (passed(before, spent, self.wanted) and step - last >= APART)
        )

    def look(
        self, clock: Mapping[str, Any], players: Players, memory: Memory, gradients: Players | None
    ) -> Finding | None:
        """Take the vitals, and say what is newly found; the first new finding that is severe."""
        known = {finding.name for finding in self.findings}
        self._write({**clock, **self.vitals(players, memory, gradients)})
        new = [f for f in self.findings if f.name not in known and f.severity != "note"]
        for finding in new:
            self.say(f"health: {finding}")
        return next((finding for finding in new if finding.severity == "severe"), None)

    def failed(self, clock: Mapping[str, Any]) -> None:
        """A loss was not finite."""
        if self.wanted:
            self._write({**clock, "finite": False})

    def _write(self, look: dict[str, Any]) -> None:
        self.looks.append(look)
        self.folder.append(self.folder.health, [look])
