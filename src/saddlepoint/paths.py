"""Where things lie on disk, and how a file is written so that it is either old or new and never half."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$SADDLEPOINT_CACHE`, else `$XDG_CACHE_HOME/saddlepoint`, else `~/.cache/saddlepoint`."""
    if "SADDLEPOINT_CACHE" in os.environ:
        return Path(os.environ["SADDLEPOINT_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "saddlepoint"


def write_atomic(path: Path, content: bytes) -> None:
    """Write beside, force to disk, rename: after a crash at any moment `path` is whole, old or new."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # a full disk does not say of itself for which file
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Force a rename inside `folder` to disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
