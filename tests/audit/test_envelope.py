from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from models.errors import EvidenceError, SetupError
from service.cli.app import app
from service.cli.originals import PASSPHRASE_ENV
from service.decisions.envelope import decrypt, encrypt, is_envelope, recipient_text

HOLDER = X25519PrivateKey.generate()
RECIPIENT = recipient_text(HOLDER.public_key())
PICTURE = b"\xff\xd8 a face \xff\xd9" * 20


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["evidence", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output.strip()


def test_only_the_holder_reads_an_original() -> None:
    envelope = encrypt(PICTURE, RECIPIENT)

    assert decrypt(envelope, HOLDER) == PICTURE
    assert b"a face" not in envelope
    with pytest.raises(EvidenceError, match="another key"):
        decrypt(envelope, X25519PrivateKey.generate())


def test_the_same_picture_is_never_encrypted_alike() -> None:
    one, other = encrypt(PICTURE, RECIPIENT), encrypt(PICTURE, RECIPIENT)

    assert one[40:] != other[40:]


@pytest.mark.parametrize("place", [0, 8, 40, 72, 84, -1], ids=str)
def test_one_changed_byte_is_found_wherever_it_is(place: int) -> None:
    envelope = bytearray(encrypt(PICTURE, RECIPIENT))
    envelope[place] ^= 1

    with pytest.raises(EvidenceError):
        decrypt(bytes(envelope), HOLDER)


@pytest.mark.parametrize("length", [0, 7, 40, 99])
def test_a_part_is_no_envelope(length: int) -> None:
    part = encrypt(PICTURE, RECIPIENT)[:length]

    assert not is_envelope(part)
    with pytest.raises(EvidenceError, match="not an encrypted original"):
        decrypt(part, HOLDER)


@pytest.mark.parametrize(
    "recipient",
    ["", "x25519:", "ab" * 32, f"x25519:{'AB' * 32}", f"x25519:{'00' * 32}"],
    ids=["none", "empty", "a signing key", "capitals", "low order"],
)
def test_what_is_no_key_of_a_holder_encrypts_nothing(recipient: str) -> None:
    with pytest.raises(EvidenceError):
        encrypt(PICTURE, recipient)


@pytest.mark.parametrize("phrase", ["", "correct horse"], ids=["open", "passphrase"])
def test_a_holder_makes_a_key_and_reads_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phrase: str
) -> None:
    monkeypatch.setenv(PASSPHRASE_ENV, phrase)
    key, sealed, picture = (tmp_path / name for name in ("key.pem", "a.bin", "a.jpg"))
    sealed.write_bytes(encrypt(PICTURE, run("keygen", str(key))))
    run("decrypt", "--key", str(key), str(sealed), str(picture))

    assert picture.read_bytes() == PICTURE
    assert {stat.S_IMODE(path.stat().st_mode) for path in (key, picture)} == {0o600}
    assert (b"ENCRYPTED" in key.read_bytes()) is bool(phrase)
    with pytest.raises(SetupError, match="File exists"):
        run("keygen", str(key))


def test_a_wrong_passphrase_or_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSPHRASE_ENV, "right")
    key, sealed = tmp_path / "key.pem", tmp_path / "a.bin"
    run("keygen", str(key))
    sealed.write_bytes(b"no envelope")
    arguments = ("decrypt", "--key", str(key), str(sealed), str(tmp_path / "a.jpg"))

    with pytest.raises(EvidenceError, match="not an encrypted original"):
        run(*arguments)
    monkeypatch.setenv(PASSPHRASE_ENV, "wrong")
    with pytest.raises(SetupError, match=PASSPHRASE_ENV):
        run(*arguments)
