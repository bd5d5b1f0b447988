"""Published files, fetched once: what is broken off goes on where it stopped, what is wrong is thrown
away."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from saddlepoint.data.progress import progress
from saddlepoint.data.sources import Remote
from saddlepoint.data.store import locked
from saddlepoint.errors import InputError
from saddlepoint.paths import sync_folder, write_atomic

CHUNK = 1 << 16
TIMEOUT = 30.0  # seconds without a byte


def fetch(remote: Remote, folder: Path) -> Path:
    """The file in `folder`, transferred unless it is there.

    Bytes go to NAME.part, from where an interrupted transfer continues (HTTP Range); only a file of the
    published length and SHA-256 gets its final name, and one that differs is deleted. Raises `InputError` in
    these cases.
    """
    target = folder / remote.name
    part = folder / f"{remote.name}.part"
    try:
        with locked(target):
            if not target.exists():
                _transfer(remote, part)
                _verify(remote, part)
                os.replace(part, target)
                sync_folder(folder)
    except (OSError, HTTPException) as error:
        raise InputError(
            f"{remote.url} cannot be fetched into {folder} ({error}); "
            "run the same again to continue, or put the file there yourself."
        ) from error
    return target


def _transfer(remote: Remote, part: Path) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have >= remote.size:
        return
    try:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with urlopen(Request(remote.url, headers=headers), timeout=TIMEOUT) as answer:
            _receive(answer, remote, part, have)
    except HTTPError as error:
        if error.code == 416:  # the server's file ends before ours: not the same file, start anew next time
            part.unlink()
        raise
    got = part.stat().st_size
    if got < remote.size:
        raise InputError(
            f"The download of {remote.url} was interrupted after {got} of {remote.size} bytes; "
            "run the same again to continue it."
        )


def _receive(answer: HTTPResponse, remote: Remote, part: Path, have: int) -> None:
    """Append the answer, or start anew where the server does not know ranges; one byte too many is enough."""
    resumed = answer.status == 206
    if resumed and not answer.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        raise OSError("the server answers with another range than asked for")
    done = have if resumed else 0
    announced = done + int(answer.headers.get("Content-Length", remote.size - done))
    if announced != remote.size:
        part.unlink(missing_ok=True)
        raise InputError(
            f"{remote.url} has {announced} bytes and the published file {remote.size}, so its checksum "
            "would be wrong; nothing of it is kept."
        )
    with open(part, "ab" if resumed else "wb") as file, progress(remote.name, remote.size, done) as advance:
        while chunk := answer.read(min(CHUNK, remote.size + 1 - done)):
            file.write(chunk)
            done += len(chunk)
            advance(len(chunk))
        file.flush()
        os.fsync(file.fileno())


def _verify(remote: Remote, part: Path) -> None:
    with open(part, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != remote.sha256:
        part.unlink()
        raise InputError(
            f"{remote.url} has a wrong checksum (SHA-256 {found}, published {remote.sha256}); "
            "what was fetched is deleted."
        )


def unpack(archive: Path, members: Mapping[str, int], folder: Path) -> None:
    """Write those regular files of a .tar.gz whose base name and exact length are listed; nothing else is
    touched."""
    missing = set(members)
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                content = (
                    tar.extractfile(member) if member.isreg() and members.get(name) == member.size else None
                )
                if content is not None:
                    write_atomic(folder / name, content.read())
                    missing.discard(name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(f"{archive} cannot be unpacked into {folder} ({error}).") from error
    if missing:
        raise InputError(f"{archive} lacks {', '.join(sorted(missing))} of the right length.")
