"""The other values of the domain model: frames, tracks, rules, errors."""

from __future__ import annotations

import inspect
import re
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime

import numpy as np
import pytest

from models import errors
from models.city import City, ModelChoice
from models.errors import ConfigError, Problem, StreetwardenError
from models.geometry import Box
from models.seeing import Frame, Track
from models.zone import (
    DamagedFacilityRule,
    IllegalParkingRule,
    LitterRule,
    Rule,
    RuleKind,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_frame_knows_its_size() -> None:
    image = np.zeros((360, 640, 3), dtype=np.uint8)
    frame = Frame(camera_id="cam", sequence=0, image=image, captured_at=NOW, stream_s=0)
    assert (frame.width_px, frame.height_px) == (640, 360)


def test_a_track_stands_where_its_box_touches_the_ground() -> None:
    box = Box(10, 20, 50, 100)
    track = Track(track_id=1, label="car", confidence=0.5, box=box, first_seen=NOW, last_seen=NOW)
    assert track.anchor == box.anchor
    with pytest.raises(FrozenInstanceError):
        track.label = "bus"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        (IllegalParkingRule, RuleKind.ILLEGAL_PARKING),
        (LitterRule, RuleKind.LITTER),
        (DamagedFacilityRule, RuleKind.DAMAGED_FACILITY),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value),
)
def test_each_rule_has_its_kind(rule: type[Rule], kind: RuleKind) -> None:
    assert rule(rule_id="r", labels=frozenset(), dwell_s=1).kind is kind


def test_a_bare_rule_has_none() -> None:
    with pytest.raises(TypeError, match="subclasses"):
        _ = Rule(rule_id="r", labels=frozenset(), dwell_s=1).kind


def test_a_city_without_more_posts_to_this_machine_and_uses_our_own_weights() -> None:
    city = City(name="City", timezone="UTC", cameras=(), departments=())
    assert city.model == ModelChoice(weights="street-n")
    assert city.dispatch.url.startswith("http://127.0.0.1")


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("cameras[0].source", "city.yaml:14: cameras[0].source: is missing"),
        ("", "city.yaml:14: is missing"),
    ],
    ids=["a field", "the whole file"],
)
def test_a_problem_reads_like_a_compilers(where: str, text: str) -> None:
    assert str(Problem(file="city.yaml", line=14, where=where, message="is missing")) == text


def test_a_config_error_shows_all_its_problems() -> None:
    problems = [Problem(file="c", line=n, where="", message=f"wrong {n}") for n in (1, 2)]
    error = ConfigError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == "c:1: wrong 1\nc:2: wrong 2"


def test_the_tree_in_the_docstring_is_the_tree_of_the_errors() -> None:
    drawn: dict[str, str] = {}
    path: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│ ]*(?:[├└]── )?)(\w+)(?:\s{2,}|$)", line)
        if found:
            depth = len(found[1]) // 4
            path[depth] = found[2]
            drawn[found[2]] = path[depth - 1] if depth else "Exception"
    real = {
        name: kind.__base__.__name__
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, StreetwardenError) and kind.__base__ is not None
    }
    assert drawn == real
