"""T07: where the discriminator is right but for noise, the −log D gradient has no mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from saddlepoint.theory.claim import Claim, Sides

ERROR, SLOPE = (
    0.1,
    2.0,
)  # standard deviations of D − D* and of each coordinate of ∇(D − D*), D* and ∇D* being 0
LATENTS = (1, 8, 64)
DRAWS = 10_000


class Generator:
    """A perceptron 2 -> 8 -> 3 of which one weight θ is free, at `latents` points z."""

    def __init__(self, seed: int, latents: int) -> None:
        source = torch.Generator().manual_seed(seed)
        self.first = torch.randn(8, 2, generator=source, dtype=torch.float64)
        self.second = torch.randn(3, 8, generator=source, dtype=torch.float64)
        self.latents = torch.randn(latents, 2, generator=source, dtype=torch.float64)

    def __call__(self, theta: Tensor) -> Tensor:
        hidden = (self.latents @ self.first.T).clone()
        moved = torch.cat([hidden[:, :1] + theta * self.latents[:, :1], hidden[:, 1:]], 1)
        return moved.tanh() @ self.second.T

    def slopes(self) -> Tensor:
        """|∂G/∂θ| at each z, by hand: second[:, 0] (1 − tanh²) z₁."""
        inner = 1 - (self.latents @ self.first[0]).tanh().square()
        return inner * self.latents[:, 0].abs() * self.second[:, 0].norm()

    def gradients(self, cost: Callable[[Tensor], Tensor], draws: int, seed: int) -> Tensor:
        """d/dθ E_z cost(D(G_θ(z))) by differentiation, for so many discriminators D(x) = ε + r·(x − G₀(z)) beside each
        sample, ε and r white Gaussian noise: [draws]."""
        source = torch.Generator().manual_seed(seed)
        zero = torch.zeros((), dtype=torch.float64)
        at = self(zero)
        error = ERROR * torch.randn(draws, len(at), generator=source, dtype=torch.float64)
        slope = SLOPE * torch.randn(draws, *at.shape, generator=source, dtype=torch.float64)

        def mean(theta: Tensor) -> Tensor:
            return cost(error + (slope * (self(theta) - at)).sum(2)).mean(1)

        found: Tensor = torch.func.jvp(mean, (zero,), (torch.ones_like(zero),))[1]
        return found


def non_saturating(judged: Tensor) -> Tensor:
    return -judged.abs().log()  # noise takes D below 0, too, where ∇ log D = ∇D/D goes on as ∇ log |D|


def minimax(judged: Tensor) -> Tensor:
    return (1 - judged).abs().log()


def check() -> Sequence[Sides]:
    """For each z the gradient is J·r/ε: Cauchy with scale |J| times the ratio of the deviations, and a mean of independent
    ones is Cauchy with the mean scale, whatever their number.

    Kolmogorov–Smirnov distance of 10,000 draws: above √(log(2·10⁷)/2n) = .029 with probability below 10⁻⁷ (Massart).
    Interquartile range: standard error πγ/√n, of which five are allowed. Standard deviation of the minimax gradient
    J·r/(1 − ε) by moments: standard error .9 % with these tails, hence 5 %; it falls as 1/√m, since its pole is ten
    deviations away."""
    from scipy.stats import kstest

    found: list[Sides] = []
    allowed = math.sqrt(math.log(2e7) / (2 * DRAWS))
    for seed in range(2):
        for count in LATENTS:
            generator, name = Generator(seed, count), f"generator {seed}, {count} latents"
            drawn = generator.gradients(non_saturating, DRAWS, seed)
            width = float(generator.slopes().mean()) * SLOPE / ERROR
            quartiles = drawn.quantile(torch.tensor([0.25, 0.75], dtype=torch.float64))
            for what, law, args, relation in (
                ("from the Cauchy law", "cauchy", (0, width), "<="),
                ("from one 1.3 times as wide", "cauchy", (0, 1.3 * width), ">="),
                ("from a normal law of the same quartiles", "norm", (0, width / 0.6745), ">="),
            ):
                distance = float(kstest(drawn.numpy(), law, args=args).statistic)
                found.append(Sides(f"{name}: distance {what}", distance, relation, allowed))  # type: ignore[arg-type]
            error = 5 * math.pi * width / math.sqrt(DRAWS)
            spread = float(quartiles[1] - quartiles[0])
            found.append(Sides(f"{name}: interquartile range", spread, "=", 2 * width, error))
            calm = generator.gradients(minimax, DRAWS, seed)
            poles = 1 + 3 * ERROR**2 + 15 * ERROR**4 + 105 * ERROR**6  # E (1 − ε)⁻², asymptotically
            deviation = SLOPE * math.sqrt(float(generator.slopes().square().mean()) * poles / count)
            found.append(
                Sides(f"{name}, minimax: deviation", float(calm.std()), "=", deviation, 0.05 * deviation)
            )
    return found


def figure(axes: Any) -> None:
    generator, counts = Generator(0, 1), torch.arange(1, 20_001)
    for seed in range(3):
        drawn = generator.gradients(non_saturating, 20_000, seed) * ERROR
        axes.semilogx(counts, _running(drawn), color="C1", label="−log D, times σ(ε)" if seed == 0 else None)
        drawn = generator.gradients(minimax, 20_000, seed)
        axes.semilogx(counts, _running(drawn), color="C0", label="log(1 − D)" if seed == 0 else None)
    axes.set(xlabel="discriminators averaged over", ylabel="running mean of the gradient")
    axes.legend()


def _running(drawn: Tensor) -> Tensor:
    return drawn.cumsum(0) / torch.arange(1, len(drawn) + 1)


CLAIM = Claim(
    id="T07",
    title="the −log D gradient under noise",
    statement="where D* = 0 with zero slope and D − D*, ∇(D − D*) are independent white Gaussian noise, each coordinate of "
    "E_z[−∇_θ log D(G_θ(z))] is centred Cauchy: without a mean, and no narrower for more samples",
    source="Arjovsky & Bottou, Towards Principled Methods for Training GANs, ICLR 2017, theorem 2.6",
    check=check,
    figure=figure,
)
