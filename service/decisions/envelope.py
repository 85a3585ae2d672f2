"""Encrypts for a holder elsewhere: whoever encrypts cannot read it again.

An envelope is ``MAGIC``, the recipient's public key (32 bytes), a public key made for this envelope
alone (32), a nonce (12), then AES-256-GCM of the content with all of that authenticated. The key is
HKDF-SHA256 of the X25519 exchange of the two. X25519 private keys stay on the holder's machine.
"""

from __future__ import annotations

import os
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.errors import EvidenceError

MAGIC = b"SWORIG1\n"
KEY_PREFIX = "x25519:"
"""Tells a recipient's key from the key that signs manifests, which looks alike."""
_KEY_BYTES, _NONCE_BYTES, _TAG_BYTES = 32, 12, 16
_HEADER_BYTES = len(MAGIC) + 2 * _KEY_BYTES
_INFO = b"streetwarden original 1"
_RECIPIENT = re.compile(KEY_PREFIX + r"([0-9a-f]{64})")


def recipient_text(key: X25519PublicKey) -> str:
    """A public key as the YAML has it, ``x25519:`` and 64 hexadecimal digits."""
    return KEY_PREFIX + key.public_bytes_raw().hex()


def encrypt(content: bytes, recipient: str) -> bytes:
    """An envelope that only the recipient's private key opens; raises :class:`EvidenceError`."""
    found = _RECIPIENT.fullmatch(recipient)
    if found is None:
        raise EvidenceError(f"no public key of a holder: {recipient!r}")
    theirs = bytes.fromhex(found[1])
    own = X25519PrivateKey.generate()
    header = MAGIC + theirs + own.public_key().public_bytes_raw()
    nonce = os.urandom(_NONCE_BYTES)
    key = _key(own, theirs, header)
    return header + nonce + AESGCM(key).encrypt(nonce, content, header)


def decrypt(envelope: bytes, holder: X25519PrivateKey) -> bytes:
    """The content; raises :class:`EvidenceError` if altered, or made for somebody else."""
    if not is_envelope(envelope):
        raise EvidenceError("not an encrypted original")
    header, rest = envelope[:_HEADER_BYTES], envelope[_HEADER_BYTES:]
    recipient, theirs = header[-2 * _KEY_BYTES : -_KEY_BYTES], header[-_KEY_BYTES:]
    if recipient != holder.public_key().public_bytes_raw():
        raise EvidenceError(f"encrypted for another key, {KEY_PREFIX}{recipient.hex()}")
    key = _key(holder, theirs, header)
    try:
        return AESGCM(key).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], header)
    except InvalidTag as error:
        raise EvidenceError("the encrypted original was altered") from error


def is_envelope(content: bytes) -> bool:
    """Whether it has the form of an envelope; what is in it, only the holder can tell."""
    shortest = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES
    return content.startswith(MAGIC) and len(content) > shortest


def _key(own: X25519PrivateKey, theirs: bytes, header: bytes) -> bytes:
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:  # a point of low order: everybody could compute the key
        raise EvidenceError("not a usable public key") from error
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=header, info=_INFO).derive(shared)
