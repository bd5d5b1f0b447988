"""Every claim holds, in numbers; a file in `theory/` is tested by being there."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from command_line import assert_refused, here
from saddlepoint import theory
from saddlepoint.objectives import KL, Pearson, ReverseKL
from saddlepoint.theory.claim import Sides
from saddlepoint.theory.quadrature import divergence, integral, jensen_shannon, normal, relative_entropy


@pytest.mark.parametrize("name", theory.names())
def test_both_sides_agree(name: str) -> None:
    claim = theory.get(name)
    assert claim.id == name
    assert all((claim.title, claim.statement, claim.source))
    sides = claim.check()
    assert sides
    assert not [str(pair) for pair in sides if not pair.holds]


@pytest.mark.parametrize("name", [n for n in theory.names() if theory.get(n).figure])
def test_a_figure_is_drawn(name: str, tmp_path: Path) -> None:
    assert here(f"theory {name} --figure t.png", tmp_path).returncode == 0
    assert (tmp_path / "t.png").stat().st_size > 5000


def test_sides() -> None:
    """A pair that does not hold is seen, whatever the relation; nothing holds of what is not a number."""
    assert Sides("", 1.0, "=", 1.05, 0.1).holds
    assert not Sides("", 1.0, "=", 1.2, 0.1).holds
    assert Sides("", 1.0, "<=", 0.95, 0.1).holds
    assert not Sides("", 1.0, "<=", 0.95).holds
    assert Sides("", 1.0, ">=", 0.0).holds
    assert not Sides("", -0.2, ">=", 0.0, 0.1).holds
    assert Sides("", math.inf, "=", math.inf).holds
    assert not any(Sides("", math.nan, relation, 1.0, 9.0).holds for relation in ("=", "<=", ">="))  # type: ignore[arg-type]


def test_quadrature_against_closed_forms_of_normals() -> None:
    """KL(N(a, s²) ‖ N(b, t²)) = log(t/s) + (s² + (a − b)²)/(2t²) − ½; Pearson's χ² of a shift θ: e^{θ²} − 1."""
    p, q = normal(0.5, 0.8), normal(-0.3, 1.1)
    exact = math.log(1.1 / 0.8) + (0.64 + 0.64) / (2 * 1.21) - 0.5
    assert integral(p) == pytest.approx(1, abs=1e-13)
    assert divergence(KL(), p, q) == pytest.approx(exact, abs=1e-11)
    assert divergence(ReverseKL(), q, p) == pytest.approx(exact, abs=1e-11)
    assert relative_entropy(p, q) == pytest.approx(exact, abs=1e-11)
    shifted = divergence(Pearson(), normal(1.5), normal(0.0))
    assert shifted == pytest.approx(math.exp(2.25) - 1, rel=1e-9)
    assert jensen_shannon(normal(-20.0), normal(20.0)) == pytest.approx(math.log(2), abs=1e-12)
    assert jensen_shannon(p, p) == pytest.approx(0, abs=1e-14)


def test_the_command(tmp_path: Path) -> None:
    listed = here("theory", tmp_path)
    assert listed.returncode == 0
    assert [line[:3] for line in listed.stdout.splitlines()] == list(theory.names())
    told = json.loads(here("theory T02 t15 --json", tmp_path).stdout)
    assert [row["id"] for row in told] == ["T02", "T15"]
    assert all(pair["holds"] for row in told for pair in row["sides"])
    assert_refused(here("theory T99", tmp_path), "unknown claim 'T99'", "did you mean")
    assert_refused(here("theory --figure a.png", tmp_path), "one claim")
    assert not (tmp_path / "a.png").exists()
