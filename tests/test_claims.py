"""The machinery of the evidence on claims: when a check is met, when it runs again, and how its table gets into a page."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import pytest

EVIDENCE = Path(__file__).parent.parent / "evidence"


@pytest.fixture(scope="module")
def script() -> Any:
    """evidence/claims.py, which a package of the same name lies beside."""
    spec = importlib.util.spec_from_file_location("claims_script", EVIDENCE / "claims.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(EVIDENCE))


def check(**changes: Any) -> Any:
    from claims.check import Check, Range

    given = {"row": "M99", "name": "a", "figure": "b", "source": "exact", "accept": {"x": Range(0, 1)}}
    return Check(**{**given, "measure": len, "seeds": 3, **changes})


def test_ends_belong_to_a_range_and_nan_to_none(script: Any) -> None:
    from claims.check import Range

    assert 0 in Range(0, 1)
    assert 1 in Range(0, 1)
    assert math.nextafter(1, 2) not in Range(0, 1)
    assert math.nan not in Range()


@pytest.mark.parametrize(
    ("values", "options", "met"),
    [
        ([0.1, 0.5, 1.0], {}, True),
        ([0.1, 0.5, 1.1], {}, False),
        ([0.1, 0.5, 1.1], {"needed": 2}, True),
        ([0.1, 0.5], {}, False),
        ([0.1, 0.5], {"needed": 2}, True),
        ([0.1, 0.5, 9.0], {"median": True}, True),
        ([0.1, 2.0, 9.0], {"median": True}, False),
        ([0.1, 0.5, None], {"median": True}, False),
        ([0.1, 0.5, None], {"needed": 2}, True),
    ],
)
def test_a_check_is_met_by_its_seeds_or_by_their_median(
    script: Any, values: list[float | None], options: dict[str, Any], met: bool
) -> None:
    """None: a training that failed has no numbers."""
    trials = [{} if value is None else {"x": value} for value in values]
    assert check(**options).met(trials) is met


def test_every_check_has_a_key_of_its_own_and_accepts_something(script: Any) -> None:
    known = [c for module in script.modules() for c in script.checks(module)]
    assert len({c.key for c in known}) == len(known) > 40
    for c in known:
        assert c.accept
        assert c.needed is None or 0 < c.needed <= c.seeds
        assert c.seeds == 1 or c.seeds >= 5


def test_a_check_runs_again_when_what_it_measures_changed(script: Any, tmp_path: Path) -> None:
    """Not for a comment, for its words, or for another check's measure."""
    text = (
        "from claims.check import Check, Range\n\n\ndef one(seed):\n    return {'x': SIZE}\n\n\ndef two(seed):\n"
        "    return {'x': 2}\n\n\nSIZE = 1\nCHECKS = tuple(\n    Check('M99', 'word', '', 'exact', {'x': Range(0, 1)}, m)"
        " for m in (one, two)\n)\n"
    )

    def digest(source: str, number: int = 0) -> str:
        (tmp_path / "m99.py").write_text(source)
        names: dict[str, Any] = {}
        exec(source, names)  # noqa: S102 (the text above)
        script.FOLDER, script.checks = tmp_path, lambda module: names["CHECKS"]
        return script.digest("m99", names["CHECKS"][number])

    kept, checks = script.FOLDER, script.checks
    try:
        first = digest(text)
        for same in (("word", "other"), ("SIZE = 1", "SIZE = 1  # one"), ("'x': 2", "'x': 3")):
            assert digest(text.replace(*same)) == first
        for other in (("'x': SIZE", "'x': SIZE + 1"), ("SIZE = 1", "SIZE = 2")):
            assert digest(text.replace(*other)) != first
        assert digest(text.replace("'x': 2", "'x': 3"), 1) != digest(text, 1)
    finally:
        script.FOLDER, script.checks = kept, checks


def test_a_table_replaces_what_stands_between_its_markers(script: Any, tmp_path: Path) -> None:
    from tables import insert, markdown

    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n")
    for _ in range(2):
        insert(page, "x", markdown(("h", "i"), [("|s|", "2")]))
    expected = "a\n<!-- x -->\n\n| h | i |\n| --- | --- |\n| \\|s\\| | 2 |\n\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n"
    assert page.read_text() == expected
    with pytest.raises(SystemExit, match="markers"):
        insert(page, "z", "")
