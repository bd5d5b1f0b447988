"""Size and channels of images in arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from saddlepoint.data.pixels import LUMA, resized, unit, viewed, with_channels
from saddlepoint.data.protocol import View


def test_unit_maps_levels_to_the_interval():
    levels = torch.arange(256, dtype=torch.uint8)
    mapped = unit(levels)
    assert mapped[0] == -1
    assert mapped[255] == 1
    assert torch.allclose(mapped.double(), 2 * levels.double() / 255 - 1, atol=1e-7)
    assert torch.equal(((mapped + 1) * 127.5).round().byte(), levels)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_same_view_is_the_same_array(dtype):
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 7, 9)).astype(dtype)
    assert viewed(images, View()) is images
    assert viewed(images, View((7, 9), 3)) is images


@pytest.mark.parametrize("size", [(3, 5), (8, 8), (32, 20), (64, 64)])
def test_a_plain_colour_stays(size):
    images = np.full((3, 3, 16, 12), 77, np.uint8)
    assert (viewed(images, View(size)) == 77).all()


def test_chunks_do_not_show():
    images = np.random.default_rng(0).integers(0, 256, (1500, 1, 6, 6), np.uint8)
    whole = viewed(images, View((9, 9), 3))
    assert np.array_equal(whole[1000:], viewed(images[1000:], View((9, 9), 3)))


def test_the_finest_pattern_becomes_grey():
    """One-pixel checks hold no frequency that a quarter of the size can show: without a filter they would
    alias."""
    checks = torch.arange(64)[:, None].add(torch.arange(64)).remainder(2).mul(2.0).sub(1)[None, None]
    small = resized(checks, (16, 16))
    assert small[..., 2:-2, 2:-2].abs().max() < 1e-3


def test_a_ramp_keeps_its_values():
    """Any resizing with a symmetric filter that reproduces lines keeps a linear ramp, away from the
    border."""
    ramp = torch.linspace(-0.5, 0.5, 64, dtype=torch.float64).expand(1, 1, 64, 64)
    small = resized(ramp, (16, 16))[0, 0, 8, 2:-2]
    centre = (torch.arange(16, dtype=torch.float64) + 0.5) * 4 - 0.5
    assert torch.allclose(small, centre[2:-2] / 63 - 0.5, atol=1e-9)


@pytest.mark.parametrize(("shape", "kept"), [((10, 30), (10, 20)), ((30, 10), (20, 10))])
def test_the_middle_is_cut_out(shape, kept):
    """White outside the centred square of the target's aspect, black within: only black is left."""
    image = torch.ones(1, 1, *shape)
    side = min(shape)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    image[..., top : top + side, left : left + side] = -1
    assert torch.allclose(resized(image, (5, 5)), -torch.ones(1, 1, 5, 5), atol=1e-6)
    assert resized(image, kept).shape[2:] == kept


def test_grey_and_colour():
    grey = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (4, 1, 3, 3)).astype(np.float32))
    colour = with_channels(grey, 3)
    assert all(torch.equal(colour[:, channel], grey[:, 0]) for channel in range(3))
    assert torch.allclose(with_channels(colour, 1), grey, atol=1e-6)
    primaries = torch.eye(3)[:, :, None, None] * 2 - 1  # pure red, green, blue
    assert torch.allclose(with_channels(primaries, 1).flatten(), 2 * torch.tensor(LUMA) - 1, atol=1e-6)


def test_alpha_is_gained_opaque_and_lost_over_white():
    grey = torch.zeros(1, 1, 2, 2)
    assert torch.equal(with_channels(grey, 2)[:, 1], torch.ones(1, 2, 2))
    assert torch.equal(with_channels(grey, 4)[:, 3], torch.ones(1, 2, 2))
    black = -torch.ones(1, 3, 1, 3)
    alpha = torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
    laid = with_channels(torch.cat([black, alpha], 1), 3)
    assert torch.equal(laid[0, 0, 0], torch.tensor([1.0, 0.0, -1.0]))
    assert torch.equal(with_channels(torch.cat([black, alpha], 1), 2)[:, 1:], alpha)
