"""A trained GAN as metrics see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from saddlepoint.bound import MethodGame
from saddlepoint.errors import InputError
from saddlepoint.forward import record
from saddlepoint.game import Memory, Players
from saddlepoint.latents import Codes
from saddlepoint.method import Method
from saddlepoint.metrics.information import Recognition
from saddlepoint.penalties import MutualInformation
from saddlepoint.penalties.base import per_point
from saddlepoint.sampling import PART, latents


@dataclass(frozen=True, eq=False)
class Trained:
    """The players of a run in evaluation mode, with averaged weights where the method keeps them."""

    name: str
    method: Method
    game: MethodGame
    players: Players
    memory: Memory

    def latents(self, n: int, seed: int) -> Tensor:
        """n rows of what the generator takes, noise and codes side by side, then single numbers such as the choice of a
        component: [n, numbers]."""
        noise = latents(self.method, n, seed, "model")
        if "generator" not in self.game.networks:
            return noise["latent"]
        inputs = self.game.evaluation(self.players, self.memory, noise)["generator_input"]
        return torch.cat([part.reshape(n, -1) for part in inputs], 1)

    def generate(self, latents: Tensor) -> Tensor:
        """A sample for each row, differentiable in the latents: [n, *shape]."""
        latents, size = latents.to(self._device), self.method.latent.size
        inputs = (latents[:, :size], *latents[:, size:].unbind(1))
        ready = "generator" in self.game.networks
        given: Any = {"generator_input": inputs} if ready else {"latent": latents}
        made: Tensor = self.game.evaluation(self.players, self.memory, given)["fake"]
        return made

    def judge(self, samples: Tensor) -> Tensor:
        """The discriminator's score of each sample, untreated; higher means real, whatever sign the objective gives it:
        [n]."""
        if "discriminator" not in self.game.players:
            raise InputError(f"{self.method.name} trains no discriminator that could judge samples.")
        score = per_point(self._record(samples)["score"])
        return -score if self.method.objective.low_is_real else score

    @property
    def classify(self) -> Callable[[Tensor], Tensor] | None:
        """Logits [n, classes] of samples by the discriminator, or None where it names no classes."""
        return self._classes if "class" in self.game.found.heads else None

    @torch.no_grad()
    def _classes(self, samples: Tensor) -> Tensor:
        logits: Tensor = self._record(samples)["class"]
        return logits.float().cpu()

    @property
    def recognition(self) -> Recognition | None:
        """The codes of the latents with the head that recognises them, or None where the method has none of both."""
        latent, term = self.method.latent, self._information
        if not isinstance(latent, Codes) or term is None or self.game.found.given:
            return None
        return Recognition(
            latent.categorical, term.entropy(latent.continuous), self._codes, self._log_probabilities
        )

    @property
    def _information(self) -> MutualInformation | None:
        return next((term for term in self.method.terms if isinstance(term, MutualInformation)), None)

    @torch.no_grad()
    def _codes(self, samples: Tensor) -> Tensor:
        found: Tensor = self._record(samples)["code"]
        return found.float().cpu()

    @torch.no_grad()
    def _log_probabilities(self, n: int, seed: int) -> Tensor:
        """log Q(c|G(z, c)) of n draws."""
        noise, term, found = latents(self.method, n, seed, "codes"), self._information, []
        for start in range(0, n if term else 0, PART):
            part = {name: rows[start : start + PART].to(self._device) for name, rows in noise.items()}
            forward = self.game.evaluation(self.players, self.memory, part)
            found.append(term.log_probabilities(self._codes(forward["fake"]), forward["code"].cpu()))  # type: ignore[union-attr]
        return torch.cat(found)

    def _record(self, samples: Tensor) -> Any:
        """What the discriminator returns for samples, untreated."""
        forward = self.game.evaluation(self.players, self.memory, {"real": samples.to(self._device)})
        return record(forward["discriminator"](forward["real_point"]))

    @property
    def _device(self) -> torch.device:
        return next(iter(self.players.values())).device
