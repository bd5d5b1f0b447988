"""Fetching against a real server on this computer: whole, broken off, continued, wrong, killed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from command_line import interruptible
from saddlepoint.data import load
from saddlepoint.data.fetch import fetch, unpack
from saddlepoint.data.sources import MNIST_FILES, SOURCES, Remote
from saddlepoint.errors import InputError

CONTENT = bytes(range(256)) * 1000


class Handler(BaseHTTPRequestHandler):
    """Serves `server.content` by path; `server.behaviour` makes it a bad server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.asked.append((self.path, asked))
        content = self.server.content(self.path)
        if content is None:
            self.send_error(404)
            return
        start = (
            int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if asked and self.server.behaviour != "no ranges"
            else 0
        )
        if start and start >= len(content):
            self.send_error(416)
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            first = start + (self.server.behaviour == "shifted range")
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        half = body[: len(body) // 2]
        match self.server.behaviour:
            case "truncates":
                self.wfile.write(half)
                self.close_connection = True
            case "stalls":
                self.wfile.write(half)
                self.wfile.flush()
                self.server.released.wait(20)
            case _:
                self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.behaviour, server.asked, server.released = "good", [], threading.Event()
        server.content = {"/set/file.bin": CONTENT}.get
        server.address = f"http://127.0.0.1:{server.server_address[1]}"
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(server):
    return Remote(f"{server.address}/set/file.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


def files(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_a_file_is_fetched_once(server, remote, tmp_path):
    for _ in range(2):
        assert fetch(remote, tmp_path / "new").read_bytes() == CONTENT
    assert files(tmp_path / "new") == ["file.bin"]
    assert server.asked == [("/set/file.bin", None)]


def test_a_truncated_transfer_is_continued(server, remote, tmp_path):
    """Each answer breaks off half-way: every retry asks for the rest, and nothing lies under the final
    name."""
    server.behaviour = "truncates"
    have = 0
    for _ in range(3):
        with pytest.raises(InputError, match=r"interrupted after \d+ of") as caught:
            fetch(remote, tmp_path)
        have += (len(CONTENT) - have) // 2
        assert str(have) in str(caught.value)
        assert files(tmp_path) == ["file.bin.part"]
        assert (tmp_path / "file.bin.part").read_bytes() == CONTENT[:have]
    server.behaviour = "good"
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1] == ("/set/file.bin", f"bytes={have}-")
    assert files(tmp_path) == ["file.bin"]


def test_a_server_without_ranges_starts_anew(server, remote, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"left over")
    server.behaviour = "no ranges"
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("wrong", [CONTENT[:-1] + b"?", bytes(len(CONTENT)), b"?" + CONTENT[1:]])
def test_wrong_content_is_deleted(server, remote, tmp_path, wrong):
    server.content = {"/set/file.bin": wrong}.get
    with pytest.raises(InputError, match="wrong checksum") as caught:
        fetch(remote, tmp_path)
    assert remote.url in str(caught.value)
    assert files(tmp_path) == []


def test_a_foreign_beginning_is_found_out(server, remote, tmp_path):
    """What was left over belongs to another file: the sum is wrong, the next attempt begins at nothing."""
    (tmp_path / "file.bin.part").write_bytes(b"?" * 1000)
    with pytest.raises(InputError, match="wrong checksum"):
        fetch(remote, tmp_path)
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("other", [CONTENT[:1000], CONTENT + b"more", b""])
@pytest.mark.parametrize("have", [0, 500])
def test_a_file_of_another_length_is_refused(server, remote, tmp_path, other, have):
    server.content = {"/set/file.bin": other}.get
    if have:
        (tmp_path / "file.bin.part").write_bytes(CONTENT[:have])
    with pytest.raises(InputError, match=r"checksum would be wrong|416"):
        fetch(remote, tmp_path)
    assert files(tmp_path) == []


def test_another_range_than_asked_for_is_refused(server, remote, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    server.behaviour = "shifted range"
    with pytest.raises(InputError, match="another range"):
        fetch(remote, tmp_path)
    server.behaviour = "good"
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_missing_file_and_a_missing_server_are_named(server, tmp_path):
    with pytest.raises(InputError, match=r"nothing\.bin cannot be fetched .*404"):
        fetch(Remote(f"{server.address}/nothing.bin", "0" * 64, 5), tmp_path)
    with pytest.raises(InputError, match="cannot be fetched"):
        fetch(Remote("http://127.0.0.1:1/file.bin", "0" * 64, 5), tmp_path)


def test_two_at_once_transfer_once(server, remote, tmp_path):
    threads = [threading.Thread(target=fetch, args=(remote, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(server.asked) == 1


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_transfer_is_continued(server, remote, tmp_path, how):
    server.behaviour = "stalls"
    code = f"from saddlepoint.data.fetch import *\nfetch({remote!r}, Path({str(tmp_path)!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.DEVNULL, preexec_fn=interruptible
    )
    part = tmp_path / "file.bin.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size >= 65536) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(how)
    process.wait(20)
    assert files(tmp_path) == ["file.bin.part"]
    have = part.stat().st_size
    assert part.read_bytes() == CONTENT[:have]
    server.behaviour = "good"
    assert fetch(remote, tmp_path).read_bytes() == CONTENT
    assert server.asked[-1][1] == f"bytes={have}-"


REAL = os.environ.get("SADDLEPOINT_DATA")


@pytest.fixture
def mirror(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_MIRROR", server.address)
    monkeypatch.setenv("SADDLEPOINT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SADDLEPOINT_DATA", raising=False)
    return tmp_path / "cache" / "data"


def test_a_named_set_with_a_wrong_sum_is_refused(server, mirror):
    server.content = lambda path: bytes(MNIST_FILES[0].size)
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz has a wrong checksum"):
        load("mnist")
    assert files(mirror / "mnist") == []


def test_a_named_set_is_fetched_from_the_mirror(server, mirror, monkeypatch):
    if not REAL:
        pytest.skip(
            "needs the published files of MNIST: set SADDLEPOINT_DATA to the folder that holds mnist/"
        )
    server.content = lambda path: Path(REAL, path.lstrip("/")).read_bytes()
    fetched = load("mnist")
    assert len(server.asked) == 4
    monkeypatch.setenv("SADDLEPOINT_DATA", REAL)
    assert fetched.identity == load("mnist").identity
    assert load("stacked-mnist").size == 128_000
    assert len(server.asked) == 4


def test_a_mirror_has_an_address(mirror, monkeypatch):
    monkeypatch.setenv("SADDLEPOINT_MIRROR", "file:///etc")
    with pytest.raises(InputError, match="SADDLEPOINT_MIRROR=file:///etc is refused"):
        load("mnist")


def test_published_sums_are_well_formed():
    remotes = {remote for source in SOURCES for remote in source.remotes}
    assert len(remotes) == 9
    assert all(re.fullmatch("[0-9a-f]{64}", remote.sha256) and remote.size > 4000 for remote in remotes)


def archive(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = tarfile.SYMTYPE, str(content)
                tar.addfile(info)
    return path


def test_unpacking_writes_known_members_only(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    packed = archive(
        tmp_path / "a.tar.gz",
        [
            ("../evil.bin", b"1234"),
            ("/tmp/other", b"1234"),
            ("b/one.bin", b"abcd"),
            ("b/../../two.bin", b"efgh"),
        ],
    )
    unpack(packed, {"one.bin": 4, "two.bin": 4}, inside)
    assert files(inside) == ["one.bin", "two.bin"]
    assert (inside / "two.bin").read_bytes() == b"efgh"
    assert files(tmp_path) == ["a.tar.gz", "inside"]


@pytest.mark.parametrize("members", [[("one.bin", b"abcde")], [("one.bin", Path("/etc/passwd"))], []])
def test_members_of_other_length_or_kind_are_refused(tmp_path, members):
    with pytest.raises(InputError, match=r"lacks one\.bin"):
        unpack(archive(tmp_path / "a.tar.gz", members), {"one.bin": 4}, tmp_path)
    assert files(tmp_path) == ["a.tar.gz"]


def test_a_damaged_archive_is_named(tmp_path):
    packed = archive(tmp_path / "a.tar.gz", [("one.bin", os.urandom(9000))])
    packed.write_bytes(packed.read_bytes()[:4000])
    with pytest.raises(InputError, match=r"a\.tar\.gz cannot be unpacked"):
        unpack(packed, {"one.bin": 9000}, tmp_path)
