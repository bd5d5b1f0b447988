"""Penalties on the Dirac-GAN: data at 0, samples at θ, s = ψx. Fields in closed form and eigenvalues at the origin.

The base is L_D = sp(−s(0)) + sp(s(θ)), L_G = sp(−s(θ)); v is what descent follows, minus the gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from saddlepoint.penalties import (
    R1,
    R2,
    ApproximateR1,
    Consistency,
    FeatureMatching,
    FiniteDifference,
    GradientPenalty,
    Jitter,
    LayerMatching,
    NagarajanKolter,
    NoiseBall,
    PullingAway,
    Roth,
)
from saddlepoint.schedules import Exponential

pytestmark = pytest.mark.usefixtures("double")

Penalty = Callable[
    [Tensor, Tensor], tuple[Tensor, Tensor]
]  # (θ, ψ) -> what the generator's and discriminator's loss gain
NOTHING = torch.zeros(())


def points(theta: Tensor) -> tuple[Tensor, Tensor]:
    return torch.zeros(4, 1), theta.reshape(1, 1).expand(4, 1)


def score(psi: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: (psi * x).squeeze(1)


def r1(gamma: float) -> Penalty:
    return lambda theta, psi: (NOTHING, R1(gamma).of(score(psi), points(theta)[0]))


def r2(gamma: float) -> Penalty:
    return lambda theta, psi: (NOTHING, R2(gamma).of(score(psi), points(theta)[1]))


def both(gamma: float) -> Penalty:
    return lambda theta, psi: (NOTHING, r1(gamma)(theta, psi)[1] + r2(gamma)(theta, psi)[1])


def gradient_penalty(term: GradientPenalty) -> Penalty:
    mix = torch.tensor([0.1, 0.4, 0.6, 0.9])
    return lambda theta, psi: (NOTHING, term.of(score(psi), *points(theta), mix))


def interpolates(weight: float) -> Penalty:
    return gradient_penalty(GradientPenalty(weight, target=0.0))


def roth(gamma: float) -> Penalty:
    return lambda theta, psi: (NOTHING, Roth(gamma).of(score(psi), *points(theta)))


def nagarajan_kolter(eta: float) -> Penalty:
    def penalty(theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        return NagarajanKolter(eta).of(discriminator(theta, psi), [psi]), NOTHING

    return penalty


DIRECTIONS = torch.tensor([[1.0], [-1.0], [2.0], [-2.0]], dtype=torch.float64)  # E u² = 2.5


def approximate_r1(weight: float) -> Penalty:
    """λ E(σuψ)²."""
    return judged_at_data(ApproximateR1(weight, sigma=0.2), "direction")


def consistency(weight: float) -> Penalty:
    return judged_at_data(Consistency(weight, Jitter(0.2)), "jitter")


def judged_at_data(term: ApproximateR1 | Consistency, noise: str) -> Penalty:
    def penalty(theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        real = points(theta)[0]
        given = {"real_point": real, "real_judgement": score(psi)(real), noise: DIRECTIONS}
        return NOTHING, term(score=score(psi), **given)

    return penalty


def matching(weight: float) -> Penalty:
    """The score as the only feature: λ(ψθ)² for the generator."""
    term = FeatureMatching(weight)
    return lambda theta, psi: (term.of(*(score(psi)(x)[:, None] for x in points(theta))), NOTHING)


def layers(weight: float) -> Penalty:
    term = LayerMatching(weight)
    return lambda theta, psi: (term.of(*(score(psi)(x)[:, None] for x in points(theta))), NOTHING)


def pulling_away(weight: float) -> Penalty:
    """All samples are one: their cosines are 1 wherever they go."""
    return lambda theta, psi: (PullingAway(weight).of(score(psi)(points(theta)[1])[:, None]), NOTHING)


def discriminator(theta: Tensor, psi: Tensor) -> Tensor:
    real, fake = points(theta)
    return softplus(-score(psi)(real)).mean() + softplus(score(psi)(fake)).mean()


def field(penalty: Penalty, at: Tensor) -> Tensor:
    """v = (−∂L_G/∂θ, −∂L_D/∂ψ), differentiable."""
    theta, psi = at.unbind()
    more = penalty(theta, psi)
    losses = (softplus(-score(psi)(points(theta)[1])).mean() + more[0], discriminator(theta, psi) + more[1])
    grads = (
        torch.autograd.grad(loss, variable, create_graph=True)[0]
        for loss, variable in zip(losses, (theta, psi), strict=True)
    )
    return -torch.stack(list(grads))


def pair(centre: float, discriminant: float) -> tuple[complex, complex]:
    """centre ± √discriminant."""
    root = complex(discriminant) ** 0.5
    return centre + root, centre - root


def assert_spectrum(matrix: np.ndarray, expected: tuple[complex, ...], tolerance: float = 1e-9) -> None:
    found, wanted = (
        sorted(v, key=lambda v: (round(v.real, 6), v.imag)) for v in (np.linalg.eigvals(matrix), expected)
    )
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def sigma(t: float) -> float:
    return 1 / (1 + math.exp(-t))


GAMMAS = pytest.mark.parametrize("g", [0.1, 1.0, 3.0, 10.0])

EIGENVALUES = {
    r1: lambda g: pair(-g / 2, g**2 / 4 - 1 / 4),
    r2: lambda g: pair(-g / 2, g**2 / 4 - 1 / 4),
    both: lambda g: pair(-g, g**2 - 1 / 4),
    interpolates: lambda g: pair(-g, g**2 - 1 / 4),
    roth: lambda g: pair(-g / 4, g**2 / 16 - 1 / 4),
    nagarajan_kolter: lambda g: pair(-g / 4, g**2 / 16 - 1 / 4),
    approximate_r1: lambda g: pair(-0.1 * g, 0.01 * g**2 - 1 / 4),  # λσ²E u² = .1 λ
    consistency: lambda g: pair(-0.1 * g, 0.01 * g**2 - 1 / 4),
}


@GAMMAS
@pytest.mark.parametrize("make", EIGENVALUES, ids=lambda make: make.__name__)
def test_eigenvalues_at_the_origin(make: Callable[[float], Penalty], g: float) -> None:
    """All in the left half-plane. Where both meet (g = 1 of R1), rounding ε of the matrix moves them by √ε."""
    matrix = torch.autograd.functional.jacobian(lambda at: field(make(g), at), torch.zeros(2)).numpy()
    expected = EIGENVALUES[make](g)
    assert max(value.real for value in expected) < 0
    assert_spectrum(matrix, expected, 1e-9 if abs(expected[0] - expected[1]) > 1e-6 else 1e-7)


def test_the_one_sided_penalty_leaves_the_circle() -> None:
    """WGAN-LP sees nothing while |ψ| < 1: ±i/2 as without it."""
    term = gradient_penalty(GradientPenalty(10.0, side="above"))
    matrix = torch.autograd.functional.jacobian(lambda at: field(term, at), torch.zeros(2)).numpy()
    assert_spectrum(matrix, (0.5j, -0.5j))


@pytest.mark.parametrize("term", [GradientPenalty(10.0), GradientPenalty(10.0, at=NoiseBall())], ids=repr)
def test_penalties_with_target_one_have_a_kink_at_the_equilibrium(term: GradientPenalty) -> None:
    """M10: λ(|ψ| − 1)² pushes away from ψ = 0 with 2λ(1 − |ψ|) on either side, so the slope never comes to rest at 0, and
    there is no Jacobian."""
    for psi in (1e-2, -1e-2):
        found = field(gradient_penalty(term), torch.tensor([0.0, psi]).requires_grad_())[1].item()
        assert found == pytest.approx(math.copysign(20 * (1 - 1e-2), psi), rel=1e-6)


@GAMMAS
def test_matching_features_leaves_the_equilibrium_turning(g: float) -> None:
    """(ψθ)² is of fourth order: ±i/2 as without it."""
    matrix = torch.autograd.functional.jacobian(lambda at: field(matching(g), at), torch.zeros(2)).numpy()
    assert_spectrum(matrix, (0.5j, -0.5j))


FIELDS = {
    r1: lambda g, t, p: (0.0, g * p),
    r2: lambda g, t, p: (0.0, g * p),
    both: lambda g, t, p: (0.0, 2 * g * p),
    interpolates: lambda g, t, p: (0.0, 2 * g * p),
    # (g/2)(¼ψ² + σ²ψ²) and η(σθ)², σ = σ(ψθ), σ' = σ(1 − σ).
    roth: lambda g, t, p: (
        0.0,
        g * p * (0.25 + sigma(p * t) ** 2) + g * p**2 * t * sigma(p * t) ** 2 * sigma(-p * t),
    ),
    nagarajan_kolter: lambda g, t, p: (
        2 * g * sigma(p * t) ** 2 * t * (1 + sigma(-p * t) * p * t),
        0.0,
    ),
    approximate_r1: lambda g, t, p: (0.0, 0.2 * g * p),
    consistency: lambda g, t, p: (0.0, 0.2 * g * p),
    matching: lambda g, t, p: (2 * g * p**2 * t, 0.0),
    layers: lambda g, t, p: (g * abs(p) * math.copysign(1, t), 0.0),
    pulling_away: lambda g, t, p: (0.0, 0.0),
}


@GAMMAS
@pytest.mark.parametrize("make", FIELDS, ids=lambda make: make.__name__)
def test_fields_in_closed_form(make: Callable[[float], Penalty], g: float) -> None:
    """v = (σ(−ψθ)ψ, −σ(ψθ)θ) minus the gradient of the penalty, anywhere."""
    for theta, psi in ((0.7, -1.2), (-2.0, 0.3), (1.5, 2.0)):
        more = FIELDS[make](g, theta, psi)
        expected = [sigma(-psi * theta) * psi - more[0], -sigma(psi * theta) * theta - more[1]]
        found = field(make(g), torch.tensor([theta, psi]).requires_grad_())
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9, atol=1e-9)


@GAMMAS
def test_differences_have_the_eigenvalues_of_their_directions(g: float) -> None:
    """δ = uψ exactly: (γ/2) E u² ψ², here with E u² = 2.5."""
    term = R1(g, by=FiniteDifference(0.1))

    def penalty(theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
        return NOTHING, term(score=score(psi), real_point=points(theta)[0], direction=DIRECTIONS)

    matrix = torch.autograd.functional.jacobian(lambda at: field(penalty, at), torch.zeros(2)).numpy()
    assert_spectrum(matrix, pair(-1.25 * g, (1.25 * g) ** 2 - 1 / 4))


def test_annealing_ends_at_a_hundredth_exactly() -> None:
    """γ_t = γ₀·.01^{t/(T − 1)} (M46), and the penalty follows it."""
    gamma, steps = Exponential(2.0, 0.02), 11
    x = torch.linspace(-1, 1, 5)[:, None]
    values = [
        Roth(gamma).of(lambda x: x.squeeze(1), x, x + 1, {"progress": t / (steps - 1)}).item()
        / Roth(1.0).of(lambda x: x.squeeze(1), x, x + 1).item()
        for t in range(steps)
    ]
    assert gamma.at({"progress": 0.0}) == 2.0
    assert gamma.at({"progress": 1.0}) == 0.02
    np.testing.assert_allclose(values, 2.0 * 0.01 ** (np.arange(steps) / (steps - 1)), rtol=1e-12)
