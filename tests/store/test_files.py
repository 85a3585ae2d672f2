from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.errors import NotFoundError, StoreError
from service.store.files import FileStore


def test_evidence_is_kept_under_the_hash_of_its_content(tmp_path: Path) -> None:
    store = FileStore(tmp_path)

    digest = store.save_evidence(b"picture")

    assert digest == hashlib.sha256(b"picture").hexdigest()
    assert store.save_evidence(b"picture") == digest
    assert store.load_evidence(digest) == b"picture"
    assert len(list((tmp_path / "evidence").rglob("*.jpg"))) == 1


def test_evidence_that_was_altered_on_disk_is_not_served(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    digest = store.save_evidence(b"picture")
    next((tmp_path / "evidence").rglob("*.jpg")).write_bytes(b"another")

    with pytest.raises(StoreError, match="altered"):
        store.load_evidence(digest)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "a" * 63, "." * 64, "/" * 64])
def test_what_is_no_hash_is_refused(tmp_path: Path, digest: str) -> None:
    with pytest.raises(StoreError):
        FileStore(tmp_path).load_evidence(digest)


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with pytest.raises(NotFoundError):
        store.load_evidence("a" * 64)
    with pytest.raises(NotFoundError):
        store.load_snapshot("camera")


def test_a_reader_sees_the_old_or_the_new_snapshot_and_never_a_part(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    pictures = [bytes([value]) * 200_000 for value in range(4)]
    store.save_snapshot("camera", pictures[0])

    def write(value: int) -> None:
        for _ in range(20):
            store.save_snapshot("camera", pictures[value])

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, value) for value in range(4)]
        while not all(writer.done() for writer in writers):
            assert store.load_snapshot("camera") in pictures
        for writer in writers:
            writer.result()
    assert list(tmp_path.rglob(".part-*")) == []


@pytest.mark.parametrize("camera_id", ["../../x", "/etc/passwd", "a\\b", "场", "x" * 200, "."])
def test_no_camera_id_leads_out_of_the_folder(tmp_path: Path, camera_id: str) -> None:
    store = FileStore(tmp_path / "data")
    store.save_snapshot(camera_id, b"picture")

    assert store.load_snapshot(camera_id) == b"picture"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.parent for path in files] == [tmp_path / "data" / "snapshots"]


def test_a_disk_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.check_writable()
    (tmp_path / "snapshots").rmdir()
    (tmp_path / "snapshots").write_text("in the way", encoding="utf-8")

    with pytest.raises(StoreError):
        store.check_writable()
    with pytest.raises(StoreError):
        FileStore(tmp_path / "snapshots" / "below")
