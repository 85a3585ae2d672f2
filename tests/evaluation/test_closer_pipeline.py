"""The pipeline looks closer at a candidate, in the frame of that look, before it is confirmed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from detector.backends import ScriptedDetector
from models.errors import InferenceError
from models.geometry import Box
from models.incident import Incident
from models.seeing import Detection, Frame, Image
from models.zone import CloserLook, LitterRule, Zone
from service.pipeline import CameraPipeline, Processed
from tests.support.clips import make_camera

STREET: Image = np.random.default_rng(3).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
CUP = Box(600, 400, 630, 430)
IN_CLOSE_UP = Box(145, 145, 175, 175)
"""The cup, where a close-up of 320 px shows it."""
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
RULE = LitterRule(
    rule_id="litter",
    labels=frozenset({"litter"}),
    dwell_s=5,
    thresholds={"litter": 0.4},
    closer_look=CloserLook.REQUIRE,
)
GROUND = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

Answer = Sequence[Detection] | Exception


def litter(box: Box, confidence: float = 0.6) -> Detection:
    return Detection(label="litter", confidence=confidence, box=box)


def detector(close: Callable[[], Answer]) -> ScriptedDetector:
    """Sees the cup in the whole picture, and in close-ups what it is told."""

    def answer(image: Image) -> Answer:
        return [litter(CUP)] if image.shape == STREET.shape else close()

    return ScriptedDetector(answer, labels=("litter",))


def pipeline(
    seeing: ScriptedDetector, state: str | None = None, *, slices: int = 0, **changes: object
) -> CameraPipeline:
    rule = replace(RULE, **changes)  # type: ignore[arg-type]
    zone = Zone(
        zone_id="z", name="Z", polygon=GROUND, in_pixels=False, rules=(rule,), slices=slices
    )
    return CameraPipeline(make_camera("0", zones=(zone,)), seeing, state)


def played(made: CameraPipeline, seconds: range) -> list[Processed]:
    return [
        made.process(
            Frame(
                camera_id="cam",
                sequence=second,
                image=STREET,
                captured_at=START + timedelta(seconds=second),
                stream_s=float(second),
            )
        )
        for second in seconds
    ]


def opened(results: Sequence[Processed]) -> list[Incident]:
    return [c.incident for result in results for c in result.changes if c.kind == "opened"]


def test_what_is_found_again_is_confirmed_with_one_more_inference() -> None:
    seeing = detector(lambda: [litter(IN_CLOSE_UP, 0.8)])
    results = played(pipeline(seeing), range(20))
    assert [incident.closer_look for incident in opened(results)] == [0.8]
    assert seeing.seen == 20 + 1
    (looked,) = [looked for result in results for looked in result.closer_looks]
    assert (looked.rule_id, looked.outcome) == ("litter", "found")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([], id="nothing"),
        pytest.param([litter(IN_CLOSE_UP, 0.39)], id="less than its threshold"),
        pytest.param([litter(Box(10, 10, 40, 40), 0.9)], id="something elsewhere"),
    ],
)
def test_what_is_not_found_again_is_not_confirmed(answer: Sequence[Detection]) -> None:
    results = played(pipeline(detector(lambda: answer)), range(20))
    assert opened(results) == []
    outcomes = [looked.outcome for result in results for looked in result.closer_looks]
    assert outcomes == ["not_found", "not_found"], "after the dwell, and after twice as long"


def test_a_refusal_holds_over_a_restart() -> None:
    first = pipeline(detector(list))
    played(first, range(8))
    seeing = detector(lambda: [litter(IN_CLOSE_UP)])
    results = played(pipeline(seeing, first.state()), range(8, 30))
    (incident,) = opened(results)
    assert incident.observed_s >= 10
    assert seeing.seen == 22 + 1


def test_a_closer_look_that_fails_loses_no_candidate() -> None:
    results = played(pipeline(detector(lambda: InferenceError("no memory"))), range(20))
    assert [incident.closer_look for incident in opened(results)] == [None]
    (looked,) = [looked for result in results for looked in result.closer_looks]
    assert (looked.outcome, looked.fault) == ("failed", "no memory")


def test_a_rule_that_wants_no_closer_look_costs_none() -> None:
    seeing = detector(list)
    results = played(pipeline(seeing, closer_look=CloserLook.OFF), range(20))
    assert len(opened(results)) == 1
    assert seeing.seen == 20


def test_a_zone_in_slices_is_looked_at_part_by_part() -> None:
    shapes: set[tuple[int, ...]] = set()

    def see(image: Image) -> Answer:
        shapes.add(image.shape)
        return []

    seeing = ScriptedDetector(see, labels=("litter",))
    played(pipeline(seeing, slices=6), range(1))
    assert seeing.seen == 1 + 6
    assert shapes == {STREET.shape, (640, 640, 3)}
