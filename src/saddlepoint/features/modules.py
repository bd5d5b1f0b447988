"""Extractors that somebody else made: a module, a TorchScript file, an exported program."""

from __future__ import annotations

import copy
import hashlib
import os
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from saddlepoint.data.split import file_digest
from saddlepoint.errors import InputError, out_of_memory
from saddlepoint.features.extractor import batched, content_hash

SUFFIXES = (".pt", ".pt2", ".ts")
OBJECTS = ("opaque_obj", "custom_obj")  # members of an exported program that would be unpickled
SAFE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


@dataclass(frozen=True, eq=False)
class Foreign:
    """Features by a function that is given images in [−1, 1], or points, in float32: [n, *shape] -> [n, …],
    flattened."""

    name: str
    hash: str
    function: Callable[[Tensor], Any] = field(repr=False)

    def __call__(self, samples: Tensor) -> Tensor:
        return batched(self._features, samples)

    def _features(self, block: Tensor) -> Tensor:
        try:
            found = self.function(block)
        except InputError:
            raise
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            if out_of_memory(error):
                raise
            reason = " ".join(str(error).split())[:200].rstrip(".")
            raise InputError(
                f"the extractor {self.name} does not take {len(block)} samples of shape {tuple(block.shape[1:])} "
                f"({reason}); it has to take any number of them."
            ) from error
        if not isinstance(found, Tensor) or found.dim() == 0 or len(found) != len(block):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise InputError(
                f"the extractor {self.name} gives {shape} for {len(block)} samples; one row each is needed."
            )
        return found.reshape(len(block), -1).float().cpu()


def of_module(module: nn.Module, name: str) -> Foreign:
    """Any module as an extractor, in evaluation mode; the hash covers its weights, buffers and printed structure."""
    own = copy.deepcopy(module).cpu().eval().requires_grad_(False)
    digest = hashlib.sha256(f"{own!r} {content_hash(own.state_dict())}".encode())
    return Foreign(f"module:{name}", f"sha256:{digest.hexdigest()}", own)


def of_file(path: Path) -> Foreign:
    """A TorchScript file (.pt, .ts; `torch.jit.save`) or an exported program (.pt2; `torch.export.save`).

    Both hold programs: run those that you trust. Nothing is unpickled on the way; a file with pickled objects in it
    is refused. The hash is that of the file.
    """
    if not path.is_file() or path.suffix not in SUFFIXES:
        kinds = "TorchScript (.pt, .ts) or an exported program (.pt2)"
        raise InputError(f"the extractor {path} is {_what(path)}; accepted is a file with {kinds}.")
    try:
        with warnings.catch_warnings(), weights_alone():
            warnings.simplefilter("ignore")
            function = _exported(path) if path.suffix == ".pt2" else _scripted(path)
    except InputError:
        raise
    except Exception as error:  # a reader may raise anything on a file that is none
        kind = "torch.export.save" if path.suffix == ".pt2" else "torch.jit.save"
        raise InputError(f"{path} cannot be read as an extractor; it has to be written by {kind}.") from error
    return Foreign(f"file:{path.stem}", f"sha256:{file_digest(path)}", function)


@contextmanager
def weights_alone() -> Iterator[None]:
    """Within it every `torch.load`, of libraries too, reads tensors and nothing else."""
    before = os.environ.get(SAFE)
    os.environ[SAFE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE]
        else:
            os.environ[SAFE] = before


def _what(path: Path) -> str:
    if not path.exists():
        return "not there"
    return "a folder" if path.is_dir() else f"a file with the ending {path.suffix or 'of none'}"


def _scripted(path: Path) -> Callable[[Tensor], Any]:
    module = torch.jit.load(str(path), map_location="cpu").eval()
    return lambda block: module(block)


def _exported(path: Path) -> Callable[[Tensor], Any]:
    with zipfile.ZipFile(path) as archive:
        held = [name for name in archive.namelist() if any(word in name for word in OBJECTS)]
    if held:
        raise InputError(f"{path} holds a pickled object ({held[0]}); an extractor is made of tensors alone.")
    module = torch.export.load(str(path)).module()
    return lambda block: module(block)
