"""Unblurred originals, from the camera that may keep them to their holder, and to their end."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typer.testing import CliRunner

from detector.backends import ScriptedDetector
from models.errors import ConfigError
from models.evidence import EvidencePolicy, Privacy, Retention
from models.zone import Camera
from service.api.retention import delete_originals
from service.cli.evidence import Gathered, checked, evidence
from service.config import load_city
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore
from service.daemon.filing import Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.signing import Signer
from service.decisions.envelope import decrypt, encrypt, recipient_text
from service.store import audit
from tests.config.builders import changed, write
from tests.daemon.played import camera, car, plays, street
from tests.support.dispatch import CITY, Service, jpeg_picture
from tests.support.films import manifest_of

HOLDER = X25519PrivateKey.generate()
RECIPIENT = recipient_text(HOLDER.public_key())
DAY_S = 86_400
STREET = (
    street().reshape(15, 8, 20, 8, 3)[:, :1, :, :1].repeat(8, 1).repeat(8, 3).reshape(120, 160, 3)
)
"""Of squares: compression leaves them, blurring does not."""
SEALED = {"Content-Type": "application/octet-stream"}


def watched(privacy: Privacy, folder: Path) -> tuple[dict[str, bytes], DaemonMetrics]:
    """What a camera posts of a parked car, and what it counted."""
    gate: Camera = camera(privacy=privacy, evidence=EvidencePolicy(clip=False))
    metrics, files = DaemonMetrics(), {}
    with EdgeStore(folder / "edge.sqlite3") as store:
        seal = Seal(signer=Signer.new())
        deps = CameraDeps(
            detector=ScriptedDetector([[car()]] * 10, labels=("car", "person")),
            store=store,
            metrics=metrics,
            wake_sender=lambda: None,
            make_stream=plays(range(10), STREET),
            desk=DeskDeps(store=store, metrics=metrics, seal=seal),
        )
        runtime = CameraRuntime(gate, deps)
        while not runtime.is_done:
            runtime.step()
        runtime.close(1.0)
        while (entry := store.next_due(time.time())) is not None:
            files[entry.request.path.rpartition("/")[2]] = entry.request.body
            store.sent(entry.seq)
    return files, metrics


def failures(metrics: DaemonMetrics) -> float | None:
    name = "streetwarden_evidence_failures_total"
    return metrics.registry.get_sample_value(name, {"camera": "gate"})


def decoded(jpeg: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.float64)


def test_a_camera_keeps_no_original_unless_its_file_says_so(tmp_path: Path) -> None:
    files, _ = watched(Privacy(), tmp_path)

    assert "opened-wide" in files
    assert not any(name.endswith("-original") for name in files)


def test_the_first_sight_has_its_original_too(tmp_path: Path) -> None:
    files, _ = watched(Privacy(original_recipient=RECIPIENT), tmp_path)
    picture = decoded(decrypt(files["first-original"], HOLDER))
    plate_rows = np.s_[80:100, 45:95]
    assert "first-wide" in files
    assert np.abs(picture - STREET)[plate_rows].mean() < 25
    assert decoded(files["first-wide"])[plate_rows].std() < picture[plate_rows].std()


def test_the_original_is_unblurred_but_for_masks_and_only_for_its_holder(tmp_path: Path) -> None:
    corner = ((0.0, 0.0), (0.2, 0.0), (0.2, 0.2), (0.0, 0.2))
    files, metrics = watched(Privacy(original_recipient=RECIPIENT, masks=(corner,)), tmp_path)
    picture = decoded(decrypt(files["opened-original"], HOLDER))

    plate_rows = np.s_[80:100, 45:95]
    seen = np.abs(picture - STREET)
    blurred = np.abs(decoded(files["opened-wide"])[plate_rows] - STREET[plate_rows])
    assert seen[plate_rows].mean() < 25 < blurred.mean()
    assert picture[2:20, 2:28].std() < 10, "what is masked is masked in the original too"
    assert not failures(metrics)


def test_the_manifest_lists_the_original_by_the_hash_of_what_is_encrypted(tmp_path: Path) -> None:
    files, _ = watched(Privacy(original_recipient=RECIPIENT), tmp_path)
    manifests = {1: files["manifest"]}
    held = {name: body for name, body in files.items() if "-" in name and name != "work-orders"}
    (note,) = [
        each
        for each in checked(Gathered(files=held, manifests=manifests), None, whole=True).files
        if each.name == "opened-original"
    ]
    assert note.content_type == "application/octet-stream"

    altered = {**held, "opened-original": held["opened-original"] + b"x"}
    with pytest.raises(Exception, match="opened-original: was altered"):
        checked(Gathered(files=altered, manifests=manifests), None, whole=True)
    del held["opened-original"]
    checked(Gathered(files=held, manifests=manifests), None, whole=True)


def test_an_original_that_cannot_be_encrypted_is_not_kept_and_the_order_goes_out(
    tmp_path: Path,
) -> None:
    useless = f"x25519:{'00' * 32}"
    files, metrics = watched(Privacy(original_recipient=useless), tmp_path)

    assert "opened-original" not in files
    assert {"work-orders", "opened-wide", "manifest"} <= set(files)
    assert failures(metrics) == 1.0


def posted(service: Service) -> tuple[dict[str, str], str, bytes]:
    """An order with an original: the order, where the original is, and its bytes."""
    order = service.post_order()
    path = f"/api/v1/incidents/{order['incident_id']}/evidence/opened-original"
    content = encrypt(jpeg_picture(), RECIPIENT)
    answer = service.detector.put(path, content=content, headers=SEALED)
    assert answer.status_code == 201, answer.text
    return order, path, content


def reads(service: Service) -> list[audit.AuditEntry]:
    with service.deps.database.read() as connection:
        return list(audit.entries(connection, audit.AuditFilter(action="original")))


def test_an_admin_gets_the_original_and_the_audit_log_says_so(service: Service) -> None:
    order, path, content = posted(service)
    answer = service.admin.get(path)

    assert answer.content == content
    assert answer.headers["cache-control"] == "no-store"
    (entry,) = reads(service)
    assert (entry.actor, entry.action) == ("key:test-admin", "original.read")
    assert entry.subject == f"order:{order['order_id']}"


def test_others_do_not_get_it_and_nothing_tells_them_of_it(service: Service) -> None:
    order, path, _ = posted(service)

    assert service.client.get(path).status_code == 403
    assert service.detector.get(path).status_code == 403
    assert service.anonymous.get(path).status_code == 401
    for client in (service.client, service.admin):
        shown = client.get(f"/api/v1/work-orders/{order['order_id']}")
        assert "original" not in shown.text
        assert shown.json()["version"] == order["version"]
    assert reads(service) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (jpeg_picture(shade=1), "application/octet-stream", 422),
        (jpeg_picture(shade=1), "image/jpeg", 415),
        (b"SWORIG1\n" + b"x" * 300_000, "application/octet-stream", 413),
    ],
    ids=["not encrypted", "a picture", "too large"],
)
def test_only_what_is_encrypted_is_taken_as_an_original(
    service: Service, content: bytes, kind: str, status: int
) -> None:
    path = f"/api/v1/incidents/{service.post_order()['incident_id']}/evidence/opened-original"
    answer = service.detector.put(path, content=content, headers={"Content-Type": kind})

    assert answer.status_code == status


def test_originals_have_a_shorter_time_of_their_own_even_of_open_orders(service: Service) -> None:
    order, path, _ = posted(service)
    wide = path.replace("opened-original", "opened-wide")
    kind = {"Content-Type": "image/jpeg"}
    assert service.detector.put(wide, content=jpeg_picture(), headers=kind).is_success
    city = replace(CITY, retention=Retention(originals_days=7))
    deps = replace(service.deps, city=city)
    service.clock.forward(6 * DAY_S)
    assert delete_originals(deps) == 0
    service.clock.forward(2 * DAY_S)

    assert delete_originals(deps) == 1
    assert service.admin.get(path).status_code == 404
    assert service.admin.get(wide).status_code == 200
    assert list((service.deps.files._evidence).rglob("*.bin")) == []
    assert [entry.action for entry in reads(service)] == ["original.expired"]
    assert service.order(order["order_id"])["version"] == 2, "of the picture alone"


def test_a_legal_hold_keeps_originals_and_a_service_without_a_file_deletes_them_too(
    service: Service,
) -> None:
    order, path, _ = posted(service)
    hold = f"/api/v1/work-orders/{order['order_id']}/legal-hold"
    assert service.admin.put(hold, json={"reason": "objection"}).is_success
    deps = replace(service.deps, city=None)
    service.clock.forward(31 * DAY_S)
    assert delete_originals(deps) == 0
    assert service.admin.get(path).status_code == 200

    assert service.admin.delete(hold).is_success
    assert delete_originals(deps) == 1


def test_a_file_allows_originals_with_a_key_and_a_legal_basis(tmp_path: Path) -> None:
    allowed = f"privacy: {{originals: {{recipient: '{RECIPIENT}', legal_basis: Order 7}}}}"
    text = changed("    resolution: [1920", f"    {allowed}\n    resolution: [1920")
    city = load_city(write(tmp_path, text + "evidence: {originals_days: 9}\n"))

    assert city.cameras[0].privacy.original_recipient == RECIPIENT
    assert city.retention.originals_days == 9


@pytest.mark.parametrize(
    "originals",
    [
        "true",
        f"{{recipient: '{RECIPIENT}'}}",
        f"{{recipient: '{'ab' * 32}', legal_basis: Order 7}}",
    ],
    ids=["without a key", "without a basis", "a signing key"],
)
def test_a_file_that_allows_them_by_halves_is_refused(tmp_path: Path, originals: str) -> None:
    text = changed(
        "    resolution: [1920", f"    privacy: {{originals: {originals}}}\n    resolution: [1920"
    )
    with pytest.raises(ConfigError, match="originals"):
        load_city(write(tmp_path, text))


def test_verify_says_what_it_could_not_check(tmp_path: Path) -> None:
    picture, sealed = jpeg_picture(shade=2), encrypt(b"x", RECIPIENT)
    manifest = manifest_of("i", {"opened-wide": picture, "opened-original": sealed}, Signer.new())
    (tmp_path / "opened-wide.jpg").write_bytes(picture)
    (tmp_path / "manifest.json").write_bytes(manifest)
    told = CliRunner().invoke(evidence, ["verify", str(tmp_path)], catch_exceptions=False).output
    assert "--  opened-original" in told

    (tmp_path / "opened-original.bin").write_bytes(sealed)
    told = CliRunner().invoke(evidence, ["verify", str(tmp_path)], catch_exceptions=False).output
    assert "ok  opened-original" in told
