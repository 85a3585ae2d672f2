"""``streetwarden evidence``: what was altered, is missing or was added is found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.errors import EvidenceError, SetupError
from service.cli import preflight
from service.cli.evidence import KEY_ENV, evidence
from service.cli.preflight import State
from service.daemon.signing import KEY_FILE, Signer
from service.decisions.access import Role
from tests.support.dispatch import KEYS, jpeg_picture, migrated, running_service
from tests.support.films import manifest_of, small_film

INCIDENT = "0d9fd2f5-6c7f-5b0e-9a51-3a3f7f6e8f10"
SIGNER = Signer.new()
SUFFIXES = {"opened-wide": ".jpg", "clip": ".mp4", "manifest": ".json", "manifest-2": ".json"}


def run(*arguments: str) -> str:
    done = CliRunner().invoke(evidence, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def signed(incident_id: str = INCIDENT) -> dict[str, bytes]:
    """Two pictures' worth of evidence with a chain of two manifests."""
    picture, film = jpeg_picture(shade=3), small_film()
    first = manifest_of(incident_id, {"opened-wide": picture}, SIGNER)
    second = manifest_of(
        incident_id,
        {"opened-wide": picture, "clip": film},
        SIGNER,
        revision=2,
        previous_sha256=hashlib.sha256(first).hexdigest(),
    )
    return {"opened-wide": picture, "clip": film, "manifest": first, "manifest-2": second}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "order-7"
    target.mkdir()
    for name, content in signed().items():
        (target / f"{name}{SUFFIXES[name]}").write_bytes(content)
    return target


def test_a_folder_that_nobody_touched_holds(folder: Path) -> None:
    output = run("verify", str(folder), "--public-key", SIGNER.public_key)
    assert output.count("ok  ") == 2
    assert "compare this key" not in output
    assert "compare this key" in run("verify", str(folder))


def test_one_manifest_is_checked_with_the_files_beside_it(folder: Path) -> None:
    assert "ok  clip" in run("verify", str(folder / "manifest-2.json"))


def test_the_key_may_lie_in_a_file(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    path.write_text(SIGNER.public_key + "\n", encoding="ascii")
    assert "ok  clip" in run("verify", str(folder), "--public-key", str(path))


@pytest.mark.parametrize("name", sorted(SUFFIXES))
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_byte_that_is_changed_in_any_file_is_found(folder: Path, name: str, place: str) -> None:
    path = folder / f"{name}{SUFFIXES[name]}"
    content = bytearray(path.read_bytes())
    at = {"first": 0, "middle": len(content) // 2, "last": len(content) - 1}[place]
    content[at] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(EvidenceError):
        run("verify", str(folder), "--public-key", SIGNER.public_key)


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (remove("clip.mp4"), "clip: is missing"),
        (remove("manifest.json"), "does not continue"),
        (lambda folder: (folder / "extra.jpg").write_bytes(b"x"), "extra: is in no manifest"),
        (
            lambda folder: [path.unlink() for path in folder.glob("manifest*")],
            "there is no manifest",
        ),
    ],
    ids=["a file", "a manifest", "one too many", "unsigned"],
)
def test_what_is_missing_or_was_added_is_found(
    folder: Path, harm: Callable[[Path], object], words: str
) -> None:
    harm(folder)
    with pytest.raises(EvidenceError, match=words):
        run("verify", str(folder))


def test_evidence_of_another_daemon_is_not_taken_for_ours(folder: Path) -> None:
    with pytest.raises(EvidenceError, match="another key"):
        run("verify", str(folder), "--public-key", Signer.new().public_key)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="cannot be read"):
        run("verify", str(tmp_path / "nowhere"))


def test_an_order_is_verified_at_the_service_and_its_files_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_ENV, KEYS[Role.CLIENT])
    types = {".jpg": "image/jpeg", ".mp4": "video/mp4", ".json": "application/json"}
    with migrated("sqlite", tmp_path) as database, running_service(database, tmp_path) as service:
        order = service.post_order()
        for name, content in signed(order["incident_id"]).items():
            path = f"/api/v1/incidents/{order['incident_id']}/evidence/{name}"
            headers = {"Content-Type": types[SUFFIXES[name]]}
            assert service.detector.put(path, content=content, headers=headers).is_success
        url = f"{service.url}/api/v1/work-orders/{order['order_id']}"
        kept = tmp_path / "kept"
        output = run("verify", url, "--public-key", SIGNER.public_key, "--save", str(kept))
        assert output.count("ok  ") == 2
        next((tmp_path / "pictures" / "evidence").rglob("*.mp4")).write_bytes(b"altered")
        with pytest.raises(EvidenceError):
            run("verify", url)
        monkeypatch.setenv(KEY_ENV, "wrong")
        with pytest.raises(EvidenceError, match="401"):
            run("verify", url)
    assert run("verify", str(kept), "--public-key", SIGNER.public_key).count("ok  ") == 2


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first = Signer.of_folder(tmp_path)
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert Signer.of_folder(tmp_path).public_key == first.public_key
    assert list(tmp_path.iterdir()) == [tmp_path / KEY_FILE]
    assert run("public-key", "--state-dir", str(tmp_path)).strip() == first.public_key


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    Signer.of_folder(tmp_path)
    path = tmp_path / KEY_FILE
    path.chmod(0o644)
    with pytest.raises(SetupError, match="others can read it"):
        Signer.of_folder(tmp_path)
    path.write_text("no key", encoding="ascii")
    path.chmod(0o600)
    with pytest.raises(SetupError):
        Signer.of_folder(tmp_path)


def test_there_is_no_key_before_the_daemon_has_started(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no daemon"):
        run("public-key", "--state-dir", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_whether_films_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    assert preflight._check_films().state is State.OK
    monkeypatch.setattr("detector.clip.ENCODERS", ("no_such_encoder",))
    check = preflight._check_films()
    assert (check.state, "without films" in check.detail) == (State.WARN, True)
