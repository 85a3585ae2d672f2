"""Real footage over RTSP from a real server becomes the work orders that its ground truth names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.footage import as_camera_sends
from tests.e2e.town import town_of, wait_for
from tests.support.gst_rtsp import gst_rtsp

DWELL_S = {
    "street_queue_at_junction.mp4": 10,
    "pets_vtest_people_parked_van.mp4": 10,
    "day_street_parked_motorcycle.mp4": 3,
    "highway_baseline_moving.avi": 5,
    "motorway_cyclist_shoulder.avi": 5,
    "intel_car_detection_overhead.mp4": 5,
}
"""Clip → dwell. The clips loop, and what leaves and comes again is another incident: the town must
be done before the queue (38 s long) has formed again and reached its dwell."""
LOOKS_AFTER = 8
"""Long enough for a wrong order to come too."""

Place = tuple[str, str]


def truth_of(clip: Path) -> Mapping[str, Any]:
    truth: Mapping[str, Any] = yaml.safe_load(clip.with_suffix(".yaml").read_text(encoding="utf-8"))
    return truth


def camera_of(name: str, url: str, truth: Mapping[str, Any], dwell_s: int) -> dict[str, Any]:
    rule = {"kind": "illegal_parking", "dwell": dwell_s, "department": "traffic"}
    zones = [
        {"id": zone["name"], "polygon": zone["polygon_xy"], "units": "pixels", "rules": [rule]}
        for zone in truth["zones"]
    ]
    return {
        "id": name,
        "source": url,
        "legal_basis": "test footage",
        "resolution": [truth["video"]["width"], truth["video"]["height"]],
        "zones": zones,
    }


@pytest.mark.needs_shared
@pytest.mark.needs_debian
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_six_real_cameras_yield_exactly_the_orders_that_their_truth_names(
    real_clips: Path, tmp_path: Path
) -> None:
    clips = {name.partition(".")[0]: real_clips / name for name in DWELL_S}
    sent = {name: as_camera_sends(clip, tmp_path / f"{name}.mp4") for name, clip in clips.items()}
    expected: Counter[Place] = Counter()
    with gst_rtsp(sent, tmp_path) as server:
        cameras = []
        for name, clip in clips.items():
            truth, dwell_s = truth_of(clip), DWELL_S[clip.name]
            cameras.append(camera_of(name, server.url(name), truth, dwell_s))
            for zone in truth["zones"]:
                expected[name, zone["name"]] = zone["expected_events_by_dwell_s"][dwell_s]
        document = {
            "city": {"name": "Test", "timezone": "UTC"},
            "departments": [{"id": "traffic", "name": "Traffic"}],
            "cameras": cameras,
        }
        with town_of(tmp_path, [], document) as town:
            town.start_dispatch()
            with town.receiver():
                town.start_daemon()
                wait_for(lambda: len(town.created()) >= expected.total(), 60, town)
                looks = {name: town.looks(name) + LOOKS_AFTER for name in clips}
                wait_for(lambda: all(town.looks(n) >= looks[n] for n in clips), 60, town)
                orders, created = town.orders(), town.created()
    found = Counter((order["camera_id"], order["zone_id"]) for order in orders)
    assert found == +expected
    assert set(created) == {order["order_id"] for order in orders}
    assert all(order["observed_s"] >= order["dwell_s"] for order in orders)
    for order in orders:
        names = {file["name"] for file in order["evidence"]}
        assert names >= {"opened-wide", "opened-close", "opened-clean", "manifest"}
