"""``streetwarden evidence keygen`` and ``decrypt``: for the holder of unblurred originals."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from models.errors import EvidenceError, SetupError
from service.decisions import envelope

PASSPHRASE_ENV = "STREETWARDEN_ORIGINALS_PASSPHRASE"  # noqa: S105 - its name
OWNER_ONLY = 0o600


def keygen(
    key: Annotated[Path, typer.Argument(help="New file for the private key.")],
) -> None:
    """Make the key pair of a holder of unblurred originals; prints the public one, for the YAML.

    Run it on the holder's own machine: whoever has the file can read every original. With
    STREETWARDEN_ORIGINALS_PASSPHRASE the file is encrypted. There is no way to read originals
    without it: keep a copy in a safe place.
    """
    made = X25519PrivateKey.generate()
    phrase = _passphrase()
    protection: KeySerializationEncryption = NoEncryption()
    if phrase is not None:
        protection = BestAvailableEncryption(phrase)
    _write_new(key, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    typer.echo(envelope.recipient_text(made.public_key()))


def decrypt(
    source: Annotated[Path, typer.Argument(help="The original as it was fetched (.bin).")],
    target: Annotated[Path, typer.Argument(help="New file for the picture (.jpg).")],
    key: Annotated[Path, typer.Option(help="The holder's private key, made by keygen.")],
) -> None:
    """Decrypt an unblurred original on its holder's machine."""
    holder = _load(key)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise EvidenceError(f"{source}: cannot be read: {error.strerror}") from error
    try:
        picture = envelope.decrypt(content, holder)
    except EvidenceError as error:
        raise EvidenceError(f"{source}: {error}") from error
    _write_new(target, picture)


def _passphrase() -> bytes | None:
    return os.environ.get(PASSPHRASE_ENV, "").encode() or None


def _load(path: Path) -> X25519PrivateKey:
    try:
        pem = path.read_bytes()
        is_locked = b"ENCRYPTED" in pem
        loaded = load_pem_private_key(pem, _passphrase() if is_locked else None)
    except (OSError, ValueError, TypeError) as error:
        hint = f" (is {PASSPHRASE_ENV} set and right?)"
        raise SetupError(f"{path}: cannot be used as a private key{hint}: {error}") from error
    if not isinstance(loaded, X25519PrivateKey):
        raise SetupError(
            f"{path}: is no key for originals; `streetwarden evidence keygen` makes one"
        )
    return loaded


def _write_new(path: Path, content: bytes) -> None:
    """Only the owner can read it, and nothing is overwritten."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except OSError as error:
        raise SetupError(f"{path}: cannot be written: {error.strerror}") from error
