"""Every metric of the catalogue against every graded corruption (K52), and laws that hold for all of them."""

from __future__ import annotations

import math
from statistics import stdev

import pytest
import torch

from corrupted import refused
from saddlepoint.experiments.corrupting import Setting, allowed, blank, faults, of_samples
from saddlepoint.features import Identity
from saddlepoint.metrics import Metric, Quantities, Reference, catalogue
from saddlepoint.metrics.corruptions import CORRUPTIONS, Corruption
from saddlepoint.metrics.quantities import OF_RUNS, OWN

SETTINGS = {name: Setting(name, 300) for name in ("digits", "ring")}
CLEAN = 6  # sets of real rows whose spread is the noise
METRICS = tuple(catalogue.get(name) for name in catalogue.names())


def cases() -> list[object]:
    return [
        pytest.param(metric, name, marks=[pytest.mark.slow] if metric.slow else [], id=f"{metric.id}-{name}")
        for metric in of_samples()
        for name in SETTINGS
    ]


def taken(metric: Metric, name: str) -> Setting:
    setting = SETTINGS[name]
    reason = setting.lacks(metric)
    if reason:
        pytest.skip(reason)
    return setting


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
@pytest.mark.parametrize(("metric", "name"), cases())
def test_a_metric_gets_worse_with_every_corruption(metric: Metric, name: str, corruption: Corruption) -> None:
    setting = taken(metric, name)
    if corruption.images and len(setting.data.shape) < 3:
        pytest.skip(f"{corruption.name} is for images")
    if blank(metric, name, corruption.name):
        return
    found = list(setting.responses(metric, corruption, CLEAN))
    assert any(response.worsens for response in found), found


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.id)
def test_blanks_are_those_that_are_allowed(metric: Metric) -> None:
    assert set(metric.unmoved) <= {one.name for one in CORRUPTIONS}
    for name in metric.unmoved:
        assert allowed(metric, name), name


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
    for score, usual in setting.clean(metric, CLEAN).items():
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
