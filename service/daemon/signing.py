"""The daemon's own key, with which it signs what it saw."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from models.errors import SetupError

KEY_FILE = "evidence-key.pem"
OWNER_ONLY = 0o600


class Signer:
    """Signs with an Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw().hex()
        """64 hexadecimal digits; whoever verifies must have got it on another way."""

    @classmethod
    def new(cls) -> Signer:
        """With a key that is kept nowhere."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of_folder(cls, folder: Path) -> Signer:
        """With the key in a daemon's folder, made at the first start, readable by its owner only.

        Raises :class:`SetupError` for a file that is no such key, or that others can read.
        """
        path = folder / KEY_FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _make_key(path)
            if path.stat().st_mode & 0o077:
                raise SetupError(f"{path}: others can read it: chmod 600, or make a new key")
            key = load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise SetupError(f"{path}: cannot be used as the key for evidence: {error}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise SetupError(f"{path}: is no Ed25519 key")
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        """Signature over the data, 64 bytes."""
        return self._key.sign(data)


def _make_key(path: Path) -> None:
    """Write a new key unless there is one: whole or not at all, and never over another one."""
    if path.exists():
        return
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    part = path.with_suffix(f".{os.getpid()}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError:
        return  # another process was faster: its key counts
    finally:
        part.unlink(missing_ok=True)
