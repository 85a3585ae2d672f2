"""The whole pipeline on real footage, where it and the project's weights are at hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from detector.backends import load_detector
from models.city import ModelChoice
from models.errors import WeightsError
from service.evaluation import evaluate

CLIPS = ("day_street_parked_motorcycle", "rain_101_hillsdale_a", "street_queue_at_junction")


@pytest.mark.needs_shared
def test_parked_cars_are_found_and_traffic_raises_no_alarm(
    real_clips: Path, tmp_path: Path
) -> None:
    for name in CLIPS:
        for path in real_clips.glob(f"{name}.*"):
            shutil.copy(path, tmp_path)
    try:
        detector = load_detector(ModelChoice())
    except WeightsError as error:
        pytest.skip(f"no weights: {error}")
    try:
        report = evaluate(tmp_path, detector, dwells_s=(5, 10))
    finally:
        detector.close()
    moving = [row for row in report.rows if row.zone in {"carriageway", "left_lanes", "near_lane"}]
    assert moving
    assert sum(row.false_alarms for row in moving) == 0
    drive = [row for row in report.rows if row.zone == "drive_right_edge"]
    assert [row.matched for row in drive] == [1, 1]
    assert all(delay <= 1.5 for row in drive for delay in row.delay_s)
