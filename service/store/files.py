"""Pictures on disk. Names come from hashes only, so that no request can choose a path."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from models.errors import NotFoundError, StoreError

JPEG_SUFFIX = ".jpg"


class FileStore:
    """Evidence by the hash of its content, and the latest snapshot of each camera."""

    def __init__(self, folder: Path) -> None:
        self._evidence = folder / "evidence"
        self._snapshots = folder / "snapshots"
        try:
            self._evidence.mkdir(parents=True, exist_ok=True)
            self._snapshots.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: cannot be used for pictures: {error.strerror}") from error

    def save_evidence(self, content: bytes, suffix: str = JPEG_SUFFIX) -> str:
        """Store bytes for good and return their SHA-256; the same bytes are stored once."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._evidence_path(digest, suffix)
        if not path.exists():
            _write(path, content, durable=True)
        return digest

    def load_evidence(self, digest: str, suffix: str = JPEG_SUFFIX) -> bytes:
        """Bytes by their SHA-256, checked against it; raises :class:`NotFoundError`."""
        content = _read(self._evidence_path(digest, suffix))
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreError(f"evidence {digest} was altered on disk")
        return content

    def save_snapshot(self, camera_id: str, content: bytes) -> None:
        """Replace a camera's snapshot; readers see the old or the new one, never a part."""
        _write(self._snapshot_path(camera_id), content, durable=False)

    def load_snapshot(self, camera_id: str) -> bytes:
        """A camera's latest snapshot; raises :class:`NotFoundError`."""
        return _read(self._snapshot_path(camera_id))

    def check_writable(self) -> None:
        """Write and remove a small file; raises :class:`StoreError`."""
        probe = self._snapshots / "probe"
        _write(probe, b"ok", durable=False)
        probe.unlink(missing_ok=True)

    def delete_evidence(self, digest: str, suffix: str = JPEG_SUFFIX) -> None:
        """Delete bytes for good; harmless if they are gone."""
        try:
            self._evidence_path(digest, suffix).unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"evidence {digest} cannot be deleted: {error.strerror}") from error

    def _evidence_path(self, digest: str, suffix: str) -> Path:
        if len(digest) != hashlib.sha256().digest_size * 2 or not digest.isalnum():
            raise StoreError("not a SHA-256")
        return self._evidence / digest[:2] / f"{digest}{suffix}"

    def _snapshot_path(self, camera_id: str) -> Path:
        return self._snapshots / f"{hashlib.sha256(camera_id.encode()).hexdigest()}.jpg"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("the picture is not there") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


def _write(path: Path, content: bytes, *, durable: bool) -> None:
    """Write all or nothing; ``durable`` also waits until it survives a power cut."""
    try:
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        if durable:
            _sync_folder(path.parent)
            _sync_folder(path.parent.parent)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot write: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
