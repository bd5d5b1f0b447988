"""What all tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


def pytest_configure(config: pytest.Config) -> None:
    """One cache for all tests, empty at first: what judges digits is trained once, not by every test that asks for it.

    Workers and sessions inside a test are told by the environment.
    """
    if "SADDLEPOINT_CACHE" not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="saddlepoint-cache-")
        os.environ["SADDLEPOINT_CACHE"] = folder.name
        config.add_cleanup(folder.cleanup)


@pytest.fixture
def double() -> Iterator[None]:
    """Everything made within the test is float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with everything that can be wrong; no command changes it."""
    from bad_place import make

    place = tmp_path_factory.mktemp("bad") / "place"
    make(place)
    return place
