"""Training: the only loop of the project."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from saddlepoint.batches import Batches, Shard
from saddlepoint.budget import passed
from saddlepoint.compiled import Compiled, compiler_missing
from saddlepoint.data.few_labels import complete
from saddlepoint.dynamics.base import Info
from saddlepoint.errors import InputError
from saddlepoint.evaluate import Evaluator
from saddlepoint.health import Health
from saddlepoint.live import Live
from saddlepoint.model import Trained
from saddlepoint.parallel import Processes
from saddlepoint.plan import Plan, compiling, environment, game_of
from saddlepoint.run import Folder, log_lines, write_json, write_weights
from saddlepoint.sampling import by_class, conditions, deployed, latents, samples
from saddlepoint.surroundings import deterministic, memory_errors, peak_memory, signals, threads_of
from saddlepoint.trackers import Trackers

FLUSH = 50  # steps between looks at the losses: a look waits for the device
PLANES = 5  # pictures of the plane at most: each costs a tenth of a second


class TrainingFailed(RuntimeError):
    """A loss became NaN or infinite; the last good checkpoint is kept."""


def carry_out(plan: Plan, out: Path, source: Mapping[str, Any], quiet: bool = False) -> None:
    """Begin or continue the run of `plan` in `out`."""
    plan.check()
    device = plan.settings.place()
    processes = Processes(device)
    folder = Folder(out)
    try:
        with memory_errors(plan), threads_of(plan, folder) as threads, deterministic():
            Training(
                plan, folder, source, processes, device, threads, Live(processes.writer and not quiet)
            ).run()
    finally:
        processes.close()


class Training:
    """One process's part of a run."""

    def __init__(
        self,
        plan: Plan,
        folder: Folder,
        source: Mapping[str, Any],
        processes: Processes,
        device: torch.device,
        threads: int,
        live: Live,
    ) -> None:
        self.plan, self.folder, self.live = plan, folder, live
        self.record = plan.record(threads, source)
        self.processes, self.device, self.threads = processes, device, threads
        self.budget, self.settings = plan.budget, plan.settings
        self.phases = [(stage.method, stage.steps) for stage in plan.method.before] + [(plan.method, None)]
        self.phase, self.seconds, self.stop, self.message = 0, 0.0, False, ""
        self.pending: list[tuple[dict[str, Any], Info]] = []
        self.begun, self.best = False, math.inf
        self.health = Health(folder, plan.settings, live.say)
        self.saved_at, self.flushed_at = time.monotonic(), time.monotonic()

    # -- from beginning to end ----------------------------------------------------------------------

    def run(self) -> None:
        self.said = self.enter(self.phase_at(0))  # fails before anything is written
        try:
            self.processes.alone(self.claim)
            with signals(self):
                if not self.resume():
                    return
                self.supply()
                if self.processes.writer and self.folder.last() is None:
                    self.start()
                for line in self.said:
                    self.live.say(line)
                with self.live.over(self.budget):
                    self.loop()
                self.finish()
        except Exception:
            if self.begun and not self.state.clock["step"]:
                self.folder.discard()  # so that the next attempt may differ
            raise
        finally:
            self.folder.unlock()

    def claim(self) -> None:
        """Lock the folder; begin it, or check that it holds this very run."""
        try:
            self.folder.admit(self.record)  # what is refused stays untouched
            self.folder.lock()
            self.folder.admit(self.record)  # again: another process may have begun it before the lock
            self.begun = not self.folder.record.is_file()
            if self.begun:
                self.folder.begin(self.record, environment())
            self.folder.tidy()
        except OSError as error:
            raise InputError(f"cannot write to {self.folder.path}: {error.strerror or error}") from error
        self.evaluator = Evaluator(
            complete(self.plan.data), self.settings.evaluation_samples, self.settings.seed, self.live.say
        )
        self.trackers = Trackers(self.settings.trackers, self.folder.path, self.record)

    def resume(self) -> bool:
        """Take up the last checkpoint; False when nothing is left to do."""
        path = self.processes.share(self.folder.last() if self.processes.writer else None)
        if path is None:
            return True
        state, extra = self.folder.load(path, self.device)
        if self.phase != extra["phase"]:
            self.said = self.enter(extra["phase"])
        self.state, self.seconds, self.best = state, extra["seconds"], extra["best"]
        if self.processes.writer:
            self.folder.truncate(self.state.clock["step"])
            self.health.take_up()
        step, done = self.state.clock["step"], self.budget.done(self.clock())
        if self.processes.share(done and self.processes.writer and self.folder.complete(step)):
            self.live.say(f"{self.folder.path} is finished: {step} steps; nothing to do")
            return False
        if self.processes.writer:
            self.folder.summary.unlink(missing_ok=True)  # of the run as it was when it stopped
        self.live.say(f"continuing {self.folder.path} from step {step}")
        return True

    def start(self) -> None:
        """What is written of a run before its first step."""
        self.folder.truncate(-1)
        self.picture()
        self.plane()
        self.look()
        self.evaluate()
        self.save()

    def enter(self, phase: int) -> list[str]:
        """Make the game of a phase, with what the phase before hands on."""
        method = self.phases[phase][0]
        game, said = game_of(self.plan, method, self.processes, self.device)
        reference = {n: t.to(self.device) for n, t in self.plan.data.training(self.plan.rows).items()}
        players, memory = game.init(self.settings.seed, reference)
        before = self.state if phase > 0 and phase == self.phase + 1 else None
        if before is not None:
            known = {**before.memory["fixed"], **before.players}
            for vectors in (players, memory["fixed"]):
                vectors |= {name: known[name] for name in vectors if name in known}
            memory["buffers"] |= {n: b for n, b in before.memory["buffers"].items() if n in memory["buffers"]}
        self.game, self.phase, self.method = game, phase, method
        self.state = method.dynamics.init(game, players, memory)
        if before is not None:
            self.state = self.state._replace(clock=before.clock)
        compiled = compiling(self.plan, self.device)
        self.compiled = Compiled(game, method.dynamics, self.plan.rows) if compiled else None
        missing = compiler_missing(self.device) if self.settings.compile else None
        return said + ([missing] if missing else [])

    def supply(self) -> None:
        """Make the batches of a phase whose players are known, which may say what rows it sees."""
        shard = Shard(self.processes.rank, self.processes.world)
        game = self.game.bound()
        data = game.training_rows(self.plan.data, self.state.players, self.state.memory)
        self.batches = Batches(game, data, self.settings.seed, self.plan.rows, self.device, shard)
        self.health.see(game, self.plan.data)

    def phase_at(self, step: int) -> int:
        end = 0
        for index, (_, steps) in enumerate(self.phases):
            end += steps or 0
            if steps is None or step < end:
                return index
        return len(self.phases) - 1

    def loop(self) -> None:
        while not self.processes.agree(self.budget.done(self.clock()) or self.stop):
            if self.phase_at(self.state.clock["step"]) != self.phase:
                self.said = self.enter(self.phase + 1)
                self.supply()
            before = self.budget.spent(self.clock())
            started = time.perf_counter()
            infos = self.advance()
            self.seconds += time.perf_counter() - started
            if self.processes.writer:
                self.after(infos, before)

    # -- moving -----------------------------------------------------------------------------------------

    def clock(self) -> dict[str, Any]:
        return {**self.state.clock, "seconds": self.seconds}

    def advance(self) -> list[tuple[dict[str, Any], Info]]:
        """One step, or one compiled chunk of steps; what was seen, with the clock after each."""
        dynamics, clock, clocks, batches = self.method.dynamics, self.state.clock, [], []
        turns = dynamics.turns(clock["step"])
        for _ in range(self.chunk()):
            batches.append(
                self.batches.step(clock, turns, self.budget.progress({**clock, "seconds": self.seconds}))
            )
            clock = dynamics.advance(self.game, clock, turns, self.plan.rows)
            clocks.append(clock)
        if self.compiled is None:
            game = self.game.at(self.state.clock["step"])
            state, info = dynamics.step(game, self.state, turns, batches[0].__getitem__, self.plan.rows)
            infos = [info]
        else:
            self.live.compiling(len(batches))
            state, infos = self.compiled(self.state, turns, batches)
        self.state = state._replace(clock=clock)
        return list(zip(clocks, infos, strict=True))

    def chunk(self) -> int:
        """Steps to take at once: a whole chunk where it begins on a multiple of its length and ends within the budget
        and the phase, else one. A function of the absolute step, so that a resumed run takes the same chunks."""
        size, clock = self.settings.chunk, self.state.clock
        if self.compiled is None or clock["step"] % size:
            return 1
        turns = self.method.dynamics.turns(clock["step"])
        for _ in range(size):
            ends = self.budget.seconds is None and self.budget.done(clock)
            if ends or self.phase_at(clock["step"]) != self.phase:
                return 1
            if self.method.dynamics.turns(clock["step"]) != turns:
                return 1
            clock = self.method.dynamics.advance(self.game, clock, turns, self.plan.rows)
        return size

    # -- writing (one process) ------------------------------------------------------------------------

    def after(self, infos: list[tuple[dict[str, Any], Info]], before: float) -> None:
        """Log, and what is due: a picture, an evaluation, a checkpoint. A checkpoint comes last, so that whatever lies
        before it in the folder belongs to a step it covers."""
        self.pending += infos
        spent, step = self.budget.spent(self.clock()), self.state.clock["step"]
        now, every = time.monotonic(), self.settings.checkpoint_steps
        due = {
            "picture": passed(before, spent, self.settings.pictures),
            "plane": passed(before, spent, min(self.settings.pictures, PLANES)),
            "look": self.health.due(before, spent, step),
            "evaluation": passed(before, spent, self.settings.evaluations),
            "checkpoint": now - self.saved_at >= self.settings.checkpoint_seconds
            or bool(every and step // every > (step - len(infos)) // every),
        }
        if any(due.values()) or len(self.pending) >= FLUSH or now - self.flushed_at > 1:
            self.flush()
        if due["picture"]:
            self.picture()
        if due["plane"]:
            self.plane()
        if due["look"]:
            self.look()
        if due["evaluation"]:
            self.evaluate()
        if due["evaluation"] or due["checkpoint"]:
            self.save()

    def flush(self) -> None:
        """Write what was seen since the last look; stop at the first loss that is not finite."""
        if not self.pending:
            return
        self.flushed_at = time.monotonic()
        rows = log_lines(self.pending, self.seconds)
        self.pending = []
        bad = next((row for row in rows if not all(math.isfinite(v) for v in row.values())), None)
        good = [row for row in rows if bad is None or row["step"] < bad["step"]]
        logged = [row for row in good if row["step"] % self.settings.log_every == 0]
        self.folder.append(self.folder.metrics, logged)
        self.trackers.log(logged)
        if bad is not None:
            self.fail(bad)
        self.live.update(rows[-1], self.budget)

    def fail(self, row: dict[str, Any]) -> None:
        name = next(n for n, v in row.items() if not math.isfinite(v))
        last = self.folder.last()
        message = (
            f"{name} became {row[name]} at step {row['step']}; training stopped, the last good checkpoint is "
            f"{last.name if last else 'none'}: a lower learning rate or a gradient penalty may help"
        )
        self.health.failed({"step": row["step"], "phase": self.phase})
        write_json(self.folder.summary, self.summary("failed", message))
        raise TrainingFailed(message)

    def picture(self) -> None:
        from saddlepoint.paths import write_atomic
        from saddlepoint.pictures import sample_picture

        given = by_class(self.game, self.plan.data, 8)
        rows = len(next(iter(given.values()))) if given else 64
        noise = latents(self.method, rows, self.settings.seed, "fixed noise")
        shown = self.generated({**noise, **given})
        name = f"{self.state.clock['step']:08d}.png"
        write_atomic(self.folder.samples / name, sample_picture(shown, self.plan.data, 8))

    def plane(self) -> None:
        from saddlepoint.paths import write_atomic
        from saddlepoint.pictures import plane_picture

        if drawn := plane_picture(self.trained(""), self.plan.data, self.settings.seed):
            self.folder.planes.mkdir(exist_ok=True)
            write_atomic(self.folder.planes / f"{self.state.clock['step']:08d}.png", drawn)

    def look(self) -> None:
        """Take the vitals of the run."""
        if not self.health.possible:
            return
        players, memory, clock, gradients = self.state.players, self.state.memory, self.clock(), None
        if self.processes.world == 1:  # a gradient over several processes takes all of them
            batch = self.batches.whole(self.state.clock, self.budget.progress(clock))
            gradients = self.game.gradients(self.game.players, players, memory, batch)[0]
        row = {**{n: v for n, v in clock.items() if n != "rows"}, "phase": self.phase}
        severe = self.health.look(row, players, memory, gradients)
        if severe and self.settings.stop_when_sick:
            self.stop, self.message = True, f"stopped by a finding: {severe.sentence}"

    def generated(self, noise: dict[str, Tensor]) -> Tensor:
        players, memory, _ = deployed(self.game, self.state)
        return samples(self.game, players, memory, noise)

    def trained(self, name: str) -> Trained:
        players, memory, _ = deployed(self.game, self.state)
        return Trained(name, self.method, self.game.bound(), players, memory)

    def evaluate(self) -> None:
        if not (self.settings.evaluations and self.evaluator.possible):
            return
        n = self.settings.evaluation_samples
        given = conditions(self.game, self.plan.data, n, self.settings.seed)
        noise = latents(self.method, n, self.settings.seed, "evaluation")
        model = self.trained(self.folder.path.name)
        scores = self.evaluator(self.generated({**noise, **given}), given.get("label"), model)
        row = {
            **self.clock(),
            "weights": deployed(self.game, self.state)[2],
            "scores": [score.to_json() for score in scores],
        }
        self.folder.append(self.folder.evaluations, [row])
        self.trackers.log([{"step": row["step"], **{f"evaluation/{s.metric}": s.value for s in scores}}])
        self.live.scores(row["step"], scores)
        self.judged = (self.evaluator.headline(scores), row)

    def save(self) -> None:
        self.flush()
        self.saved_at = time.monotonic()
        score, row = getattr(self, "judged", (math.inf, None))
        better = row is not None and row["step"] == self.state.clock["step"] and score < self.best
        self.best = min(score, self.best) if better else self.best
        extra = {"phase": self.phase, "seconds": self.seconds, "best": self.best}
        self.folder.save(self.state, extra, self.settings.keep, row if better else None)

    def finish(self) -> None:
        """Last checkpoint, weights, summary and, last of all, the report; or how to continue."""
        if not self.processes.writer:
            return
        self.save()
        done = self.budget.done(self.clock())
        if done:
            self.weights()
        self.panels()
        self.folder.report.unlink(missing_ok=True)
        ending = ("finished", "") if done else ("stopped", self.message)
        write_json(self.folder.summary, self.summary(*ending))
        from saddlepoint import report

        page = report.write(self.folder.path)
        self.trackers.close()
        if done:
            self.live.say(f"finished after {self.state.clock['step']} steps; report: {page}")
        else:
            self.live.say(f"stopped at step {self.state.clock['step']}; the same command continues the run")

    def panels(self) -> None:
        """Pictures whose rows mean something, with what they mean beside them."""
        from saddlepoint.panels import panels, write

        for panel in panels(self.method, self.game, self.plan.data, self.settings.seed):
            write(panel, self.generated(dict(panel.noise)), self.folder.panels)

    def weights(self) -> None:
        """Final weights by name, raw and averaged."""
        bound = self.game.bound()
        for name, vector in self.state.players.items():
            layout = bound.networks[name].layout
            buffers = self.state.memory["buffers"][name]
            write_weights(self.folder.weights / f"{name}.safetensors", {**layout.named(vector), **buffers})
            if name in self.state.average:
                average = self.state.average[name]
                named = {**layout.named(average["vector"]), **average["buffers"]}
                write_weights(self.folder.weights / f"{name}-average.safetensors", named)

    def summary(self, status: str, message: str) -> dict[str, Any]:
        clock = self.clock()
        rate = clock["images"] / clock["seconds"] if clock["seconds"] else None
        return {
            "status": status,
            **clock,
            "images_per_second": rate,
            "peak_memory_bytes": peak_memory(self.device),
            "message": message,
            "health": [finding.to_json() for finding in self.health.findings],
        }
