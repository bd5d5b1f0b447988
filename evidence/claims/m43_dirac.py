"""M10, M41, M43 to M49, M54: penalties, noise and update rules on the Dirac-GAN, h = .2 from (1, 1), 500 steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from claims.check import Check, Numbers, Range, at_least, at_most
from saddlepoint import Method, methods
from saddlepoint.constraints import Clip
from saddlepoint.dynamics import Alternating, Consensus, Dynamics, Simultaneous
from saddlepoint.games import (
    DiracGAN,
    LinearQuadratic,
    convergence,
    eigenvalues,
    joined,
    orbit,
    parted,
    timed,
)
from saddlepoint.network import Functional
from saddlepoint.optim import SGD, Optimizer
from saddlepoint.penalties import R1, R2, GradientPenalty, NagarajanKolter, NoiseBall, Roth, Term
from saddlepoint.schedules import Schedule, now
from saddlepoint.treatments import InstanceNoise

ORIGIN = (0.0, 0.0)
STEPS = 500


def rates(generator: float = 0.2, discriminator: float | None = None) -> dict[str, Optimizer]:
    return {"generator": SGD(generator), "discriminator": SGD(discriminator or generator)}


def named(name: str, **changes: Any) -> Method:
    return replace(methods.get(name), **changes)


def penalised(*terms: Term) -> Method:
    return named("gan", terms=terms)


def apart(found: Sequence[complex] | np.ndarray, centre: float, square: float) -> float:
    """How far a spectrum is from centre ± √square."""
    root = complex(square) ** 0.5
    expected = [centre + root, centre - root]
    return min(
        max(abs(a - b) for a, b in zip(found, order, strict=True)) for order in (expected, expected[::-1])
    )


def spectrum(method: Method) -> list[complex]:
    return eigenvalues(DiracGAN(method, ORIGIN)).tolist()


def linearised(game: DiracGAN, rule: Dynamics) -> np.ndarray:
    """Eigenvalues of one whole step at the origin."""
    start = {p: torch.zeros(1, dtype=torch.float64) for p in game.players}
    memory = game.init(0, game.data())[1]

    def step(at: Tensor) -> Tensor:
        state = rule.init(game, parted(start, at), memory)
        for turn in rule.turns(0):
            state, _ = rule.move(game, state, turn, timed(game, 0))
        return joined(state.players)

    return np.linalg.eigvals(torch.func.jacrev(step)(joined(start)).numpy())


def noisy(sigma: float, begin: tuple[float, float] = (1.0, 1.0)) -> DiracGAN:
    """Noise of one size and either sign on both sides has the variance of the normal, which is all that the origin sees."""
    game = DiracGAN(named("gan", treatments=(InstanceNoise(sigma),)), begin)
    signs = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]], dtype=torch.float64)
    game.rows.update({f"instance_noise/{side}": signs for side in ("real", "fake", "other")})
    return game


def slopes(game: DiracGAN) -> list[float]:
    """Of the log-norm under simultaneous and under alternating descent."""
    return [convergence(orbit(game, rule(rates()), STEPS)).slope for rule in (Simultaneous, Alternating)]


def dragan(seed: int) -> Numbers:
    """|ψ| = ‖∇s‖ over the last half of the orbits: never at 0, and the norm does not fall exponentially."""
    game = DiracGAN(penalised(GradientPenalty(weight=0.35, at=NoiseBall())))
    found = [orbit(game, rule(rates()), STEPS) for rule in (Simultaneous, Alternating)]
    return {
        "largest slope of D at the end": min(float(o[STEPS // 2 :, 1].abs().max()) for o in found),
        "slope of the log-norm": min(convergence(o).slope for o in found),
    }


def on_interpolates(seed: int) -> Numbers:
    """ε is drawn, and every point of the segment has the same slope ψ."""
    found = {w: spectrum(penalised(GradientPenalty(weight=w, target=0.0))) for w in (0.1, 0.5, 2.0)}
    converge = slopes(DiracGAN(penalised(GradientPenalty(weight=0.15, target=0.0))))
    return {
        "error of the eigenvalues": max(apart(v, -w, w * w - 0.25) for w, v in found.items()),
        "slope of the log-norm": max(converge),
    }


def r1(seed: int) -> Numbers:
    found = {g: spectrum(penalised(R1(gamma=g))) for g in (0.1, 0.3, 1.0, 3.0)}
    critical = abs(found[1.0][0] - found[1.0][1])
    orbits = [slope for g in (0.3, 1.0) for slope in slopes(DiracGAN(penalised(R1(gamma=g))))]
    others = [g for g in found if g != 1.0]
    return {
        "error of the eigenvalues": max(apart(found[g], -g / 2, g * g / 4 - 0.25) for g in others),
        "distance of the two at γ = 1": critical,
        "slope of the log-norm": max(orbits),
    }


def r2(seed: int) -> Numbers:
    ones = {g: spectrum(penalised(R2(gamma=g))) for g in (0.1, 0.3, 3.0)}
    both = {g: spectrum(penalised(R1(gamma=g), R2(gamma=g))) for g in (0.1, 0.3, 3.0)}
    orbits = slopes(DiracGAN(penalised(R2(gamma=0.3)))) + slopes(DiracGAN(penalised(R2(gamma=1.0))))
    return {
        "error of the eigenvalues, R2": max(apart(v, -g / 2, g * g / 4 - 0.25) for g, v in ones.items()),
        "error of the eigenvalues, R1 and R2": max(apart(v, -g, g * g - 0.25) for g, v in both.items()),
        "slope of the log-norm": max(orbits),
    }


def instance_noise(seed: int) -> Numbers:
    found = {s: eigenvalues(noisy(s, ORIGIN)).tolist() for s in (0.5, 0.7, 2.0)}
    return {
        "error of the eigenvalues": max(apart(v, -s * s / 4, s**4 / 16 - 0.25) for s, v in found.items()),
        "slope of the log-norm, σ = .7": max(slopes(noisy(0.7))),
    }


def roth(seed: int) -> Numbers:
    found = {g: spectrum(penalised(Roth(g))) for g in (0.1, 1.0, 5.0)}
    scheduled: Any = methods.get("roth").terms[0]
    annealed: Schedule = scheduled.gamma
    ends = [now(annealed, {"progress": p, "images": 0, "step": 0}) for p in (0.0, 1.0)]
    return {
        "error of the eigenvalues": max(apart(v, -g / 4, g * g / 16 - 0.25) for g, v in found.items()),
        "slope of the log-norm": max(slopes(DiracGAN(penalised(Roth(0.3))))),
        "γ at the end over γ at the start": ends[1] / ends[0],
        "γ at the start": ends[0],
    }


def nagarajan_kolter(seed: int) -> Numbers:
    """Also on the linear-quadratic Wasserstein game, which rotates (±2i) without the term."""
    found = {eta: spectrum(penalised(NagarajanKolter(eta))) for eta in (0.1, 0.5, 5.0)}
    bare, held = (
        eigenvalues(LinearQuadratic(named("wgan", constraints=(), terms=terms), (1.0, 0.0))).real.max()
        for terms in ((), (NagarajanKolter(0.5),))
    )
    return {
        "error of the eigenvalues": max(apart(v, -e / 4, e * e / 16 - 0.25) for e, v in found.items()),
        "slope of the log-norm": max(slopes(DiracGAN(penalised(NagarajanKolter(0.5))))),
        "largest real part without, LQ-WGAN": float(bare),
        "largest real part with, LQ-WGAN": float(held),
    }


def consensus(seed: int) -> Numbers:
    game, h = DiracGAN(named("gan"), ORIGIN, execution=Functional()), 0.01
    found = {g: (linearised(game, Consensus(rates(h), gamma=g)) - 1) / h for g in (0.3, 1.0, 3.0)}
    return {
        "error of the eigenvalues": max(apart(v, -g / 4, -0.25) for g, v in found.items()),
        "slope of the log-norm": convergence(
            orbit(DiracGAN(named("gan")), Consensus(rates(), gamma=1.0), STEPS)
        ).slope,
    }


def moduli(seed: int) -> Numbers:
    """Of one step at the origin, over rates and numbers of steps on both sides of h√(n_g n_d) = 4."""
    game = DiracGAN(named("gan"), ORIGIN, execution=Functional())
    together = [
        abs(abs(linearised(game, Simultaneous(rates(h)))).max() - (1 + h * h / 4) ** 0.5)
        for h in (0.1, 0.5, 2)
    ]
    below = [(h, d) for d in (1, 5) for h in (0.1, 1.0, 3.99 / d**0.5)]
    found = [abs(linearised(game, turning(h, d))) for h, d in below]
    return {
        "error of the modulus, simultaneous": max(together),
        "error of the modulus, alternating": max(float(abs(m - 1).max()) for m in found),
        "modulus beyond the bound": float(abs(linearised(game, turning(4.1, 1))).max()),
    }


def turning(h: float, times: int) -> Alternating:
    return Alternating(rates(h), {"generator": 1, "discriminator": times})


CLASSES: tuple[tuple[str, Method, tuple[str, ...]], ...] = (
    ("minimax", named("gan-minimax"), ("cycles",)),
    ("non-saturating", named("gan"), ("sub-linear",)),
    ("wgan", named("wgan", constraints=(Clip(bound=1.0),)), ("cycles", "diverges")),
    ("wgan-gp", named("wgan-gp", terms=(GradientPenalty(weight=0.35),)), ("cycles", "diverges")),
    ("r1 .3", penalised(R1(gamma=0.3)), ("converges",)),
    ("r1 1", penalised(R1(gamma=1.0)), ("converges",)),
)


def classes(seed: int) -> Numbers:
    """By the slope of the log-norm over the last half; 1 where it is the published class."""
    found = {name: convergence(orbit(DiracGAN(m), Alternating(rates()), STEPS)) for name, m, _ in CLASSES}
    found["instance noise"] = convergence(orbit(noisy(0.7), Alternating(rates()), STEPS))
    found["consensus"] = convergence(orbit(DiracGAN(named("gan")), Consensus(rates(), gamma=1.0), STEPS))
    wanted = {name: kinds for name, _, kinds in CLASSES}
    wanted |= {"instance noise": ("converges",), "consensus": ("converges",)}
    return {name: float(found[name].kind in kinds) for name, kinds in wanted.items()}


def two_scales(seed: int) -> Numbers:
    """The step's matrix, fitted to 50 steps from (1e-4, 1e-4), against I − diag(η_G, η_D)J: both eigenvalues' moduli."""
    errors, game = [], DiracGAN(penalised(R1(gamma=1.5)), (1e-4, 1e-4))
    for g, d in ((0.01, 0.04), (0.02, 0.1), (0.01, 0.01), (0.04, 0.01)):
        exact = np.eye(2) - np.diag([g, d]) @ np.array([[0, -0.5], [0.5, 1.5]])
        points = orbit(game, Simultaneous(rates(g, d)), 50).numpy()
        fitted = np.linalg.lstsq(points[:-1], points[1:], rcond=None)[0].T
        found, expected = (np.sort(abs(np.linalg.eigvals(m))) for m in (fitted, exact))
        errors.append(abs(found - expected).max())
    return {"error of the contraction": float(max(errors))}


FALLING = {"slope of the log-norm": at_most(-1e-3)}
EXACT = {"error of the eigenvalues": at_most(1e-9)}
CHECKS = (
    Check(
        "M10",
        "DRAGAN on the Dirac-GAN, simultaneous and alternating",
        "no convergence: the slope of D does not settle at 0 (at least .1 in the last half: chosen)",
        "published-unverified",
        {"largest slope of D at the end": at_least(0.1), "slope of the log-norm": at_least(-1e-3)},
        dragan,
    ),
    Check(
        "M41",
        "zero-centred penalty on interpolates on the Dirac-GAN",
        "eigenvalues −λ ± √(λ² − ¼); converges",
        "exact",
        {**EXACT, **FALLING},
        on_interpolates,
    ),
    Check(
        "M43",
        "R1 on the Dirac-GAN, simultaneous and alternating",
        "eigenvalues −γ/2 ± √(γ²/4 − ¼), critical at γ = 1; converges",
        "exact",
        {**EXACT, "distance of the two at γ = 1": at_most(1e-7), **FALLING},
        r1,
    ),
    Check(
        "M44",
        "R2, and R1 with R2, on the Dirac-GAN",
        "eigenvalues as R1's; together −γ ± √(γ² − ¼); converges",
        "exact",
        {
            "error of the eigenvalues, R2": at_most(1e-9),
            "error of the eigenvalues, R1 and R2": at_most(1e-9),
            **FALLING,
        },
        r2,
    ),
    Check(
        "M45",
        "instance noise on the Dirac-GAN, σ = .7",
        "eigenvalues f″(0)σ² ± √(f″(0)²σ⁴ − f′(0)²); converges",
        "exact",
        {**EXACT, "slope of the log-norm, σ = .7": at_most(-1e-3)},
        instance_noise,
    ),
    Check(
        "M46",
        "Roth's term on the Dirac-GAN, and its annealing",
        "eigenvalues −γ/4 ± √(γ²/16 − ¼); converges; γ from 2 to .01 of it, exactly",
        "exact",
        {
            **EXACT,
            **FALLING,
            "γ at the end over γ at the start": Range(0.01, 0.01),
            "γ at the start": Range(2, 2),
        },
        roth,
    ),
    Check(
        "M47",
        "the generator's term on ‖∇L_D‖² on the Dirac-GAN and the linear-quadratic Wasserstein game",
        "eigenvalues −η/4 ± √(η²/16 − ¼); both become exponentially stable",
        "exact",
        {
            **EXACT,
            **FALLING,
            "largest real part without, LQ-WGAN": Range(-1e-9, 1e-9),
            "largest real part with, LQ-WGAN": at_most(-1e-3),
        },
        nagarajan_kolter,
    ),
    Check(
        "M48",
        "consensus optimisation on the Dirac-GAN",
        "eigenvalues −γ/4 ± i/2; converges",
        "exact",
        {**EXACT, **FALLING},
        consensus,
    ),
    Check(
        "M49",
        "moduli of one step at the origin of the Dirac-GAN",
        "√(1 + h²/4) simultaneous; alternating 1 while h√(n_g n_d) ≤ 4, above beyond",
        "exact",
        {
            "error of the modulus, simultaneous": at_most(1e-9),
            "error of the modulus, alternating": at_most(1e-7),
            "modulus beyond the bound": at_least(1.001),
        },
        moduli,
    ),
    Check(
        "M49",
        "classes of alternating descent on the Dirac-GAN by the slope of the log-norm (1: as published)",
        "minimax cycles, non-saturating sub-linear, WGAN and WGAN-GP do not converge, R1, noise, consensus do",
        "published-verified",
        dict.fromkeys([*(name for name, _, _ in CLASSES), "instance noise", "consensus"], Range(1, 1)),
        classes,
    ),
    Check(
        "M54",
        "contraction on the Dirac-GAN with R1 under four pairs of rates",
        "that of the eigenvalues of I − diag(η_G, η_D)J",
        "exact",
        {"error of the contraction": at_most(1e-6)},
        two_scales,
    ),
)
