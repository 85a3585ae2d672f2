"""The file of a backup: a tar archive whose last member lists the SHA-256 of all others.

Any ``tar`` unpacks it, and ``sha256sum -c SHA256SUMS`` checks what came out. Pictures and films
do not shrink and lie as they are; databases are compressed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, BinaryIO, Literal

from models.errors import BackupError

FORMAT = 1
"""Version of the archive's own form."""
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
SQLITE = "database.sqlite3.gz"
POSTGRESQL = "database.pgdump"
EDGE = "edge.sqlite3.gz"
SIGNING_KEY = "evidence-key.pem"
EVIDENCE = "evidence/"
OWNER_ONLY = 0o600
CHUNK_BYTES = 1 << 20

_DATABASES = {"sqlite": SQLITE, "postgresql": POSTGRESQL}
_NAME = re.compile(
    r"manifest\.json|SHA256SUMS|database\.sqlite3\.gz|database\.pgdump|edge\.sqlite3\.gz"
    r"|evidence-key\.pem|evidence/[0-9a-f]{2}/[0-9a-f]{64}\.(?:jpg|mp4|json|bin)"
)
"""All names there are: none leads out of a folder."""
_SUM = re.compile(rf"([0-9a-f]{{64}})  ({_NAME.pattern})")

Backend = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What an archive holds, and which programs made it."""

    format: int = FORMAT
    made_at: datetime
    program: str
    """Version of Streetwarden."""
    backend: Backend | None = None
    """Database of the dispatch service; ``None``: it is not in this archive."""
    server: str | None = None
    """Version of the database program."""
    revision: str | None = None
    """Schema revision of the dispatch service's database."""
    orders: int = 0
    files: int = 0
    """Pieces of evidence, each stored once."""
    missing: tuple[str, ...] = ()
    """Evidence that the database names and that was not on disk, or not as it should be."""
    has_edge: bool = False
    has_signing_key: bool = False

    @property
    def members(self) -> set[str]:
        """Names that must be there, evidence apart."""
        wanted = {MANIFEST}
        if self.backend is not None:
            wanted.add(_DATABASES[self.backend])
        if self.has_edge:
            wanted.add(EDGE)
        if self.has_signing_key:
            wanted.add(SIGNING_KEY)
        return wanted


class ArchiveWriter:
    """Adds members to an archive and remembers their hashes; complete once finished."""

    def __init__(self, file: BinaryIO, made_at: datetime) -> None:
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)
        self._at_s = made_at.timestamp()
        self._sums: dict[str, str] = {}

    def add(self, name: str, source: BinaryIO, size_bytes: int) -> str:
        """Add so many bytes under a name; their SHA-256."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size_bytes, OWNER_ONLY, int(self._at_s)
        hashed = _Hashed(source)
        self._tar.addfile(info, hashed)
        self._sums[name] = hashed.hexdigest()
        return self._sums[name]

    def add_bytes(self, name: str, content: bytes) -> str:
        """Add content under a name; its SHA-256."""
        return self.add(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, path: Path) -> str:
        """Add a file that nobody changes meanwhile; its SHA-256."""
        with path.open("rb") as file:
            return self.add(name, file, path.stat().st_size)

    def finish(self, manifest: Manifest) -> None:
        """Write manifest and hashes, which make the archive complete."""
        told = asdict(manifest) | {"made_at": manifest.made_at.isoformat()}
        self.add_bytes(MANIFEST, json.dumps(told, indent=1, ensure_ascii=False).encode())
        lines = "".join(f"{digest}  {name}\n" for name, digest in self._sums.items())
        self.add_bytes(SUMS, lines.encode())
        self._tar.close()


class _Hashed(io.RawIOBase):
    """Reads from another file and hashes what is read."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self._source.read(size)
        self._hash.update(content)
        return content

    def hexdigest(self) -> str:
        """SHA-256 of what was read so far."""
        return self._hash.hexdigest()


def members(path: Path) -> Iterator[tuple[str, Content]]:
    """Names and contents one after the other; raises :class:`BackupError` for what is no backup.

    A content must be read before the next one is asked for.
    """
    with _told(path), tarfile.open(path, mode="r|") as archive:
        for info in archive:
            content = archive.extractfile(info) if info.isreg() else None
            if content is None or not _NAME.fullmatch(info.name):
                raise BackupError(f"{path}: is no backup of Streetwarden: it holds {info.name!r}")
            yield info.name, Content(path, content)


class Content(io.RawIOBase):
    """A member's content, whose errors name the archive."""

    def __init__(self, path: Path, source: IO[bytes]) -> None:
        self._path = path
        self._source = source

    def read(self, size: int = -1) -> bytes:
        """The next bytes; raises :class:`BackupError`."""
        with _told(self._path):
            return self._source.read(size)

    def copy_to(self, out: BinaryIO) -> None:
        """Write the rest of it into a file."""
        while piece := self.read(CHUNK_BYTES):
            out.write(piece)


def verify(path: Path) -> Manifest:
    """Check every byte against the hashes; raises :class:`BackupError` naming what is wrong."""
    found: dict[str, str] = {}
    kept: dict[str, bytes] = {}
    for name, content in members(path):
        if name in found:
            raise BackupError(f"{path}: is damaged: {name} is in it twice")
        digest = hashlib.sha256()
        whole = bytearray()
        while piece := content.read(CHUNK_BYTES):
            digest.update(piece)
            if name in (MANIFEST, SUMS):
                whole += piece
        found[name] = digest.hexdigest()
        if name in (MANIFEST, SUMS):
            kept[name] = bytes(whole)
    if SUMS not in kept:
        raise BackupError(f"{path}: is incomplete: its end is missing")
    del found[SUMS]
    _compare(path, found, _sums(path, kept[SUMS]))
    manifest = _manifest(path, kept.get(MANIFEST, b""))
    lost = manifest.members - set(found)
    evidence = sum(name.startswith(EVIDENCE) for name in found)
    if lost or evidence != manifest.files:
        raise BackupError(
            f"{path}: is incomplete: {', '.join(sorted(lost)) or 'evidence is missing'}"
        )
    return manifest


def _compare(path: Path, found: Mapping[str, str], listed: Mapping[str, str]) -> None:
    for name in sorted(found.keys() | listed.keys()):
        if name not in found:
            raise BackupError(f"{path}: is incomplete: {name} is missing")
        if listed.get(name) != found[name]:
            raise BackupError(f"{path}: is damaged: {name} is not as it was written")


def _sums(path: Path, content: bytes) -> dict[str, str]:
    sums = {}
    for line in content.decode("ascii", "replace").splitlines():
        match = _SUM.fullmatch(line)
        if match is None:
            raise BackupError(f"{path}: is damaged: {SUMS} cannot be read")
        sums[match[2]] = match[1]
    return sums


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        told = json.loads(content)
        if told["format"] != FORMAT:
            raise BackupError(
                f"{path}: has form {told['format']}, this program knows {FORMAT}:"
                " update Streetwarden"
            )
        told["made_at"] = datetime.fromisoformat(told["made_at"]).astimezone(UTC)
        told["missing"] = tuple(told["missing"])
        manifest = Manifest(**told)
    except (ValueError, TypeError, KeyError) as error:
        raise BackupError(f"{path}: is damaged: {MANIFEST} cannot be read") from error
    if manifest.backend not in (None, *_DATABASES):
        raise BackupError(f"{path}: holds an unknown database, {manifest.backend!r}")
    return manifest


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{path}: is damaged or no backup: {error}") from error
    except OSError as error:
        raise BackupError(f"{path}: cannot be read: {error.strerror or error}") from error
