"""Real footage over RTSP from a real server becomes the work orders that its ground truth names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.footage import as_camera_sends
from tests.e2e.town import Town, town_of, wait_for
from tests.support.gst_rtsp import gst_rtsp

CLIP = "pets_vtest_people_parked_van"
ZONES = {
    "top_right_road": [[630, 70], [767, 55], [767, 125], [630, 125]],
    "forecourt": [
        [0, 190], [480, 190], [620, 150], [767, 330], [767, 400], [430, 350], [200, 290], [0, 250],
    ],
}  # fmt: skip


def configuration(source: str) -> dict[str, Any]:
    zones = [
        {
            "id": name,
            "polygon": polygon,
            "units": "pixels",
            "rules": [{"kind": "illegal_parking", "dwell": "10s", "department": "traffic"}],
        }
        for name, polygon in ZONES.items()
    ]
    camera = {
        "id": "campus",
        "source": source,
        "legal_basis": "test footage",
        "resolution": [768, 576],
        "zones": zones,
    }
    return {
        "city": {"name": "Test", "timezone": "UTC"},
        "departments": [{"id": "traffic", "name": "Traffic"}],
        "cameras": [camera],
    }


@pytest.mark.needs_shared
@pytest.mark.needs_debian
@pytest.mark.timeout(240)
def test_two_parked_vehicles_on_rtsp_become_two_orders_and_people_become_none(
    real_clips: Path, tmp_path: Path
) -> None:
    clip = as_camera_sends(real_clips / f"{CLIP}.mp4", tmp_path / "campus.mp4")
    with (
        gst_rtsp({"campus": clip}, tmp_path) as server,
        town_of(tmp_path, [], configuration(server.url("campus"))) as town,
    ):
        run_until_two_orders(town)
        orders = town.orders()
    assert [order["zone_id"] for order in orders] == ["top_right_road"] * 2
    assert {order["status"] for order in orders} == {"dispatched"}
    assert all(order["observed_s"] >= 10 for order in orders)
    names = {picture["name"] for order in orders for picture in order["evidence"]}
    assert names == {"opened-wide", "opened-close"}


def run_until_two_orders(town: Town) -> None:
    town.start_dispatch()
    with town.receiver():
        town.start_daemon()
        wait_for(lambda: len(town.created()) >= 2, 120, town)
        # Long enough for a wrong third one to be confirmed too.
        seen = town.looks("campus")
        wait_for(lambda: town.looks("campus") >= seen + 15, 60, town)
