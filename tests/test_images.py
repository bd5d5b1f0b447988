"""Sheets of images and scatter plots: every pixel where it belongs, the same bytes for the same samples."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from saddlepoint.errors import InputError
from saddlepoint.images import GREY, grid, png, scatter


def pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).reshape(picture.height, picture.width, -1)


def ramp(n: int, channels: int, height: int, width: int) -> torch.Tensor:
    """Images whose bytes are known: 0, 1, 2 … 255, 0 … in order of storage."""
    count = n * channels * height * width
    return (torch.arange(count) % 256 / 127.5 - 1).reshape(n, channels, height, width)


@given(
    n=st.integers(1, 7),
    channels=st.integers(1, 4),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    columns=st.integers(1, 9),
    scale=st.integers(1, 6),
)
def test_every_image_is_found_again(
    n: int, channels: int, size: tuple[int, int], columns: int, scale: int
) -> None:
    height, width = size
    sheet = pixels(grid(ramp(n, channels, *size), columns=columns, scale=scale))
    gap, used = max(2, scale // 2), min(columns, n)
    rows = -(-n // used)
    assert sheet.shape[:2] == (rows * (height * scale + gap) - gap, used * (width * scale + gap) - gap)
    stored = (np.arange(n * channels * height * width) % 256).reshape(n, channels, height, width)
    for place in range(n):
        top, left = place // used * (height * scale + gap), place % used * (width * scale + gap)
        tile = sheet[top : top + height * scale, left : left + width * scale]
        for row in range(scale):  # each pixel became a block of equal ones
            for column in range(scale):
                part = tile[row::scale, column::scale, :channels]
                assert (part == stored[place].transpose(1, 2, 0)).all()


def test_channels_become_the_modes_of_pictures() -> None:
    pictures = [grid(ramp(4, channels, 3, 3)) for channels in (1, 2, 3, 4)]
    assert [picture.mode for picture in pictures] == ["L", "RGB", "RGB", "RGBA"]
    two = pixels(grid(ramp(1, 2, 3, 3), scale=1))
    assert (two[..., 2] == 0).all()
    assert two[..., :2].max() == 17


def test_what_is_outside_is_clipped_and_what_is_no_number_is_black() -> None:
    row = torch.tensor([-7.0, -1.0, 0.0, 1.0, 7.0, float("nan"), float("inf"), -float("inf")])
    sheet = pixels(grid(row.reshape(1, 1, 1, 8), scale=1))
    assert sheet.ravel().tolist() == [0, 0, 128, 255, 255, 0, 255, 0]


def test_gaps_are_grey_and_in_rgba_transparent() -> None:
    grey = pixels(grid(-torch.ones(3, 1, 4, 4), columns=2, scale=1))
    assert set(grey.ravel()) == {0, GREY}
    assert (grey[4:6] == GREY).all()
    assert (grey[6:, 6:] == GREY).all()
    assert (pixels(grid(torch.ones(3, 4, 4, 4), columns=2, scale=1))[6:, 6:] == 0).all()


@pytest.mark.parametrize(("side", "factor"), [(8, 8), (28, 2), (32, 2), (33, 1), (256, 1)])
def test_small_images_are_enlarged_by_a_whole_number(side: int, factor: int) -> None:
    assert grid(torch.zeros(1, 1, side, side)).size == (side * factor, side * factor)


def test_columns_are_the_root_unless_given() -> None:
    assert grid(torch.zeros(10, 1, 64, 64)).size == (4 * 66 - 2, 3 * 66 - 2)
    assert grid(torch.zeros(10, 1, 64, 64), columns=10).size == (10 * 66 - 2, 64)


def test_half_precision_and_gradients_are_no_hindrance() -> None:
    images = torch.zeros(1, 3, 8, 8, dtype=torch.bfloat16, requires_grad=True)
    assert set(pixels(grid(images)).ravel()) == {128}


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 5, 8, 8), (0, 1, 8, 8), (1, 1, 0, 8)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"1 to 4 channels"):
        grid(torch.zeros(shape))


@pytest.mark.parametrize("wrong", [{"columns": 0}, {"scale": 0}, {"scale": -2}])
def test_other_layouts_are_refused(wrong: dict[str, int]) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=f"{name}={wrong[name]}"):
        grid(torch.zeros(1, 1, 8, 8), **wrong)


def test_png_holds_the_picture_exactly_and_nothing_else() -> None:
    picture = grid(ramp(9, 3, 8, 8))
    content = png(picture)
    with Image.open(BytesIO(content)) as again:
        assert again.format == "PNG"
        assert again.info == {}
        assert (pixels(again) == pixels(picture)).all()
    assert content == png(picture)


def points(count: int, seed: int) -> torch.Tensor:
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def decoded(content: bytes) -> np.ndarray:
    with Image.open(BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_a_scatter_plot_repeats_itself_and_shows_every_cloud() -> None:
    samples, real, centres = points(40, 0), points(40, 1), points(4, 2)
    whole = scatter(samples, real, centres)
    assert whole == scatter(samples, real, centres)
    assert len({scatter(samples), scatter(samples, real), whole}) == 3


def test_the_window_belongs_to_the_real_points() -> None:
    real = torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    inside, outside = torch.zeros(1, 2), torch.full((1, 2), 100.0)
    blank = decoded(scatter(torch.full((1, 2), float("nan")), real))
    middle, away = (np.abs(decoded(scatter(cloud, real)) - blank).sum(2) for cloud in (inside, outside))
    frame = (slice(60, -60), slice(60, -60))
    assert middle[frame].any()
    assert not away[frame].any()
    blue = np.argwhere(middle[frame] > 0).mean(0) + 60
    assert np.allclose(blue, (0.5 * 480, 0.53 * 480), atol=2)  # the middle of the axes' rectangle


@pytest.mark.parametrize("shape", [(0, 2), (5, 3), (5,)])
def test_points_that_are_not_in_the_plane_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"\[n, 2\]"):
        scatter(torch.zeros(shape))
