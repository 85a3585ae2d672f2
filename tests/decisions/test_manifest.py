"""A signed list in which no byte can be changed unnoticed."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import EvidenceError
from service.daemon.signing import Signer
from service.decisions.evidence_kinds import FILM, LIST, PICTURE, EvidenceKind, kind_of_name
from service.decisions.manifest import (
    check_chain,
    check_files,
    number_of,
    numbered,
    read_manifest,
)
from service.decisions.mp4 import film_size
from tests.support.films import manifest_of, small_film

SIGNER = Signer.new()
FILES = {"opened-wide": b"a picture", "clip": b"a film"}
MANIFEST = manifest_of("6f8e", FILES, SIGNER)


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = read_manifest(MANIFEST, SIGNER.public_key)
    assert (manifest.incident_id, manifest.revision) == ("6f8e", 1)
    assert [note.name for note in manifest.files] == ["opened-wide", "clip"]
    assert check_files(manifest, FILES) == []


@given(st.integers(0, len(MANIFEST) - 1), st.integers(1, 255))
@settings(max_examples=400)
def test_any_byte_of_a_manifest_that_is_changed_is_found(at: int, flip: int) -> None:
    altered = bytearray(MANIFEST)
    altered[at] ^= flip
    with pytest.raises(EvidenceError):
        read_manifest(bytes(altered), SIGNER.public_key)


def test_every_single_bit_of_a_manifest_counts_even_without_a_known_key() -> None:
    unnoticed = []
    for at in range(len(MANIFEST)):
        altered = bytearray(MANIFEST)
        altered[at] ^= 0x20  # upper and lower case of the same letter
        try:
            read_manifest(bytes(altered))
        except EvidenceError:
            continue
        unnoticed.append(at)
    assert unnoticed == []


@pytest.mark.parametrize("name", sorted(FILES))
def test_any_byte_of_a_file_that_is_changed_is_found(name: str) -> None:
    manifest = read_manifest(MANIFEST)
    for at in range(len(FILES[name])):
        altered = bytearray(FILES[name])
        altered[at] ^= 1
        assert check_files(manifest, FILES | {name: bytes(altered)}) == [f"{name}: was altered"]


def test_a_missing_file_is_found() -> None:
    assert check_files(read_manifest(MANIFEST), {"clip": b"a film"}) == ["opened-wide: is missing"]


def test_a_manifest_of_somebody_else_is_not_trusted() -> None:
    forged = manifest_of("6f8e", {"opened-wide": b"another"}, Signer.new())
    assert read_manifest(forged).files
    with pytest.raises(EvidenceError, match="another key"):
        read_manifest(forged, SIGNER.public_key)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[]",
        b'"manifest"',
        b"\xff\xfe",
        MANIFEST + b"\n",
        b" " + MANIFEST,
        json.dumps(json.loads(MANIFEST)).encode(),
        MANIFEST[: len(MANIFEST) // 2],
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_manifest_is_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(EvidenceError):
        read_manifest(content)


def chain_of(*contents: dict[str, bytes], incident_id: str = "6f8e") -> list[bytes]:
    chain: list[bytes] = []
    for number, files in enumerate(contents, start=1):
        previous = hashlib.sha256(chain[-1]).hexdigest() if chain else ""
        chain.append(
            manifest_of(incident_id, files, SIGNER, revision=number, previous_sha256=previous)
        )
    return chain


def test_the_last_of_a_chain_counts() -> None:
    chain = chain_of({}, FILES)
    assert check_chain(chain, SIGNER.public_key).revision == 2


@pytest.mark.parametrize(
    "chain",
    [
        [],
        chain_of({}, FILES)[1:],
        chain_of({}, FILES, FILES)[::2],
        [chain_of({})[0], chain_of(FILES, FILES)[1]],
        [chain_of({})[0], chain_of({}, FILES, incident_id="other")[1]],
    ],
    ids=["none", "first missing", "one missing", "another first", "another incident"],
)
def test_a_broken_chain_is_found(chain: list[bytes]) -> None:
    with pytest.raises(EvidenceError):
        check_chain(chain)


@pytest.mark.parametrize(
    ("name", "stem", "number"),
    [
        ("manifest", "manifest", 1),
        ("manifest-12", "manifest", 12),
        ("manifest-x", "manifest", None),
        ("manifest-", "manifest", None),
        ("manifest-²", "manifest", None),
        ("latest-wide-3", "latest-wide", 3),
        ("latest-close", "latest-wide", None),
    ],
)
def test_names_are_numbered(name: str, stem: str, number: int | None) -> None:
    assert number_of(name, stem) == number
    if number is not None:
        assert numbered(stem, number) == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("opened-wide", PICTURE),
        ("latest-close-4", PICTURE),
        ("manifesto", PICTURE),
        ("clip", FILM),
        ("clip-2", FILM),
        ("manifest-2", LIST),
    ],
)
def test_a_name_says_what_kind_of_file_it_is(name: str, kind: EvidenceKind) -> None:
    assert kind_of_name(name) is kind


def test_the_size_of_a_film_is_read_from_its_header() -> None:
    size = film_size(small_film())
    assert size is not None
    assert (size.width_px, size.height_px) == (128, 96)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\0\0ftyp",
        b"\0\0\0\x08ftyp",
        b"\0\0\0\x08moov\0\0\0\x08mdat",
        b"\0\0\0\x08ftyp\0\0\0\x08mdat\0\0\0\x08moov",
        b"\0\0\0\x08ftyp\0\0\0\x08moov\0\0\0\x08mdat",
        b"\0\0\0\x01ftyp\0\0\0\0\0\0\0\x01",
        small_film()[:-1],
        small_film() + b"\0",
    ],
    ids=lambda content: repr(content[:24])[-30:],
)
def test_what_is_no_whole_film_has_no_size(content: bytes) -> None:
    assert film_size(content) is None


@given(st.binary(max_size=200))
def test_any_bytes_can_be_looked_at(content: bytes) -> None:
    size = film_size(b"\0\0\0\x08ftyp" + content)
    assert size is None or (size.width_px > 0 and size.height_px > 0)
