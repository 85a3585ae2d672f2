"""Copies or downloads one file, whole and verified or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.errors import WeightsError
from models.urls import redact_url

CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
CHUNK_BYTES = 1 << 20
AS_STORED = {"Accept-Encoding": "identity"}
"""The hash is of the file, not of a compressed form."""
MAX_BYTES = 4 << 30
"""No detector is larger; a server that never ends must not fill the disk."""

Progress = Callable[[int, int | None], None]
"""Told how many bytes are there, and of how many, if that is known."""


def _ignore(_there: int, _total: int | None) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchOrder:
    """What to bring, and what it must be."""

    source: str
    """URL or path."""
    target: Path
    sha256: str | None
    """``None`` only for a local file that the operator vouches for."""
    progress: Progress = _ignore


def is_url(source: str) -> bool:
    """Whether this is to be downloaded."""
    return source.lower().startswith(("http://", "https://"))


def fetch(order: FetchOrder) -> str:
    """Bring the file to its place; its sha256.

    An existing file is replaced only when the new one is there and right. Raises
    :class:`WeightsError`, and then leaves nothing behind.
    """
    chunks = _download(order.source) if is_url(order.source) else _read(Path(order.source))
    try:
        order.target.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(order.target) as path:
            found = _write(chunks, path, order.progress)
            if order.sha256 is not None and found != order.sha256:
                raise WeightsError(
                    f"{redact_url(order.source)} is not the file that is expected: its sha256 is"
                    f" {found}, not {order.sha256}. Nothing was changed; ask its publisher,"
                    " or try again if the download may have been disturbed"
                )
            path.replace(order.target)
    except OSError as error:
        raise WeightsError(f"{order.target} cannot be written: {error}") from error
    return found


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A new file beside the target, gone afterwards unless it was moved."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    path = Path(name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write(chunks: Iterator[tuple[bytes, int | None]], path: Path, progress: Progress) -> str:
    digest = hashlib.sha256()
    there = 0
    with path.open("wb") as file:
        for chunk, total in chunks:
            there += len(chunk)
            if there > MAX_BYTES:
                raise WeightsError(f"the file is larger than {MAX_BYTES} bytes: not fetched")
            file.write(chunk)
            digest.update(chunk)
            progress(there, total)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o644)
    return digest.hexdigest()


def _read(path: Path) -> Iterator[tuple[bytes, int | None]]:
    try:
        with path.open("rb") as file:
            total = path.stat().st_size
            while chunk := file.read(CHUNK_BYTES):
                yield chunk, total
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error


def _download(url: str) -> Iterator[tuple[bytes, int | None]]:
    shown = redact_url(url)
    limits = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        with httpx.stream(
            "GET", url, follow_redirects=True, timeout=limits, headers=AS_STORED
        ) as response:
            response.raise_for_status()
            total = _length(response)
            for chunk in response.iter_raw(CHUNK_BYTES):
                yield chunk, total
    except httpx.HTTPStatusError as error:
        raise WeightsError(f"{shown} answered {error.response.status_code}: not fetched") from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise WeightsError(
            f"{shown} cannot be reached ({error}). Without internet, bring the file to this machine"
            " and run `streetwarden model pull NAME --from FILE`"
        ) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise WeightsError(f"{shown} was not fetched to the end: {reason}; try again") from error


def _length(response: httpx.Response) -> int | None:
    with suppress(KeyError, ValueError):  # a server need not say
        return int(response.headers["content-length"])
    return None
