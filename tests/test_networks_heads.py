"""Discriminators that return more than a score."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from saddlepoint.errors import InputError
from saddlepoint.networks import DCGAN, MLP, Autoencoder


@pytest.mark.parametrize(
    ("plain", "shape"),
    [(MLP(width=8), (2,)), (MLP(width=8), (1, 8, 8)), (DCGAN(width=4), (3, 16, 12))],
    ids=repr,
)
def test_features_are_what_the_last_layer_sees(plain: Any, shape: tuple[int, ...]) -> None:
    """Same weights, names and scores as without; the score is an affine function of the features."""
    from dataclasses import replace

    torch.manual_seed(0)
    bare = plain.build(shape, 5)["discriminator"].eval()
    torch.manual_seed(0)
    featured = replace(plain, features=True).build(shape, 5)["discriminator"].eval()
    assert featured.state_dict().keys() == bare.state_dict().keys()
    points = torch.randn(6, *shape)
    record = featured(points)
    assert torch.equal(record["score"], bare(points))
    linear = [layer for layer in featured if isinstance(layer, torch.nn.Linear)][-1]
    torch.testing.assert_close(linear(record["features"])[:, 0], record["score"])


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)])
@pytest.mark.parametrize("distance", ["squared", "absolute"])
def test_the_energy_is_the_error_of_the_reconstruction(shape: tuple[int, ...], distance: Any) -> None:
    torch.manual_seed(0)
    pair = Autoencoder(width=8, code=3, distance=distance).build(shape, 5)
    points = pair["generator"](torch.randn(4, 5)).detach() + 0.1
    record = pair["discriminator"](points)
    error = (points - record["reconstruction"]).flatten(1)
    expected = error.square().mean(1) if distance == "squared" else error.abs().mean(1)
    torch.testing.assert_close(record["score"], expected)
    assert record["reconstruction"].shape == points.shape
    assert record["features"].shape == (4, 3)
    assert (record["score"] > 0).all()


def test_other_distances_and_codes_are_refused() -> None:
    with pytest.raises(InputError, match="not 'l7'"):
        Autoencoder(distance="l7")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not 0"):
        Autoencoder(code=0)
