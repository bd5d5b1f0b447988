"""Training from Python, and a run opened to sample from it and to evaluate it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.batches import Batches
from saddlepoint.budget import Budget
from saddlepoint.data import load
from saddlepoint.data.few_labels import complete
from saddlepoint.data.protocol import Data
from saddlepoint.data.recorded import Recorded
from saddlepoint.errors import InputError
from saddlepoint.evaluate import Evaluator
from saddlepoint.method import Method
from saddlepoint.metrics import Model, Quantities, Score, catalogue
from saddlepoint.metrics.convergence import Contest, Loss
from saddlepoint.model import Trained
from saddlepoint.networks import Networks
from saddlepoint.plan import Plan
from saddlepoint.random import generator as keyed
from saddlepoint.run import Folder
from saddlepoint.sampling import PART, coded, conditions, deployed, latents, samples, walks
from saddlepoint.settings import Settings
from saddlepoint.training import carry_out
from saddlepoint.vocabulary import read


class Run:
    """A trained or training GAN in a folder: `Run.open("runs/digits").sample(64)`."""

    def __init__(self, folder: Folder, plan: Plan, game: Any, state: Any) -> None:
        self.folder, self.plan, self.game, self.state = folder, plan, game, state
        self.path, self.method = folder.path, plan.method

    @property
    def data(self) -> Data:
        """The data set of the run. Raises `InputError` where it is missing or has changed since."""
        data = self.plan.data
        return data.present if isinstance(data, Recorded) else data

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        data: Data | None = None,
        networks: Networks | Mapping[str, nn.Module] | None = None,
        method: Method | None = None,
        best: bool = False,
    ) -> Run:
        """The run in `path` at its last checkpoint, or at the best by the held-out score. Modules and parts of one's
        own have to be given again, since a run holds values and numbers but no code."""
        folder = Folder.existing(Path(path))
        record = folder.read()
        wanted = folder.checkpoints / "best.pt" if best else folder.last()
        if wanted is None or not wanted.is_file():
            raise InputError(
                f"{path} has no {'best ' if best else ''}checkpoint yet; let the run train further"
            )
        pair = networks if networks is not None else _pair(record["networks"])
        settings: Settings = Settings(seed=record["seed"], batch_size=record["batch_size"])
        known = data if data is not None else Recorded(record["data"])
        made = tuple(record["data"]["shape"])
        if known.shape != made:
            raise InputError(
                f"the run in {path} makes samples of shape {made}, {known.name} has {known.shape}"
            )
        plan = Plan(method or read(record["method"]), known, pair, Budget(steps=1), settings)
        state, extra = folder.load(wanted, torch.device("cpu"))
        phase = (*(stage.method for stage in plan.method.before), plan.method)[extra["phase"]]
        channels_last = record["identity"]["channels_last"]
        game = phase.game(plan.modules(), _stand_in(known, phase.glance), channels_last=channels_last)
        return cls(folder, plan, game, state)

    @classmethod
    def untrained(cls, run: Run) -> Run:
        """The same run before its first step: the same networks with their initial weights."""
        players, memory = run.game.init(run.plan.settings.seed, run.data.training(run.plan.rows))
        return cls(run.folder, run.plan, run.game, run.game.method.dynamics.init(run.game, players, memory))

    def sample(
        self, n: int = 64, seed: int = 0, truncation: float | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """n samples, float32 [n, *shape], images in [-1, 1]; averaged weights where the method keeps them.

        labels: int64 [n], for a method that makes samples of a class; by default the classes of held-out rows.
        """
        noise = latents(self.method, n, seed, "sample", truncation)
        return self.render({**noise, **self._given(n, seed, labels)})

    def _given(self, n: int, seed: int, labels: Tensor | None = None) -> dict[str, Tensor]:
        """What n samples are made for."""
        if labels is None:
            return conditions(self.game, self.plan.data, n, seed)
        classes = len(self.plan.data.classes)
        if "label" not in self.game.bound().found.given:
            raise InputError(f"{self.method.name} makes samples of no class in particular: leave labels out")
        whole = labels.shape == (n,) and not labels.is_floating_point()
        if not whole or labels.min() < 0 or labels.max() >= classes:
            raise InputError(f"labels of {n} samples are {n} whole numbers from 0 to {classes - 1}")
        return {"label": labels}

    def interpolate(self, rows: int = 8, steps: int = 10, seed: int = 0) -> Tensor:
        """`rows` ways between pairs of latents, `steps` samples each, ends included: [rows * steps, *shape].

        On great arcs between Gaussian draws, whose norm is kept that of the ends (White 2016); on straight lines between
        uniform ones.
        """
        given = {name: value.repeat_interleave(steps, 0) for name, value in self._given(rows, seed).items()}
        return self.render({**walks(self.method, rows, steps, seed), **given})

    def traverse(self, rows: int = 1, steps: int = 10, seed: int = 0) -> Tensor:
        """Samples in rows in which one code of the latent varies and everything else stays: `rows` rows a code, each of
        `steps` samples, or as many as a categorical code has values where that is more."""
        drawn = {**latents(self.method, rows, seed, "traversal"), **self._given(rows, seed)}
        return self.render(coded(self.method).traversed(drawn, steps))

    def render(self, noise: dict[str, Tensor]) -> Tensor:
        players, memory, _ = deployed(self.game, self.state)
        return samples(self.game, players, memory, noise)

    def evaluate(
        self,
        n: int = 2000,
        seed: int = 0,
        data: Data | None = None,
        *,
        metrics: Sequence[str] | None = None,
        extractor: str | None = None,
    ) -> tuple[Score, ...]:
        """Scores of n samples against the held-out rows of the run's data, or of other data: those that training takes,
        or the metrics with these ids. extractor: a name of `features.NAMES` or the path of a file."""
        found = self.quantities(Evaluator(complete(data or self.data), n, seed, extractor=extractor))
        taken = Evaluator.usual(found) if metrics is None else [catalogue.get(name) for name in metrics]
        return tuple(score for metric in taken for score in found.scores(metric))

    def quantities(self, evaluator: Evaluator, rivals: Sequence[Model] = ()) -> Quantities:
        """As many samples of the run as the evaluator looks at, and the run itself, for metrics to ask."""
        given = self._given(evaluator.n, evaluator.seed)
        noise = latents(self.method, evaluator.n, evaluator.seed, "evaluation")
        same = evaluator.data.classes == self.plan.data.classes  # elsewhere labels mean something else
        labels = given.get("label") if same else None
        found = evaluator.quantities(self.render({**noise, **given}), labels, self._trained(), rivals)
        if evaluator.data.shape == self.plan.data.shape:
            found = replace(found, contest=self.contest())
        return found if same else replace(found, classify=None, recognition=None)

    def contest(self) -> Contest | None:
        """The players as they play, not their averages, with their losses; what networks and parts remember is held. None
        where a loss asks for more than real rows and noise, or where players are held within bounds."""
        needs = self.game.needs(self.game.players)
        if needs - self.game.draws.keys() - {"real"} or self.method.constraints:
            return None
        clock = {"step": self.state.clock["step"], "images": self.state.clock["images"], "progress": 1.0}

        def losses(rows: Tensor, seed: int) -> dict[str, Loss]:
            drawn = Batches(self.game, self.plan.data, seed, len(rows), torch.device("cpu"))
            batch = {**drawn.noise(0, 0, needs), "real": rows, "clock": clock}
            return {player: partial(self._loss, player, batch) for player in self.game.players}

        return Contest(self.state.players, losses)

    def _loss(self, player: str, batch: Mapping[str, Any], at: Mapping[str, Tensor]) -> Tensor:
        loss: Tensor = self.game.losses((player,), dict(at), self.state.memory, batch)[0][player]
        return loss

    def classify(self, samples: Tensor) -> Tensor:
        """What the discriminator takes samples [n, *shape] to be, for a method whose discriminator names classes: logits
        [n, classes]."""
        classify = self._trained().classify
        if classify is None:
            raise InputError(f"the discriminator of {self.method.name} names no classes")
        return torch.cat([classify(part) for part in samples.split(PART)])

    def model(self) -> Trained:
        """The run as metrics see it: latents, samples that are differentiable in them, and the discriminator's scores."""
        if self.game.bound().found.given:
            raise InputError(f"{self.method.name} makes samples for labels or images, not of noise alone")
        return self._trained()

    def _trained(self) -> Trained:
        players, memory, _ = deployed(self.game, self.state)
        return Trained(self.path.name, self.method, self.game.bound(), players, memory)

    def generator(self) -> nn.Module:
        """The trained generator as an ordinary module in evaluation mode: latent [n, size] -> samples."""
        module = copy.deepcopy(self.plan.modules()["generator"])
        players, memory, _ = deployed(self.game, self.state)
        named = self.game.networks["generator"].layout.named(players["generator"])
        module.load_state_dict({**named, **memory["buffers"]["generator"]}, strict=False)
        return module.eval()


