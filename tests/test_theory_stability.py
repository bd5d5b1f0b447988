"""Growth on orbits against the spectral radius, and the exact factor of a step where it is known."""

from __future__ import annotations

import math

import pytest
import torch

from saddlepoint.theory import dirac
from saddlepoint.theory.stability import descent, growth, rate


@pytest.mark.parametrize("seed", range(10))
def test_growth_lies_between_the_radius_and_its_bound(seed: int) -> None:
    source = torch.Generator().manual_seed(seed)
    matrix = torch.randn(4, 4, generator=source, dtype=torch.float64) / 2
    expected = rate(matrix, 200)
    measured = growth(
        lambda x: x @ matrix.T + x.square() * 1e-3, torch.zeros(4, dtype=torch.float64), 200, 1e-60
    )
    assert -1e-12 <= measured - expected.value <= expected.excess + 1e-12


def test_a_normal_matrix_has_no_excess() -> None:
    """I − hJ of the bilinear game: √(1 + h²) a step, whatever the number of steps."""
    matrix = descent(torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64), 0.1)
    expected = rate(matrix, 7)
    assert expected.value == pytest.approx(math.log(1.01) / 2, abs=1e-14)
    assert expected.excess == pytest.approx(0, abs=1e-14)
    measured = growth(lambda x: x @ matrix.T, torch.zeros(2, dtype=torch.float64), 7)
    assert measured == pytest.approx(math.log(1.01) / 2, abs=1e-12)


def test_descent_of_the_dirac_gan_goes_in_turn() -> None:
    """WGAN with h = ½ from (1, 0): θ moves by hψ, ψ by −hθ; the clip acts after each move of ψ."""
    together = dirac.play(dirac.wasserstein, 0, 0.5, 2, (1.0, 0.0))
    assert together == [(1, 0), (1, -0.5), (0.75, -1)]
    in_turn = dirac.play(dirac.wasserstein, 2, 0.5, 1, (1.0, 0.0))
    assert in_turn[-1] == (1, -1)
    assert dirac.play(dirac.wasserstein, 2, 0.5, 1, (1.0, 0.0), bound=0.7)[-1] == (1, -0.7)
