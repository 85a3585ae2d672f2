from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BackupError
from service.backup.archive import EDGE, SUMS, ArchiveWriter, Manifest, members, verify

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PICTURE = "evidence/ab/ab" + "0" * 62 + ".jpg"


def archive_of(path: Path, manifest: Manifest | None = None) -> Path:
    with path.open("wb") as file:
        writer = ArchiveWriter(file, NOW)
        writer.add_bytes(EDGE, b"edge" * 300)
        writer.add_bytes(PICTURE, b"picture" * 100)
        writer.finish(manifest or Manifest(made_at=NOW, program="1", has_edge=True, files=1))
    return path


@cache
def whole() -> bytes:
    buffer = io.BytesIO()
    writer = ArchiveWriter(buffer, NOW)
    writer.add_bytes(EDGE, b"edge" * 30)
    writer.add_bytes(PICTURE, b"picture" * 10)
    writer.finish(Manifest(made_at=NOW, program="1", has_edge=True, files=1))
    return buffer.getvalue()


def contents(path: Path) -> dict[str, bytes]:
    return {name: content.read() for name, content in members(path)}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar")
    assert verify(path) == Manifest(made_at=NOW, program="1", has_edge=True, files=1)
    assert contents(path)[PICTURE] == b"picture" * 100


def test_other_programs_read_and_check_it(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar")
    subprocess.run(["tar", "-xf", path], cwd=tmp_path, check=True)
    subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=tmp_path, check=True)


@given(st.data())
def test_no_changed_byte_goes_unnoticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.tar"
    content = bytearray(whole())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        verify(path)
    except BackupError:
        return
    # Padding between members: nothing that comes out of it is different.
    path.write_bytes(whole())
    intact = contents(path)
    path.write_bytes(content)
    assert contents(path) == intact


@given(st.integers(0, len(whole()) - 10_240))
def test_no_cut_archive_is_taken(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.tar"
    path.write_bytes(whole()[:length])
    with pytest.raises(BackupError):
        verify(path)


def _with(name: str, kind: bytes = tarfile.REGTYPE) -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)

    return add


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(_with("../../etc/cron.d/x"), "is no backup", id="leads out"),
        pytest.param(_with("/etc/passwd"), "is no backup", id="absolute"),
        pytest.param(_with(PICTURE, tarfile.SYMTYPE), "is no backup", id="link"),
        pytest.param(_with("notes.txt"), "is no backup", id="foreign"),
        pytest.param(_with(PICTURE.replace("ab", "cd")), "is damaged", id="not listed"),
        pytest.param(_with(PICTURE), "in it twice", id="twice"),
    ],
)
def test_what_was_added_is_refused(
    tmp_path: Path, change: Callable[[tarfile.TarFile], None], said: str
) -> None:
    path = archive_of(tmp_path / "a.tar")
    with tarfile.open(path, "a") as archive:
        change(archive)
    with pytest.raises(BackupError, match=said):
        verify(path)


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        pytest.param(
            Manifest(made_at=NOW, program="1", backend="sqlite", files=1),
            "database.sqlite3.gz",
            id="no database",
        ),
        pytest.param(
            Manifest(made_at=NOW, program="1", has_edge=True, files=2), "evidence", id="evidence"
        ),
        pytest.param(
            Manifest(made_at=NOW, program="1", has_edge=True, files=1, format=9),
            "update Streetwarden",
            id="newer form",
        ),
    ],
)
def test_a_manifest_that_promises_more_is_refused(
    tmp_path: Path, manifest: Manifest, said: str
) -> None:
    with pytest.raises(BackupError, match=said):
        verify(archive_of(tmp_path / "a.tar", manifest))


@pytest.mark.parametrize("content", [b"", b"x" * 2000, b"\x1f\x8b" + b"0" * 600])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(content)
    with pytest.raises(BackupError):
        verify(path)
    shutil.rmtree(tmp_path / "nothing", ignore_errors=True)
    with pytest.raises(BackupError, match="cannot be read"):
        verify(tmp_path / "nothing")
