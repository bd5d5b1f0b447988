"""Every metric of the catalogue against every graded corruption (K52), and laws that hold for all of them."""

from __future__ import annotations

import math
from statistics import stdev

import pytest
import torch

from corrupted import Setting, faults, refused
from saddlepoint.features import Identity
from saddlepoint.metrics import Metric, Quantities, Reference, catalogue
from saddlepoint.metrics.corruptions import CORRUPTIONS, Corruption
from saddlepoint.metrics.quantities import OF_RUNS, OWN

SETTINGS = {name: Setting(name, 300) for name in ("digits", "ring")}
CLEAN = 6  # sets of real rows whose spread is the noise
METRICS = tuple(catalogue.get(name) for name in catalogue.names())


def rows(*numbers: int) -> frozenset[str]:
    return frozenset(f"K{number:02}" for number in numbers)


EVERY = rows(*range(1, 52))
BLANKS = {  # rows that may be blind to a corruption: the table of K52
    "copies": EVERY - rows(44, 45, 46),  # distributions are those of the data; memorisation must be noticed
    "collapse": rows(1, 4, 5),  # the class of a sample is all that these look at
    "dropped": rows(3, 47),  # these look within a class, or at the samples alone
}
BY_DEFINITION = {  # and metrics whose definition leaves no choice
    ("auth-pct", "collapse"): "asks each sample by itself whether it is a copy",
    ("auth-pct", "dropped"): "asks each sample by itself whether it is a copy",
    ("class-modes", "collapse"): "counts classes, like the inception score",
    ("fractal-dimension", "shift"): "distances between samples are all that it sees",
    ("geometry-score", "shift"): "distances between samples are all that it sees",
    ("low-level", "dropped"): "spectrum, contrast and edges, which the images of all classes have in common",
    ("ms-ssim", "dropped"): "likeness of pairs, nine tenths of which are of two classes with and without",
    ("ms-ssim-class", "dropped"): "looks within classes, like m-IS",
    (
        "realism",
        "collapse",
    ): "asks each sample by itself how real it is, and a sample many times over is as real as once",
    ("realism", "dropped"): "asks each sample by itself how real it is; recall asks the rest",
}
SYMMETRIC = {  # and where data leave none
    (
        "geometry-score",
        "ring",
        "dropped",
    ): "modes are too far apart for it to join them to a loop",
    ("geometry-score", "ring", "noise"): "some noise opens holes between points, more of it fills them",
    (
        "boundary-distortion",
        "digits",
        "noise",
    ): "the samples of a linear classifier of digits are noisy enough: more of it "
    "costs no accuracy, and adds less to the largest eigenvalue of a class than two halves of the data differ by",
    ("class-modes", "ring", "noise"): "noise carries as many points into a mode as out of it",
}


def cases() -> list[object]:
    found = []
    for metric in METRICS:
        if set(metric.asks) & OWN - OF_RUNS and not set(metric.asks) & OF_RUNS:
            marks = [pytest.mark.slow] if metric.slow else []
            found += [pytest.param(metric, name, marks=marks, id=f"{metric.id}-{name}") for name in SETTINGS]
    return found


def taken(metric: Metric, name: str) -> Setting:
    setting = SETTINGS[name]
    reason = setting.lacks(metric)
    if reason:
        pytest.skip(reason)
    return setting


def clean(metric: Metric, setting: Setting) -> dict[str, list[float]]:
    found = [setting.fault(metric, None, 0, seed) for seed in range(CLEAN)]
    return {name: [one[name] for one in found] for name in metric.better}


def worsens(at: list[float], usual: list[float]) -> bool:
    """Worse than all real rows at the highest grade, by more than their spread, and never better on the way by more
    than a tenth of the whole."""
    whole = at[-1] - max(usual)
    slack = max(4 * stdev(usual), 0.1 * whole)
    steps = zip([min(usual), *at], at, strict=False)
    return whole > stdev(usual) and all(after >= before - slack for before, after in steps)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
@pytest.mark.parametrize(("metric", "name"), cases())
def test_a_metric_gets_worse_with_every_corruption(metric: Metric, name: str, corruption: Corruption) -> None:
    setting = taken(metric, name)
    if corruption.images and len(setting.data.shape) < 3:
        pytest.skip(f"{corruption.name} is for images")
    if corruption.name in metric.unmoved or (metric.id, name, corruption.name) in SYMMETRIC:
        return
    usual = clean(metric, setting)
    readings = [setting.fault(metric, corruption, grade, 0) for grade in corruption.grades]
    moved = {name: [one[name] for one in readings] for name in metric.better}
    assert any(worsens(moved[name], usual[name]) for name in metric.better), (usual, moved)


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.id)
def test_blanks_are_those_that_are_allowed(metric: Metric) -> None:
    assert set(metric.unmoved) <= {one.name for one in CORRUPTIONS}
    for name in metric.unmoved:
        allowed = set(metric.rows) <= BLANKS.get(name, frozenset())
        assert allowed or (metric.id, name) in BY_DEFINITION, name


def test_every_metric_of_samples_is_judged_somewhere() -> None:
    for metric in METRICS:
        if not set(metric.asks) & OF_RUNS:
            assert not all(setting.lacks(metric) for setting in SETTINGS.values()), metric.id
            assert set(metric.asks) & OWN, metric.id


@pytest.mark.parametrize(("metric", "name"), cases())
def test_the_order_of_rows_does_not_matter(metric: Metric, name: str) -> None:
    """To rounding; a metric that draws rows at random moves within its noise."""
    setting = taken(metric, name)
    made, labels = setting.pool.drawn(setting.n, 0)
    order = torch.randperm(setting.n, generator=torch.Generator().manual_seed(1))
    permuted = faults(metric, setting.quantities((made[order], labels[order])).measure(metric))
    for score, usual in clean(metric, setting).items():
        slack = max(1e-6 * abs(usual[0]), 4 * stdev(usual))
        assert permuted[score] == pytest.approx(usual[0], abs=slack), score


@pytest.mark.parametrize(("metric", "name"), cases())
def test_bad_rows_are_refused_in_one_sentence(metric: Metric, name: str) -> None:
    setting = taken(metric, name)
    made, labels = setting.pool.drawn(setting.n, 0)
    broken = made.clone()
    broken[3] = math.nan
    sentence = refused(metric, setting.quantities((broken, labels)))
    assert "NaN" in sentence or "finite" in sentence
    assert refused(metric, setting.quantities((made[:0], labels[:0])))
    for text in (sentence, refused(metric, setting.quantities((made[:1], labels[:1])))):
        assert "\n" not in text


def test_a_reference_of_other_shape_is_refused() -> None:
    made = Quantities(Reference(SETTINGS["ring"].data, Identity(), 50), torch.zeros(50, 3))
    for metric in METRICS:
        if {"real", "fake"} <= set(metric.asks):
            assert refused(metric, made), metric.id
