"""Ends of known spectra, written out and by Lanczos's iteration."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from judged_games import F64, drawn
from saddlepoint.diagnostics.symmetric import least, modulus


def symmetric(*eigenvalues: float) -> Tensor:
    q = torch.linalg.qr(drawn(len(eigenvalues), len(eigenvalues))).Q
    return q @ torch.diag(torch.tensor(eigenvalues, dtype=F64)) @ q.T


@pytest.mark.parametrize("dense", [0, 1000])
@pytest.mark.parametrize("low", [-5.0, -1e-3, 0.0, 0.5])
def test_the_ends_of_a_known_spectrum(low: float, dense: int) -> None:
    """Also where the smallest eigenvalue is far below the largest in size. Ritz values are within residual²/gap."""
    matrix = symmetric(low, *torch.linspace(1, 3, 98).tolist(), 4.0)
    found, size = least(lambda vector: matrix @ vector, matrix[0], dense)
    assert found == pytest.approx(low, abs=1e-9)
    assert size == pytest.approx(max(4.0, -low), rel=1e-12)
    assert modulus(lambda vector: -(matrix @ vector), matrix[0], dense) == pytest.approx(size, rel=1e-12)


def test_the_zero_operator() -> None:
    assert least(torch.zeros_like, drawn(50), 0) == (0.0, 0.0)