def train(
    method: Method,
    data: Data | str,
    networks: Networks | Mapping[str, nn.Module] | None = None,
    *,
    out: str | Path,
    budget: Budget,
    settings: Settings = Settings(),
    quiet: bool = False,
) -> Run:
    """Train `method` on `data` in the folder `out`, or continue what is there; returns the `Run`.

    `networks`: a value such as `DCGAN(width=32)`, or {"generator": module, "discriminator": module} of your own; by
    default DCGAN for images and MLP for vectors. `quiet`: no progress is shown. Raises `InputError` for what cannot be,
    `TrainingFailed` when a loss stops being finite.
    """
    source = {"spec": data if isinstance(data, str) else data.name, "options": {}}
    plan = Plan(method, load(data) if isinstance(data, str) else data, networks, budget, settings)
    carry_out(plan, Path(out), source, quiet)
    return Run.open(out, data=plan.data, networks=networks, method=method)


def _stand_in(data: Data, rows: int) -> dict[str, Tensor]:
    """Rows shaped like those of the data, for the networks to be looked at: a run is opened without its data."""
    real = torch.randn(rows, *data.shape, generator=keyed("cpu", 0, "stand-in")).tanh()
    if not data.classes:
        return {"real": real}
    label = torch.arange(rows) % len(data.classes)
    return {"real": real, "label": label, "labelled": real, "labelled_label": label}


def _pair(text: str) -> Any:
    if text.startswith("{"):
        raise InputError("this run was trained with modules of your own; open it from Python with networks=…")
    return read(text)
