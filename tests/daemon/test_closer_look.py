"""A closer look at a candidate: the order tells of it, and so do the metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detector.backends import ScriptedDetector
from models.geometry import Box
from models.seeing import Detection, Image
from models.zone import CloserLook, LitterRule
from service.daemon.edge import EdgeStore
from service.daemon.metrics import DaemonMetrics
from tests.daemon.played import camera, plays
from tests.daemon.test_daemon import requests_of, runtime_of

STREET: Image = np.random.default_rng(3).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
CUP = Box(600, 400, 630, 430)
LITTER = LitterRule(rule_id="litter", labels=frozenset({"litter"}), dwell_s=5, category="litter")


def seeing(found_again: float) -> ScriptedDetector:
    """Sees a cup in the whole picture, and in a close-up of it as surely as it is told."""

    def answer(image: Image) -> list[Detection]:
        box = CUP if image.shape == STREET.shape else Box(145, 145, 175, 175)
        confidence = 0.6 if image.shape == STREET.shape else found_again
        return [Detection(label="litter", confidence=confidence, box=box)]

    return ScriptedDetector(answer, labels=("litter",))


@pytest.mark.parametrize(
    ("policy", "found_again", "told", "outcomes"),
    [
        (CloserLook.REQUIRE, 0.83, ["; closer look: 0.83"], {"found": 1}),
        (CloserLook.REQUIRE, 0.1, [], {"not_found": 2}),
        (CloserLook.RECORD, 0.1, ["; closer look: not found"], {"not_found": 1}),
        (CloserLook.OFF, 0.1, [""], {}),
    ],
)
def test_orders_and_metrics_tell_how_the_closer_look_went(
    tmp_path: Path,
    policy: CloserLook,
    found_again: float,
    told: list[str],
    outcomes: dict[str, int],
) -> None:
    metrics = DaemonMetrics()
    (zone,) = camera().zones
    zones = (replace(zone, rules=(replace(LITTER, closer_look=policy),)),)
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        stream = plays(range(20), STREET)
        runtime = runtime_of(store, seeing(found_again), stream, metrics, zones=zones)
        while not runtime.stream.ended:
            runtime.step()
        orders = [json.loads(r.body) for r in requests_of(store) if r.method == "POST"]
    assert [order["description"].partition(" s")[2] for order in orders] == told
    counted = {
        outcome: metrics.registry.get_sample_value(
            "streetwarden_closer_looks_total", {"camera": "gate", "outcome": outcome}
        )
        for outcome in outcomes
    }
    assert counted == outcomes
