"""Fréchet distance between two sets of features (Heusel et al. 2017, eq. 6; Dowson and Landau 1982).

Between Inception features it is called FID. Here it carries the name of whatever extractor made the features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from saddlepoint.errors import InputError
from saddlepoint.metrics.intervals import normal
from saddlepoint.metrics.metric import Measured
from saddlepoint.metrics.moments import Moments
from saddlepoint.metrics.samples import matrices
from saddlepoint.metrics.score import Interval
from saddlepoint.random import generator

SIZES = 15  # of the subsets from which the distance at infinitely many rows is extrapolated
SMALLEST = 0.5  # share of the rows in the smallest of them
DRAWS = 4  # subsets of each size


def frechet_distance(*, real: Tensor | Moments, fake: Tensor | Moments) -> float:
    """|μ_r − μ_f|² + Tr(C_r) + Tr(C_f) − 2 Tr((C_r^½ C_f C_r^½)^½), in squared units of the features.

    real [n, …], fake [m, …]: features, flattened, or their `Moments`, for which no set is ever held whole; n, m ≥ 2, also
    fewer than their width (see `rank_note`). Float64 throughout and covariances divided by n − 1. With C_r = LLᵀ the trace
    is the sum of the roots of the eigenvalues of the symmetric LᵀC_fL: no general matrix root is taken.

    Squared, as published. For finite sets of one distribution it is above 0, roughly as 1/n + 1/m: compare at equal sizes
    only, with the same between two real sets beside it. Copies of the real data are not penalised.
    """
    return _distance(*_pair(real, fake))


def gaussian_wasserstein(*, real: Tensor | Moments, fake: Tensor | Moments) -> float:
    """W₂ between the Gaussians fitted to both sets (Bures metric), in units of the features: √ of the Fréchet distance."""
    return frechet_distance(real=real, fake=fake) ** 0.5


def frechet(*, real: Tensor, fake: Tensor) -> Measured:
    """`frechet_distance` with its `frechet_interval` and `rank_note`, means and covariances being taken once."""
    rows = matrices(real, fake, least=2)
    moments = Moments.of(rows[0]), Moments.of(rows[1])
    value = _distance(*moments)
    variance = sum(float(moved.var()) / len(moved) for moved in _influences(rows, moments))
    low, high = normal(value, variance**0.5)
    return Measured(value, (max(0.0, low), high), rank_note(real=moments[0], fake=moments[1]))


def frechet_interval(*, real: Tensor, fake: Tensor) -> Interval:
    """95 % interval for the distance at these sizes, by the delta method.

    One row x of the fakes moves the distance by its influence
    2(μ_f − μ_r)·(x − μ_f) + (x − μ_f)ᵀ(I − T)(x − μ_f), where T = C_r^½ (C_r^½ C_f C_r^½)^{−½} C_r^½ carries
    the fake Gaussian onto the real one, and I − T is the derivative of the distance with respect to C_f;
    likewise for a real row. The variance of the distance is Var(influence of a fake)/m + Var(influence of a
    real)/n.

    Not a bootstrap: drawing rows twice narrows the sets and so raises the very quantity that is to be
    bounded, at a thousand times the cost. It covers the mean of the distance at these n and m, its bias
    included.
    """
    found = frechet(real=real, fake=fake).interval
    assert found is not None
    return found


def frechet_infinity(*, real: Tensor, fake: Tensor, seed: int) -> Measured:
    """The distance at infinitely many rows: intercept a of the least-squares line FD_t = a + b/t over 15 equally spaced
    shares t of the rows, ½ to 1 (Chong and Forsyth 2020).

    FD_t is the mean over four pairs of subsets of tn and tm rows, without repetition, so that the bias of both sides is
    extrapolated; the paper takes all real rows at every size and 15 sizes from a tenth of the fakes, where with few rows
    the terms beyond 1/n are large. The four are stretches of one random cyclic order that begin a quarter apart, so that
    all rows count nearly alike: what single rows add nearly cancels out of the differences between sizes. May be
    below 0. The interval is by the delta method: a is a weighted sum of distances, and a row moves it by the same
    sum of its influences on those that hold it, the drawing being fixed.
    """
    rows = matrices(real, fake, least=8)
    orders = [
        torch.randperm(len(side), generator=generator("cpu", "Fréchet order", seed, number))
        for number, side in enumerate(rows)
    ]
    shares = torch.linspace(SMALLEST, 1, SIZES, dtype=torch.float64)
    weights = torch.linalg.pinv(torch.stack([torch.ones_like(shares), 1 / shares], 1))[0] / DRAWS
    value, note, moved = 0.0, "", [side.new_zeros(len(side)) for side in rows]
    for share, weight in zip(shares.tolist(), weights.tolist(), strict=True):
        for draw in range(DRAWS):
            chosen = [_stretch(order, share, draw / DRAWS) for order in orders]
            subsets = [side[index] for side, index in zip(rows, chosen, strict=True)]
            moments = [Moments.of(subset) for subset in subsets]
            value += weight * _distance(moments[0], moments[1])
            note = note or rank_note(real=moments[0], fake=moments[1])
            influences = _influences((subsets[0], subsets[1]), (moments[0], moments[1]))
            for side, influence in enumerate(influences):
                moved[side][chosen[side]] += weight * (influence - influence.mean()) / len(influence)
    variance = float(sum(side.square().sum() for side in moved))
    return Measured(value, normal(value, variance**0.5), note)


def rank_note(*, real: Tensor | Moments, fake: Tensor | Moments) -> str:
    """A sentence where a set has too few rows for its width, with the consequence; else nothing."""
    pair = _pair(real, fake)
    least, width = min(side.count for side in pair), len(pair[0].mean)
    if least > width:
        return ""
    return (
        f"{least} rows span at most {least - 1} of {width} dimensions: the covariance is singular, and the distance says "
        f"mostly how few rows there are; compare it with others at the same number only, or take more than {width} rows"
    )


def _pair(real: Tensor | Moments, fake: Tensor | Moments) -> tuple[Moments, Moments]:
    first, second = _moments("real", real), _moments("fake", fake)
    if len(first.mean) != len(second.mean):
        raise InputError(
            f"real rows have {len(first.mean)} numbers and fake rows {len(second.mean)}; both need as many."
        )
    return first, second


def _moments(role: str, given: Tensor | Moments) -> Moments:
    found = given if isinstance(given, Moments) else Moments.of(given, role)
    if found.count < 2:
        raise InputError(f"{role} has {found.count} rows where this metric needs at least 2.")
    return found


def _distance(real: Moments, fake: Moments) -> float:
    cross = _sharp(_product_eigenvalues(real.covariance, fake.covariance)).sqrt().sum()
    squared = (real.mean - fake.mean).square().sum()
    value = squared + real.covariance.trace() + fake.covariance.trace() - 2 * cross
    return max(0.0, float(value))  # a distance; only the last bits of equal sets fall below 0


def _product_eigenvalues(first: Tensor, second: Tensor) -> Tensor:
    """Of the product of two positive semidefinite matrices, ascending."""
    from scipy.linalg import LinAlgError, eigh

    try:  # LᵀC₂L with C₁ = LLᵀ, formed by the solver at a quarter of the cost of two products
        found = eigh(second.numpy(), first.numpy(), type=2, eigvals_only=True, driver="gv")
        return torch.from_numpy(found)
    except LinAlgError:  # the first is singular
        (root,) = _powers(first, 0.5)
        return torch.linalg.eigvalsh(_symmetric(root @ second @ root))


def _symmetric(matrix: Tensor) -> Tensor:
    return (matrix + matrix.T) / 2


def _sharp(values: Tensor) -> Tensor:
    """Ascending eigenvalues of a positive semidefinite matrix, made ≥ 0.

    With fewer rows than features the matrix is singular, and rounding leaves ±1e-16 of the largest eigenvalue
    where 0 belongs. A root would turn that into 1e-8 each, or into NaN; what lies below the rounding is
    therefore put to 0.
    """
    rounding = len(values) * torch.finfo(values.dtype).eps * values[-1]
    return torch.where(values > rounding, values, 0.0)


def _powers(symmetric: Tensor, *exponents: float) -> list[Tensor]:
    """Powers of a positive semidefinite matrix, on its range (the pseudo-inverse for negative exponents)."""
    values, vectors = torch.linalg.eigh(_symmetric(symmetric))
    values = _sharp(values)
    return [(vectors * torch.where(values > 0, values**power, 0.0)) @ vectors.T for power in exponents]


def _influences(rows: tuple[Tensor, Tensor], moments: tuple[Moments, Moments]) -> tuple[Tensor, Tensor]:
    """What each real row [n] and each fake row [m] adds to the distance, up to a constant, were it given more weight.

    With M = C_r^½ C_f C_r^½ the reals are carried by C_r^{−½} M^½ C_r^{−½} and the fakes by C_r^½ M^{−½} C_r^½, in the
    range of their covariances, where their rows lie; so one pair of roots serves both.
    """
    root, inverse = _powers(moments[0].covariance, 0.5, -0.5)
    back, forth = _powers(root @ moments[1].covariance @ root, 0.5, -0.5)
    centred = [side - own.mean for side, own in zip(rows, moments, strict=True)]
    turned = centred[0] @ inverse, centred[1] @ root
    carried = [(side * (side @ inner)).sum(1) for side, inner in zip(turned, (back, forth), strict=True)]
    apart = moments[0].mean - moments[1].mean
    real = 2 * centred[0] @ apart + centred[0].square().sum(1) - carried[0]
    return real, -2 * centred[1] @ apart + centred[1].square().sum(1) - carried[1]


def _stretch(order: Tensor, share: float, start: float) -> Tensor:
    """This share of a cyclic order, from the place `start` of its length on."""
    return order.roll(-round(start * len(order)))[: round(share * len(order))]
