"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def double() -> Iterator[None]:
    """Everything made within the test is float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder with everything that can be wrong; no command changes it, and the cache lies beside it."""
    from bad_place import make

    place = tmp_path_factory.mktemp("bad") / "place"
    make(place)
    return place
