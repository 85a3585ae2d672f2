"""The signed list of an incident's evidence: how it is written, signed and checked.

A manifest file is compact JSON with sorted keys, ``{"manifest": …, "signature": …}``, and nothing
else is one: what is read is written again and must give the same bytes. So there is no byte in it
that could be changed unnoticed. The signature is Ed25519 over the compact JSON of ``manifest``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from models.errors import EvidenceError

FORMAT = "streetwarden-evidence/1"
ALGORITHM = "Ed25519"
MANIFEST = "manifest"
"""Name of the first manifest of an incident; later ones are ``manifest-2`` and so on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileNote:
    """What a manifest says of one file."""

    name: str
    content_type: str
    sha256: str
    size_bytes: int
    taken_at: str
    """ISO 8601, by the clock of the capture; of a film the first picture's."""
    until: str = ""
    """Of a film, when its last picture was taken."""

    @classmethod
    def of(
        cls, name: str, content_type: str, content: bytes, taken_at: str, until: str
    ) -> FileNote:
        """A note of these bytes."""
        return cls(
            name=name,
            content_type=content_type,
            sha256=hashlib.sha256(content).hexdigest(),
            size_bytes=len(content),
            taken_at=taken_at,
            until=until,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A manifest whose signature holds."""

    incident_id: str
    revision: int
    """1 for the first; each one lists all files so far."""
    previous_sha256: str
    """Hash of the manifest file before it; empty for the first."""
    files: tuple[FileNote, ...]
    public_key: str
    """Who signed it, 64 hexadecimal digits."""
    values: Mapping[str, Any]
    """All that it says."""


def numbered(name: str, number: int) -> str:
    """``name`` for the first, then ``name-2`` and so on: evidence is added, never replaced."""
    return name if number == 1 else f"{name}-{number}"


def number_of(name: str, stem: str) -> int | None:
    """Which one of its kind a name is; ``None`` if of another kind."""
    if name == stem:
        return 1
    number = name.removeprefix(f"{stem}-")
    return int(number) if name != number and number.isascii() and number.isdigit() else None


def sealed(values: Mapping[str, Any], sign: Callable[[bytes], bytes], public_key: str) -> bytes:
    """A manifest file."""
    signature = {
        "algorithm": ALGORITHM,
        "public_key": public_key,
        "value": sign(_compact(values)).hex(),
    }
    return _compact({"manifest": values, "signature": signature})


def read_manifest(content: bytes, trusted_key: str | None = None) -> Manifest:
    """A manifest that nobody has altered; raises :class:`EvidenceError` with the reason otherwise.

    ``trusted_key``: the public key it must be signed with; without one it only holds together.
    """
    try:
        values, signature = _parts(content)
        key = str(signature["public_key"])
        if signature["algorithm"] != ALGORITHM:
            raise EvidenceError("manifest: signed by another algorithm")
        _check_signature(_bytes(key), _bytes(signature["value"]), _compact(values))
        manifest = _manifest(values, key)
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"manifest: not one of ours, or altered ({error})") from error
    if trusted_key is not None and trusted_key.strip().lower() != key:
        raise EvidenceError(f"manifest: signed with another key, {key}")
    return manifest


def check_files(manifest: Manifest, contents: Mapping[str, bytes]) -> list[str]:
    """What is wrong with files (by name) of which a manifest tells; nothing if they hold."""
    wrong = []
    for note in manifest.files:
        content = contents.get(note.name)
        if content is None:
            wrong.append(f"{note.name}: is missing")
        elif hashlib.sha256(content).hexdigest() != note.sha256:
            wrong.append(f"{note.name}: was altered")
    return wrong


def check_chain(manifests: Sequence[bytes], trusted_key: str | None = None) -> Manifest:
    """The last of an incident's manifests, given all in order; each must continue the other.

    Raises :class:`EvidenceError` if one is altered, missing or of another incident.
    """
    if not manifests:
        raise EvidenceError("there is no manifest")
    read = [read_manifest(content, trusted_key) for content in manifests]
    for number, manifest in enumerate(read, start=1):
        before = manifests[number - 2] if number > 1 else b""
        expected = hashlib.sha256(before).hexdigest() if before else ""
        if manifest.revision != number or manifest.previous_sha256 != expected:
            raise EvidenceError(f"manifest {number}: does not continue the one before it")
        if manifest.incident_id != read[0].incident_id:
            raise EvidenceError(f"manifest {number}: belongs to another incident")
    return read[-1]


def _parts(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    document = json.loads(content)
    if set(document) != {"manifest", "signature"} or _compact(document) != content:
        raise ValueError("its form differs")
    return document["manifest"], document["signature"]


def _bytes(text: str) -> bytes:
    """Bytes of lower-case hexadecimal digits, which can be written in one way only."""
    found = bytes.fromhex(text)
    if found.hex() != text:
        raise ValueError("its digits are written in another way")
    return found


def _check_signature(public_key: bytes, signature: bytes, signed: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, signed)
    except InvalidSignature as error:
        raise EvidenceError("manifest: was altered, its signature does not hold") from error


def _manifest(values: dict[str, Any], public_key: str) -> Manifest:
    if values["format"] != FORMAT:
        raise ValueError(f"format {values['format']!r}")
    return Manifest(
        incident_id=values["incident"]["incident_id"],
        revision=int(values["revision"]),
        previous_sha256=values["previous_sha256"],
        files=tuple(FileNote(**note) for note in values["files"]),
        public_key=public_key,
        values=values,
    )


def _compact(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
