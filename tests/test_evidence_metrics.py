"""What is committed about metrics: the table of floors as the document shows it; intervals that cover, measured again."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from saddlepoint.metrics import Measured, Metric, catalogue

ROOT = Path(__file__).parents[1]
ALWAYS = {  # may cover more often than 98 %
    "modes-covered": "a count that hardly varies",
    "classes-covered": "a count that hardly varies",
    "nn-accuracy-fake": "98.5 % as measured, half a standard error above",
}


@pytest.fixture
def evidence(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    import importlib

    monkeypatch.syspath_prepend(str(ROOT / "evidence"))
    sys.modules.pop("intervals", None)
    return importlib.import_module("intervals")


def test_the_document_shows_the_floors() -> None:
    sys.path.insert(0, str(ROOT / "evidence"))
    try:
        import floors
    finally:
        sys.path.pop(0)
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    listed = text.split("<!-- evidence/floors.py --markdown -->\n")[1].split("<!-- end -->")[0]
    assert listed.strip() == floors.markdown(json.loads(floors.RESULTS.read_text()))


def gaussian(sigma: float) -> Metric:
    """The mean of the first coordinate, which has the interval ± 1.96 sigma/√n."""

    def measure(fake: torch.Tensor) -> dict[str, Measured]:
        values = fake[:, 0].double()
        mean, half = float(values.mean()), sigma * float(values.std()) / len(values) ** 0.5
        return {"mean": Measured(mean, (mean - half, mean + half))}

    return Metric("mean", "mean", "mean", "none", ("K51",), {"mean": "lower"}, "all else", measure)


def test_the_document_shows_the_coverage(evidence: ModuleType) -> None:
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    listed = text.split("<!-- evidence/intervals.py --markdown -->\n")[1].split("<!-- end of intervals -->")[
        0
    ]
    assert listed.strip() == evidence.markdown(json.loads(evidence.RESULTS.read_text())["metrics"])


@pytest.mark.parametrize(("sigma", "expected"), [(1.96, 0.95), (1.0, 0.6827), (3.0, 0.9973)])
def test_coverage_is_measured_rightly(evidence: ModuleType, sigma: float, expected: float) -> None:
    """Of an interval whose coverage is known, within 4 standard deviations of 200 repeats."""
    found = evidence.coverage(gaussian(sigma))["mean"]
    slack = 4 * (expected * (1 - expected) / evidence.REPEATS) ** 0.5
    assert found["coverage"] == pytest.approx(expected, abs=slack)
    assert found["relative_width"] == pytest.approx(sigma / 1.96, rel=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in catalogue.names() if not catalogue.get(name).slow])
def test_intervals_contain_the_truth(evidence: ModuleType, name: str) -> None:
    metric = catalogue.get(name)
    if not evidence.possible(metric):
        pytest.skip("it does not measure samples alone")
    for score, found in evidence.coverage(metric).items():
        assert found["coverage"] <= (1.0 if score in ALWAYS else 0.98), (score, found)
        assert found["coverage"] >= 0.90, (score, found)
