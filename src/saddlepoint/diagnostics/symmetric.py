"""Ends of the spectrum of a symmetric operator that is known by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from saddlepoint.errors import InputError

Product = Callable[[Tensor], Tensor]
ROOM = 40  # vectors that Lanczos's iteration keeps
RESTARTS = 300


def modulus(product: Product, like: Tensor, dense: int) -> float:
    """max |λ|: from all eigenvalues up to `dense` numbers, by Lanczos's iteration (scipy's eigsh) above."""
    if len(like) <= dense:
        return float(_all(product, like).abs().max())
    return abs(_lanczos(product, like, "LM"))


def least(product: Product, like: Tensor, dense: int) -> tuple[float, float]:
    """(min λ, max |λ|). Above `dense` numbers min λ = m − max λ(m − A) with m = max |λ|, so that the iteration's
    relative tolerance is one of m: min λ itself is often near 0, where nothing would converge."""
    if len(like) <= dense:
        found = _all(product, like)
        return float(found.min()), float(found.abs().max())
    size = abs(_lanczos(product, like, "LM"))
    return size - _lanczos(lambda vector: size * vector - product(vector), like, "LA"), size


def _all(product: Product, like: Tensor) -> Tensor:
    columns = [product(axis) for axis in torch.eye(len(like), dtype=like.dtype, device=like.device)]
    matrix = torch.stack(columns, 1).detach().double().cpu()
    return torch.linalg.eigvalsh((matrix + matrix.T) / 2)


def _lanczos(product: Product, like: Tensor, which: Literal["LM", "LA"]) -> float:
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    def times(direction: Any) -> Any:
        return product(torch.from_numpy(direction.ravel().copy()).to(like)).detach().double().cpu().numpy()

    begin = torch.randn(len(like), generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()
    if not times(begin).any():
        return 0.0  # ARPACK refuses an operator that is 0
    operator = LinearOperator((len(like), len(like)), matvec=times, dtype="float64")
    options = {"ncv": min(len(like), ROOM), "maxiter": RESTARTS, "tol": torch.finfo(like.dtype).eps ** 0.5}
    try:
        found = eigsh(operator, 1, which=which, v0=begin, return_eigenvectors=False, **options)
    except ArpackNoConvergence as error:
        raise InputError(
            f"Lanczos's iteration did not converge on {len(like)} numbers: give vectors in double precision"
        ) from error
    return float(found[0])
