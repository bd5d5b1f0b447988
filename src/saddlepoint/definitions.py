"""Quantities that some methods add to the vocabulary, as values for `Method.definitions`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from saddlepoint.draws import Draw
from saddlepoint.errors import InputError
from saddlepoint.forward import Definition, record
from saddlepoint.network import Execution
from saddlepoint.objectives.metrics import MMD, DistanceKernel, Kernel


@dataclass(frozen=True)
class PointFeatures(Definition):
    """`real_features`, `fake_features`: the points themselves, for metrics without a feature network."""

    def real_features(self, real_point: Tensor) -> Tensor:
        return real_point

    def fake_features(self, fake_point: Tensor) -> Tensor:
        return fake_point


@dataclass(frozen=True)
class Witness(Definition):
    """`score_and_gradient` speaks of the witness E k(φ, φ(x)) − E k(φ, φ(G(z))) of the batch instead of the score, so
    that a gradient penalty holds the critic of an MMD game (Bellemare et al. 2017; Bińkowski et al. 2018)."""

    kernel: Kernel = DistanceKernel()

    def score_and_gradient(
        self,
        score_and_gradient: Any,
        execution: Execution,
        discriminator: Callable[[Any], Any],
        real_features: Tensor,
        fake_features: Tensor,
        gather: Callable[[Tensor], Tensor],
    ) -> Callable[[Any], tuple[Tensor, Any]]:
        data, samples = gather(real_features), gather(fake_features)

        def witness(point: Any) -> tuple[Tensor, dict[str, Any]]:
            features = record(discriminator(point))["features"]
            return MMD(self.kernel).witness(features, data, samples), {}

        return lambda point: execution.score_and_gradient(witness, point)[::2]


@dataclass(frozen=True)
class DensityModel(Definition):
    """The player `model` is a density: points -> log p, and (latents, True) -> draws of its own, which are the
    samples of the run. They carry no gradient. `real_log_density`, `fake_log_density`: log p of data and of draws."""

    replaces: ClassVar[tuple[str, ...]] = ("fake",)

    def fake(self, model: Callable[..., Tensor], latent: Tensor) -> Tensor:
        return model(latent, True).detach()

    def real_log_density(self, model: Callable[..., Tensor], real_point: Tensor) -> Tensor:
        return model(real_point)

    def fake_log_density(self, model: Callable[..., Tensor], fake_point: Tensor) -> Tensor:
        return model(fake_point)


@dataclass(frozen=True)
class NoiseRatio(Definition):
    """`real_ratio`, `noise_ratio`: log p_model − log p_noise at data and at draws of the noise N(0, scale² I)."""

    scale: float = 2.0

    def draws(self) -> dict[str, Draw]:
        return {"noise": Draw("normal", "real")}

    def real_ratio(self, model: Callable[..., Tensor], real_point: Tensor) -> Tensor:
        return model(real_point) - self._log_noise(real_point)

    def noise_ratio(self, model: Callable[..., Tensor], noise: Tensor) -> Tensor:
        return model(self.scale * noise) - self._log_noise(self.scale * noise)

    def _log_noise(self, point: Tensor) -> Tensor:
        rows = point.flatten(1)
        constant = rows.shape[1] * (math.log(self.scale) + 0.5 * math.log(math.tau))
        return -0.5 * (rows / self.scale).square().sum(1) - constant


@dataclass(frozen=True)
class Labelled(Definition):
    """`given`: the label of each row, int64 [n]. Fakes of row i take the label of row i."""

    def given(self, label: Tensor) -> tuple[Tensor, ...]:
        return (label,)


@dataclass(frozen=True)
class PartlyLabelled(Definition):
    """`labelled_class`: the discriminator's logits, [n, classes], for the rows whose label is known. The data bring them as
    `labelled` with `labelled_label`; where they do not, every real row is one."""

    def labelled(self, real: Tensor) -> Tensor:
        return real

    def labelled_label(self, label: Tensor) -> Tensor:
        return label

    def labelled_class(self, record_of: Callable[[Any], Any], labelled: Tensor) -> Tensor:
        found = record_of(labelled)
        if "class" not in found:
            raise InputError(
                f"PartlyLabelled needs a discriminator that names classes, such as KPlusOne(); this one returns "
                f"{', '.join(found)} only"
            )
        logits: Tensor = found["class"]
        return logits


@dataclass(frozen=True)
class Inpainting(Definition):
    """`given`: the data with a centred box painted over (0), whose sides are `share` of the image's."""

    share: float = 0.5

    def given(self, real: Tensor) -> tuple[Tensor, ...]:
        height, width = real.shape[-2:]
        rows, columns = (
            torch.arange(side, device=real.device).sub((side - 1) / 2).abs() < self.share * side / 2
            for side in (height, width)
        )
        return (real.masked_fill(rows[:, None] & columns, 0.0),)


@dataclass(frozen=True)
class ConditionalGenerator(Definition):
    """The generator also takes what is `given`: G(z, y)."""

    def beside(self, beside: tuple[Any, ...], given: tuple[Tensor, ...]) -> tuple[Any, ...]:
        return (*beside, *given)


@dataclass(frozen=True)
class ConditionalDiscriminator(Definition):
    """The discriminator is told what is `given` of each row: s(x, y)."""

    replaces: ClassVar[tuple[str, ...]] = ("condition",)

    def condition(self, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return given


@dataclass(frozen=True)
class Packing(Definition):
    """The discriminator judges packs of `rows` samples side by side in their channels or numbers (Lin et al. 2018):
    points [n, c, …] become [n/rows, rows·c, …], reals and fakes apart. The rows of a batch are independent draws, and so
    are those of a pack. Penalties and treatments see the packs."""

    rows: int = 2

    @property
    def pack(self) -> int:
        return self.rows

    def real_point(self, real_point: Any) -> Any:
        return self._packed(real_point)

    def fake_point(self, fake_point: Any) -> Any:
        return self._packed(fake_point)

    def condition(self, condition: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if condition:
            raise InputError("Packing judges several rows as one point, which has no label of its own")
        return condition

    def _packed(self, point: Any) -> Any:
        if isinstance(point, tuple):
            return tuple(self._packed(member) for member in point)
        if len(point) % self.rows:
            raise InputError(f"packs of {self.rows} do not divide a batch of {len(point)} rows")
        return point.reshape(len(point) // self.rows, self.rows * point.shape[1], *point.shape[2:])


@dataclass(frozen=True)
class SharedCodes(Definition):
    """Beside `Packing(rows)` and a latent of codes: the samples of a pack share one code, which the head finds once."""

    rows: int = 2

    def code(self, code: Tensor) -> Tensor:
        return code[:: self.rows].repeat_interleave(self.rows, 0)[: len(code)]

    def fake_code(self, fake_record: Mapping[str, Any], gather: Callable[[Tensor], Tensor]) -> Tensor:
        """What was found for each pack, once for each of its rows: the mean over rows is that over packs."""
        return gather(fake_record["code"]).repeat_interleave(self.rows, 0)
