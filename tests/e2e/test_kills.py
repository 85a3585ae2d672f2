"""Every part of the town is killed while a car is parked: one order, none lost, none twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.town import Town, kill, town_of, wait_for

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
CLIP = "parking_double_yellow"


def configuration() -> dict[str, Any]:
    """The sample's camera, reading from the town's own server."""
    document: dict[str, Any] = yaml.safe_load((SAMPLES / "city.yaml").read_text(encoding="utf-8"))
    (camera,) = (c for c in document["cameras"] if c["source"].endswith(f"/{CLIP}"))
    camera["source"] = f"rtsp://127.0.0.1:${{RTSP_PORT}}/{CLIP}"
    return {**document, "cameras": [camera]}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_of(tmp_path, [SAMPLES / f"{CLIP}.mp4"], configuration()) as made:
        yield made


def camera_id(town: Town) -> str:
    document = yaml.safe_load(town.config.read_text(encoding="utf-8"))
    return str(document["cameras"][0]["id"])


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_killing_every_part_in_turn_loses_nothing_and_repeats_nothing(town: Town) -> None:
    rtsp, dispatch = town.start_rtsp(), town.start_dispatch()
    with ExitStack() as stack:
        stack.enter_context(town.receiver())
        daemon = town.start_daemon()
        wait_for(lambda: town.looks(camera_id(town)) >= 3, 60, town)
        kill(daemon)  # with dwell under way
        daemon = town.start_daemon()
        wait_for(lambda: town.looks(camera_id(town)) >= 3, 60, town)
        kill(rtsp)  # the camera is gone for a while
        time.sleep(2)
        rtsp = town.start_rtsp()
        kill(dispatch)  # nobody takes the order when it is confirmed
        time.sleep(20)
        kill(daemon)  # with the order in its outbox
        daemon = town.start_daemon()
        stack.pop_all().close()  # and nobody takes the webhook
        dispatch = town.start_dispatch()
        wait_for(town.orders, 90, town)
        kill(dispatch)  # with the delivery still to be made
        stack.enter_context(town.receiver())
        town.start_dispatch()
        wait_for(town.created, 100, town)
    orders, created = town.orders(), town.created()
    incidents = [order["incident_id"] for order in orders]
    assert len(incidents) == len(set(incidents))
    assert set(created) <= {order["order_id"] for order in orders}
    assert all(len(event_ids) == 1 for event_ids in created.values())
