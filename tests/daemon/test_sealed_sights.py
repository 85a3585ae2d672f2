"""The original of a first sight: sealed at once, forgotten when nothing comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from models.evidence import Privacy
from models.geometry import Box
from models.seeing import Frame, Look, Track
from service.daemon import sights
from service.daemon.pictures import Studio
from service.daemon.sights import SightMemory
from service.decisions.envelope import decrypt, recipient_text
from service.pipeline import Processed
from tests.daemon.played import CAR, SIZE_PX, START, camera, street


def memory(privacy: Privacy) -> SightMemory:
    return SightMemory(Studio(camera=replace(camera(), privacy=privacy)))


def looked(second: int, *boxes: Box) -> Processed:
    """Cars that stand since the beginning."""
    at = START + timedelta(seconds=second)
    tracks = tuple(
        Track(
            track_id=number, label="car", confidence=0.9, box=box, first_seen=START,
            last_seen=at, stationary_since=START,
        )
        for number, box in enumerate(boxes, 1)
    )  # fmt: skip
    frame = Frame(
        camera_id="gate", sequence=second, image=street(), captured_at=at, stream_s=float(second)
    )
    look = Look(camera_id="gate", at=at, width_px=SIZE_PX[0], height_px=SIZE_PX[1], tracks=tracks)
    return Processed(frame=frame, detections=(), look=look, changes=())


def test_it_is_sealed_and_gone_when_the_thing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = X25519PrivateKey.generate()
    kept = memory(Privacy(original_recipient=recipient_text(holder.public_key())))
    kept.note(looked(0, CAR, CAR), ())
    (sealed,) = {each.sealed for each in kept._sights()}
    assert sealed is not None
    assert decrypt(sealed, holder).startswith(b"\xff\xd8")
    assert b"\xff\xd8" not in sealed[:64]
    assert kept.sealed_bytes == len(sealed)  # one picture, however many things it shows
    kept.note(looked(1), ())
    assert kept.sealed_bytes == 0

    monkeypatch.setattr(sights, "MAX_SEALED_BYTES", 0)
    kept.note(looked(2, CAR), ())
    assert kept.sealed_bytes == 0
    assert kept.size_bytes > 0


def test_where_no_original_is_allowed_none_is_kept() -> None:
    kept = memory(Privacy())
    kept.note(looked(0, CAR), ())
    assert kept.sealed_bytes == 0
    assert kept.size_bytes > 0
