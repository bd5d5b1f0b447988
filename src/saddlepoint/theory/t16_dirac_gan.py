"""T16: who converges on the Dirac-GAN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from saddlepoint import methods
from saddlepoint.games import DiracGAN, convergence, eigenvalues
from saddlepoint.method import Method
from saddlepoint.penalties import R1, R2, GradientPenalty, NagarajanKolter, Roth, Term
from saddlepoint.theory import dirac
from saddlepoint.theory.claim import Claim, Sides
from saddlepoint.theory.stability import growth
from saddlepoint.treatments import InstanceNoise

H, STEPS = 0.2, 500
TURNS = {"simultaneous": 0, "alternating 1:1": 1, "alternating 1:5": 5}
GAMMA = 0.3


class Row(NamedTuple):
    """Slopes by hand, and the published class under each of `TURNS`; `bound` of ψ by clipping."""

    slopes: dirac.Slopes
    kinds: tuple[str, ...]
    bound: float = math.inf


CYCLES, CONVERGES = ("cycles",) * 3, ("converges",) * 3
TABLE = {
    "minimax": Row(dirac.minimax, CYCLES),
    # Third-order damping; simultaneous steps feed the norm by √(1 + h²/4) each, which holds a circle.
    "non-saturating": Row(dirac.non_saturating, ("cycles", "sub-linear", "sub-linear")),
    "WGAN, clipped": Row(dirac.wasserstein, CYCLES, bound=1.0),
    "WGAN, free": Row(dirac.wasserstein, ("diverges", "cycles", "cycles")),
    "hinge": Row(dirac.hinge, CYCLES),
    "WGAN-GP": Row(dirac.plus(dirac.wasserstein, dirac.centred_at_one(0.35)), CYCLES),
    "WGAN-LP": Row(dirac.plus(dirac.wasserstein, dirac.above_one(0.35)), CYCLES),
    "DRAGAN": Row(dirac.plus(dirac.non_saturating, dirac.centred_at_one(0.35)), CYCLES),
    "instance noise": Row(dirac.noisy(0.7), CONVERGES),
    "Roth": Row(dirac.roth(GAMMA), CONVERGES),
    "R1, R2 or interpolates at 0": Row(
        dirac.plus(dirac.non_saturating, dirac.zero_centred(GAMMA)), CONVERGES
    ),
    "R1 of 1": Row(dirac.plus(dirac.non_saturating, dirac.zero_centred(1.0)), CONVERGES),
    "Nagarajan–Kolter": Row(dirac.nagarajan_kolter(0.5), CONVERGES),
    "consensus": Row(dirac.consensus(1.0), ("converges",)),
}


def named(name: str, *terms: Term, **changes: Any) -> Method:
    return replace(methods.get(name), terms=terms, constraints=(), **changes)


def spectra() -> dict[str, tuple[Method, complex, complex]]:
    """The games, with the centre and the root of centre ± root, the eigenvalues of −J at the equilibrium."""
    rows: dict[str, tuple[Method, float, float]] = {  # centre, and what is below the root
        "minimax": (named("gan-minimax"), 0, -1 / 4),
        "non-saturating": (named("gan"), 0, -1 / 4),
        "WGAN": (named("wgan"), 0, -1),
        "WGAN-LP": (named("wgan-gp", GradientPenalty(0.35, side="above")), 0, -1),
    }
    for g in (GAMMA, 1.0, 2.0):
        rows |= {
            f"R1 of {g:g}": (named("gan", R1(g)), -g / 2, g**2 / 4 - 1 / 4),
            f"R2 of {g:g}": (named("gan", R2(g)), -g / 2, g**2 / 4 - 1 / 4),
            f"R1 and R2 of {g:g}": (named("gan", R1(g), R2(g)), -g, g**2 - 1 / 4),
            f"interpolates at 0 by {g:g}": (named("gan", GradientPenalty(g, target=0.0)), -g, g**2 - 1 / 4),
            f"Roth by {g:g}": (named("gan", Roth(g)), -g / 4, g**2 / 16 - 1 / 4),
            f"Nagarajan–Kolter by {g:g}": (named("gan-minimax", NagarajanKolter(g)), -g / 4, g**2 / 16 - 1 / 4),
            f"instance noise of {g:g}": (
                named("gan", treatments=(InstanceNoise(g),)), -(g**2) / 4, g**4 / 16 - 1 / 4,
            ),
        }  # fmt: skip
    return {name: (method, centre, complex(below) ** 0.5) for name, (method, centre, below) in rows.items()}


def check() -> Sequence[Sides]:
    """Eigenvalues: differentiation of the game (noise on three Gauss–Hermite nodes, which have the normal law's variance)
    against the closed form; at a double root rounding enters by its square root, hence 1e-7. Classes: slopes by hand, descent
    from (1, 1) with h = .2 for 500 steps, and the rule of `games.convergence`. Rates: log ‖Mⁿ‖/n on orbits beside the
    equilibrium is log |1 + hλ| up to log κ/n; κ ≤ 3 for the rows taken, which have a complex pair,
    and ≤ 25 at the long steps (alternation keeps nθ² + ψ² + (nh/2)θψ, whose axes have a ratio below 7 there). Beside the
    equilibrium WGAN-GP and DRAGAN have no Jacobian; orbits that start there leave.
    """
    return [*_spectra(), *_classes(), *_rates(), *_repelled(), *_damping()]


def _spectra() -> list[Sides]:
    found = []
    noise = torch.tensor(dirac.NODES, dtype=torch.float64)[:, None]
    for name, (method, centre, root) in spectra().items():
        game = DiracGAN(method, (0.0, 0.0), rows=len(dirac.NODES))
        game.rows.update({row: noise for row in game.rows if row.startswith("instance_noise")})
        values = eigenvalues(game)
        for sign in (1, -1):
            gap = float((values - (centre + sign * root)).abs().min())
            found.append(
                Sides(
                    f"{name}: distance of an eigenvalue from {centre + sign * root:.4g}", gap, "=", 0.0, 1e-7
                )
            )
    return found


def _classes() -> list[Sides]:
    found = []
    for name, row in TABLE.items():
        for turns, kind in zip(TURNS, row.kinds, strict=False):
            seen = torch.tensor(dirac.play(row.slopes, TURNS[turns], H, STEPS, bound=row.bound))
            same = convergence(seen.double()).kind == kind
            found.append(Sides(f"{name}, {turns}, of the class {kind!r}", float(same), "=", 1.0))
    return found


def _rates() -> list[Sides]:
    found = []
    origin = torch.zeros(2, dtype=torch.float64)
    rows = {"R1, R2 or interpolates at 0": -GAMMA / 2, "instance noise": -(0.7**2) / 4, "Roth": -GAMMA / 4}
    rows |= {"minimax": 0.0, "non-saturating": 0.0, "Nagarajan–Kolter": -1 / 8, "consensus": -1 / 4}
    for name, centre in rows.items():
        slopes = TABLE[name].slopes
        found += [
            Sides(f"{name}, {turns}: log of the factor of a step", measured, "=", exact, math.log(3) / STEPS)
            for turns, measured, exact in (
                # |1 + hλ|² = (1 + h Re λ)² + h² Im²λ, Im²λ = ¼ − Re²λ but for consensus, whose part is ½
                ("simultaneous", _measured(slopes, 0, H, origin), _simultaneous(centre, name == "consensus")),
                # det M = 1 + 2h Re λ, and a complex pair has the modulus √det
                ("alternating 1:1", _measured(slopes, 1, H, origin), math.log(1 + 2 * H * centre) / 2),
            )
            if not (name == "consensus" and turns != "simultaneous")
        ]
    for count in (1, 5):  # λ + 1/λ = 2 − h²n/4: modulus 1 up to h√n = 4, then one grows
        below, above = (share * 4 / math.sqrt(count) for share in (0.9, 1.05))
        calm = _measured(dirac.minimax, count, below, origin, 50)
        found.append(Sides(f"minimax, 1:{count}, h√n = 3.6: growth", calm, "=", 0.0, math.log(25) / 50))
        trace = 2 - above**2 * count / 4
        grown = math.log((-trace + math.sqrt(trace**2 - 4)) / 2)
        wild = _measured(dirac.minimax, count, above, origin, 20, 1e-12)
        found.append(Sides(f"minimax, 1:{count}, h√n = 4.2: growth", wild, "=", grown, math.log(25) / 20))
    return found


def _repelled() -> list[Sides]:
    far = 0.1
    found = []
    for name in ("WGAN-GP", "DRAGAN"):
        last = dirac.play(TABLE[name].slopes, 1, H, STEPS, (1e-3, 1e-3))[-1]
        found.append(
            Sides(f"{name} from .001 away: distance after {STEPS} steps", math.hypot(*last), ">=", far)
        )
    return found


def _simultaneous(centre: float, consensus: bool) -> float:
    turning = 1 / 4 - (0 if consensus else centre**2)
    return math.log((1 + H * centre) ** 2 + H**2 * turning) / 2


def _measured(
    slopes: dirac.Slopes, turns: int, step: float, at: torch.Tensor, steps: int = STEPS, size: float = 1e-6
) -> float:
    def once(rows: torch.Tensor) -> torch.Tensor:
        moved = [dirac.play(slopes, turns, step, 1, (t, p))[-1] for t, p in rows.tolist()]
        return torch.tensor(moved, dtype=torch.float64)

    return growth(once, at, steps, size)


def _damping() -> list[Sides]:
    """The non-saturating field has d‖x‖²/dt = −2u tanh(u/2), u = θψ; averaged over a turn −‖x‖⁴/8, so that 1/‖x‖² grows by
    1/8 a unit of time. Relative error of the mean: of the order of h and of ‖x‖⁴, both below .02 here."""
    h, steps = 0.02, 20_000
    seen = torch.tensor(dirac.play(dirac.non_saturating, 1, h, steps), dtype=torch.float64)
    inverse, half = 1 / seen.square().sum(1), steps // 2
    time = h * torch.arange(half, steps + 1, dtype=torch.float64)
    centred = time - time.mean()
    slope = float((centred * inverse[half:]).sum() / centred.square().sum())
    return [Sides("non-saturating: growth of 1/‖x‖² in time", slope, "=", 1 / 8, 0.02 / 8)]


def figure(axes: Any) -> None:
    for name in ("minimax", "non-saturating", "WGAN-GP", "R1, R2 or interpolates at 0", "instance noise"):
        seen = torch.tensor(dirac.play(TABLE[name].slopes, 1, H, STEPS)).double()
        axes.semilogy(seen.norm(dim=1), label=f"{name}: {convergence(seen).kind}")
    axes.set(xlabel="alternating step, h = 0.2", ylabel="distance from the equilibrium", ylim=(1e-6, 10))
    axes.legend(loc="lower left")


CLAIM = Claim(
    id="T16",
    title="who converges on the Dirac-GAN",
    statement="P = δ₀, Q = δ_θ, s = ψx: unregularised GANs, WGAN, WGAN-GP and DRAGAN do not converge; instance noise, R1, "
    "R2 and consensus do, at the rate of the eigenvalues of the field",
    source="Mescheder, Geiger & Nowozin, Which Training Methods for GANs do actually Converge?, ICML 2018, section 2",
    check=check,
    figure=figure,
)
