"""T15: how long a step of simultaneous descent may be."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from saddlepoint.theory.claim import Claim, Sides


def longest(value: complex) -> float:
    """(2/|Re λ|) / (1 + (Im λ/Re λ)²): below it |1 + hλ| < 1, for Re λ < 0."""
    return 2 / abs(value.real) / (1 + (value.imag / value.real) ** 2)


def check() -> Sequence[Sides]:
    """The spectral radius of I + hA, by a solver, at the bound and a thousandth to its sides, for 50 random matrices whose
    eigenvalues lie on the left."""
    source = torch.Generator().manual_seed(0)
    found: list[Sides] = []
    for number in range(50):
        matrix = torch.randn(4, 4, generator=source, dtype=torch.float64)
        shift = torch.linalg.eigvals(matrix).real.max() + 0.1
        stable = matrix - shift * torch.eye(4, dtype=torch.float64)
        step = min(longest(complex(v)) for v in torch.linalg.eigvals(stable))
        radii = [
            float(torch.linalg.eigvals(torch.eye(4, dtype=torch.float64) + share * step * stable).abs().max())
            for share in (0.999, 1.0, 1.001)
        ]
        found += [
            Sides(f"matrix {number}, below the bound", radii[0], "<=", 1.0),
            Sides(f"matrix {number}, at the bound", radii[1], "=", 1.0, 1e-9),
            Sides(f"matrix {number}, above the bound", radii[2], ">=", 1.0),
        ]
    return found


CLAIM = Claim(
    id="T15",
    title="the longest stable step",
    statement="for Re λ < 0: |1 + hλ| < 1 exactly where h < (2/|Re λ|) / (1 + (Im λ/Re λ)²)",
    source="Mescheder, Nowozin & Geiger, The Numerics of GANs, NIPS 2017, lemma 4",
    check=check,
)
