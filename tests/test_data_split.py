"""The split by content: which rows never train."""

from __future__ import annotations

import hashlib
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saddlepoint.data.split import by_content
from saddlepoint.errors import InputError


@settings(deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=60), st.randoms())
def test_split_laws(digests, random):
    """Both sides inhabited, copies together, order irrelevant; for any digests of which two differ."""
    names = [digest.hex() for digest in digests] + [digests[0].hex()]
    if len(set(names)) == 1:
        with pytest.raises(InputError, match="equal samples"):
            by_content(names, "it")
        return
    split = by_content(names, "it")
    sides = [{names[row] for row in side} for side in (split.training, split.held_out)]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert sorted([*split.training, *split.held_out]) == list(range(len(names)))
    shuffled = random.sample(names, len(names))
    assert {shuffled[row] for row in by_content(shuffled, "it").held_out} == sides[1]


def test_about_a_tenth_is_held_out():
    names = [hashlib.sha256(bytes([number % 256, number // 256])).hexdigest() for number in range(20_000)]
    share = len(by_content(names, "it").held_out) / len(names)
    assert abs(share - 0.1) < 5.5 * (0.09 / 20_000) ** 0.5


def test_small_folders_are_adjusted_with_a_sentence(caplog):
    low, high = "0" * 64, "f" * 64
    with caplog.at_level(logging.WARNING):
        assert by_content([high, "e" * 64], "it").held_out.tolist() == [1]
        assert by_content([low, "00" + "1" * 62], "it").training.tolist() == [1]
    assert len(caplog.records) == 2
    assert all("it is small" in record.message for record in caplog.records)
