"""A reopened order gets a picture at the next sight of its thing."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from models.evidence import EvidencePolicy
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.client import DispatchClient
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.filing import Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.sender import OutboxSender
from service.daemon.signing import Signer
from service.daemon.wishes import MOST, PictureWishes
from tests.daemon.played import camera, car, plays, sees
from tests.support.dispatch import wait_for

SEEN_S = 60


def observation(incident_id: str) -> OutboxRequest:
    return OutboxRequest(
        incident_id=incident_id,
        method="PUT",
        path=f"/api/v1/incidents/{incident_id}/observation",
        content_type="application/json",
        body=b"{}",
    )


@pytest.mark.parametrize(
    ("answer", "is_wanted"),
    [
        (b'{"status": "reopened", "wants_picture": true}', True),
        (b'{"status": "reopened", "wants_picture": false}', False),
        (b'{"status": "reopened"}', False),
        (b"", False),
        (b"[true]", False),
        (b"\xff", False),
    ],
    ids=["wanted", "not wanted", "an older service", "empty", "a list", "no text"],
)
def test_only_an_answer_that_says_so_is_a_wish(answer: bytes, is_wanted: bool) -> None:
    wishes = PictureWishes()
    wishes.heard(observation("one"), answer)
    assert wishes.take("one") is is_wanted
    assert wishes.take("one") is False


def test_wishes_that_nobody_fulfils_are_forgotten_oldest_first() -> None:
    wishes = PictureWishes()
    for number in range(MOST + 1):
        wishes.heard(observation(str(number)), b'{"wants_picture": true}')
    assert not wishes.take("0")
    assert wishes.take("1")


def test_the_sender_passes_on_what_the_service_answers(tmp_path: Path) -> None:
    wishes = PictureWishes()
    answers = httpx.MockTransport(lambda _: httpx.Response(200, json={"wants_picture": True}))
    with (
        EdgeStore(tmp_path / "edge.sqlite3") as store,
        DispatchClient("http://dispatch", "key", answers) as client,
    ):
        store.commit("gate", "{}", [observation("one")])
        sender = OutboxSender(store, client, wishes.heard)
        sender.start()
        try:
            wait_for(lambda: wishes.take("one"))
        finally:
            sender.stop(10.0)
        assert store.counts().waiting == 0


@pytest.mark.parametrize("is_wanted", [False, True], ids=["without a wish", "with a wish"])
def test_the_next_sight_is_sent_though_none_was_due(tmp_path: Path, is_wanted: bool) -> None:
    wishes, metrics = PictureWishes(), DaemonMetrics()
    watched = camera(dwell_s=5.0, evidence=EvidencePolicy(clip=False, latest_every_s=3600.0))
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        desk = DeskDeps(store=store, metrics=metrics, seal=Seal(signer=Signer.new()), wishes=wishes)
        deps = CameraDeps(
            detector=sees(car()),
            store=store,
            metrics=metrics,
            wake_sender=lambda: None,
            make_stream=plays(range(SEEN_S)),
            desk=desk,
        )
        runtime = CameraRuntime(watched, deps)
        names: list[str] = []
        deadline = time.monotonic() + 60
        while not runtime.is_done:
            assert time.monotonic() < deadline
            runtime.step()
            while (entry := store.next_due(time.time())) is not None:
                names.append(entry.request.path.rpartition("/")[2])
                store.sent(entry.seq)
                if is_wanted and entry.request.method == "POST":
                    wishes.heard(observation(entry.request.incident_id), b'{"wants_picture": true}')
        runtime.close(1.0)

    assert names.count("latest-wide") == int(is_wanted)
    assert names.count("latest-close") == int(is_wanted)
    assert "latest-wide-2" not in names
