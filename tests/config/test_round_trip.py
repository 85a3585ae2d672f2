"""Any city that can be written is read as what it is."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.city import City, DispatchTarget, ModelChoice
from models.labels import KNOWN_LABELS, UNKNOWN_OBJECT
from models.litter import Accumulation
from models.parking import QueuePolicy, ZoneKind
from models.zone import (
    Camera,
    CloserLook,
    DamagedFacilityRule,
    DecodeMode,
    Department,
    IllegalParkingRule,
    LitteringRule,
    LitterRule,
    Location,
    Priority,
    Rule,
    Schedule,
    Stage,
    TimeWindow,
    Zone,
)
from service.config import load_city
from service.config.scalars import DAY_NAMES

identifiers = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,15}", fullmatch=True)
texts = st.text(
    st.characters(categories=("L", "N", "P", "S", "Zs"), codec="utf-8"), min_size=1, max_size=20
).filter(lambda text: bool(text.strip()))
ratios = st.floats(0, 1)
seconds = st.floats(0.04, 10_000)
zones_of_time = st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York"])
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
days = st.frozensets(st.integers(0, 6), min_size=1)
windows = st.builds(TimeWindow, days=days, start=times, end=times).filter(
    lambda window: window.start != window.end
) | st.builds(TimeWindow, days=days)
LABELS = sorted(KNOWN_LABELS - {UNKNOWN_OBJECT})
"""Labels that any kind of rule may look for."""
KINDS = [kind for kind in ZoneKind if kind is not ZoneKind.DOUBLE_PARKING]
"""Kinds of zones that need no other zone."""
THRESHOLDS = {"litter": 0.5, "car": 0.35, "truck": 0.1}
departments = ("roads", "parks")


@st.composite
def levels(draw: st.DrawFn) -> Accumulation:
    """Levels of which the lower one is lower."""
    count = draw(st.integers(1, 99))
    clear_count = draw(st.integers(0, count - 1))
    if draw(st.booleans()):
        return Accumulation(count=count, clear_count=clear_count)
    area, share = draw(st.floats(0.001, 1)), draw(st.floats(0, 0.9))
    return Accumulation(
        count=count, clear_count=clear_count, area_ratio=area, clear_area_ratio=area * share
    )


def level_of(level: Accumulation) -> dict[str, Any]:
    """The levels as they are written."""
    plain: dict[str, Any] = {"count": level.count, "clear_count": level.clear_count}
    if level.area_ratio is not None:
        plain |= {"area": level.area_ratio, "clear_area": level.clear_area_ratio}
    return plain


@st.composite
def polygons(draw: st.DrawFn, width: float, height: float) -> tuple[tuple[float, float], ...]:
    """Corners on an ellipse in the picture, in order: simple and with an area."""
    count = draw(st.integers(3, 8))
    turn = draw(st.floats(0, 1))
    return tuple(
        (
            width * (0.5 + 0.4 * math.cos(2 * math.pi * (index + turn) / count)),
            height * (0.5 + 0.4 * math.sin(2 * math.pi * (index + turn) / count)),
        )
        for index in range(count)
    )


def shared_fields(number: int, timezone: str) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "rule_id": st.just(f"rule-{number}"),
        "labels": st.frozensets(st.sampled_from(LABELS), min_size=1),
        "dwell_s": seconds,
        "grace_s": seconds,
        "clear_after_s": seconds,
        "min_confidence": st.none() | ratios,
        "closer_look": st.sampled_from(CloserLook),
        "min_seen_ratio": ratios,
        "schedule": st.just(Schedule(timezone=timezone))
        | st.builds(
            Schedule,
            timezone=zones_of_time,
            windows=st.lists(windows, min_size=1, max_size=3).map(tuple),
        ),
        "category": identifiers,
        "department_id": st.sampled_from([None, *departments]),
        "priority": st.sampled_from(Priority),
    }


def rules(number: int, timezone: str) -> st.SearchStrategy[Rule]:
    shared = shared_fields(number, timezone)
    return st.one_of(
        st.builds(
            IllegalParkingRule,
            min_coverage_ratio=ratios,
            queue=st.sampled_from(QueuePolicy),
            longest_queue_s=seconds,
            **shared,
        ),
        st.builds(LitterRule, min_count=st.integers(1, 99), min_area_ratio=ratios, **shared),
        st.builds(
            LitterRule, accumulated=levels(), **{**shared, "closer_look": st.just(CloserLook.OFF)}
        ),
        st.builds(LitteringRule, **shared),
        st.builds(DamagedFacilityRule, **shared),
    ).map(fitted)


def fitted(rule: Rule) -> Rule:
    """The rule with the thresholds of the model for its labels."""
    if rule.min_confidence is not None:
        return rule
    return replace(rule, thresholds={k: v for k, v in THRESHOLDS.items() if k in rule.labels})


@st.composite
def zones(draw: st.DrawFn, number: int, resolution: Any, timezone: str) -> Zone:
    in_pixels = resolution is not None and draw(st.booleans())
    width, height = resolution if in_pixels else (1, 1)
    count = draw(st.integers(1, 3))
    return Zone(
        zone_id=f"zone-{number}",
        name=draw(texts),
        polygon=draw(polygons(width, height)),
        in_pixels=in_pixels,
        rules=tuple(draw(rules(index, timezone)) for index in range(count)),
        kind=draw(st.sampled_from([None, *KINDS])),
        stage=draw(st.sampled_from(Stage)),
        slices=draw(st.integers(0, 64)),
    )


@st.composite
def cameras(draw: st.DrawFn, number: int, timezone: str) -> Camera:
    sides = st.integers(16, 8000)
    resolution = draw(st.none() | st.tuples(sides, sides))
    placed = draw(st.booleans())
    return Camera(
        camera_id=f"camera-{number}",
        name=draw(texts),
        source=draw(st.sampled_from(["rtsp://a:b@192.0.2.1/1", "0", "/video/a b.mp4"])),
        legal_basis=draw(texts),
        zones=tuple(
            draw(zones(index, resolution, timezone)) for index in range(draw(st.integers(0, 3)))
        ),
        resolution=resolution,
        look_interval_s=draw(seconds),
        decode=draw(st.sampled_from(DecodeMode)),
        rtsp_transport=draw(st.sampled_from(["tcp", "udp"])),
        paced=draw(st.booleans()),
        loop=draw(st.booleans()),
        closer_looks=draw(st.booleans()),
        location=Location(
            latitude=draw(st.floats(-90, 90)) if placed else None,
            longitude=draw(st.floats(-180, 180)) if placed else None,
            address=draw(texts),
        ),
    )


@st.composite
def cities(draw: st.DrawFn) -> City:
    timezone = draw(zones_of_time)
    return City(
        name=draw(texts),
        name_zh=draw(texts),
        timezone=timezone,
        cameras=tuple(draw(cameras(index, timezone)) for index in range(draw(st.integers(1, 3)))),
        departments=tuple(
            Department(department_id=name, name=draw(texts), name_zh=draw(texts))
            for name in departments
        ),
        routing={"default": "roads", "litter": "parks"},
        model=ModelChoice(
            weights=draw(st.sampled_from(["street-n", "/models/own.pt"])),
            image_size_px=draw(st.integers(1, 40)) * 32,
            min_confidence=draw(ratios),
            class_map={"HGV": "truck"},
            thresholds=THRESHOLDS,
        ),
        dispatch=DispatchTarget(url="https://dispatch.example", api_key_env="KEY_2"),
    )


def plain_schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "timezone": schedule.timezone,
        "windows": [
            {
                "days": [DAY_NAMES[day] for day in sorted(window.days)],
                "start": f"{window.start:%H:%M}",
                "end": f"{window.end:%H:%M}" if window.end != window.start else "24:00",
            }
            for window in schedule.windows
        ],
    }


def plain_rule(rule: Rule) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "kind": str(rule.kind),
        "id": rule.rule_id,
        "labels": sorted(rule.labels),
        "dwell": rule.dwell_s,
        "grace": rule.grace_s,
        "clear_after": rule.clear_after_s,
        "closer_look": str(rule.closer_look),
        "min_seen_ratio": rule.min_seen_ratio,
        "category": rule.category,
        "priority": str(rule.priority),
    }
    if rule.min_confidence is not None:
        plain["min_confidence"] = rule.min_confidence
    if rule.department_id:
        plain["department"] = rule.department_id
    if rule.schedule.windows:
        plain["schedule"] = plain_schedule(rule.schedule)
    if isinstance(rule, IllegalParkingRule):
        plain["min_coverage"] = rule.min_coverage_ratio
        plain |= {"queue": str(rule.queue), "longest_queue": rule.longest_queue_s}
    if isinstance(rule, LitterRule) and rule.accumulated is not None:
        plain |= {"accumulated": level_of(rule.accumulated)}
    elif isinstance(rule, LitterRule):
        plain |= {"min_count": rule.min_count, "min_area": rule.min_area_ratio}
    return plain


def plain_zone(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.zone_id,
        "name": zone.name,
        "polygon": [list(point) for point in zone.polygon],
        "units": "pixels" if zone.in_pixels else "ratio",
        "rules": [plain_rule(rule) for rule in zone.rules],
        "slices": zone.slices,
        "stage": str(zone.stage),
        **({} if zone.kind is None else {"kind": str(zone.kind)}),
    }


def plain_camera(camera: Camera) -> dict[str, Any]:
    location: dict[str, Any] = {"address": camera.location.address}
    if camera.location.latitude is not None:
        location |= {
            "latitude": camera.location.latitude,
            "longitude": camera.location.longitude,
        }  # fmt: skip
    return {
        "id": camera.camera_id,
        "name": camera.name,
        "source": camera.source,
        "legal_basis": camera.legal_basis,
        **({"resolution": list(camera.resolution)} if camera.resolution else {}),
        "look_interval": camera.look_interval_s,
        "redetect_every": camera.redetect_every_s,
        "decode": str(camera.decode),
        "rtsp_transport": camera.rtsp_transport,
        "paced": camera.paced,
        "loop": camera.loop,
        "closer_looks": camera.closer_looks,
        "location": location,
        "faults": {"look_for": []},
        "zones": [plain_zone(zone) for zone in camera.zones],
    }


def plain_city(city: City) -> dict[str, Any]:
    return {
        "city": {"name": city.name, "name_zh": city.name_zh, "timezone": city.timezone},
        "model": {
            "weights": city.model.weights,
            "image_size": city.model.image_size_px,
            "min_confidence": city.model.min_confidence,
            "class_map": dict(city.model.class_map),
            "thresholds": dict(city.model.thresholds),
        },
        "dispatch": {"url": city.dispatch.url, "api_key_env": city.dispatch.api_key_env},
        "departments": [
            {"id": given.department_id, "name": given.name, "name_zh": given.name_zh}
            for given in city.departments
        ],
        "routing": dict(city.routing),
        "cameras": [plain_camera(camera) for camera in city.cameras],
    }


class _JsonLike(yaml.SafeDumper):
    """All text in quotes: the writer here speaks YAML 1.1, the reader 1.2."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')


_JsonLike.add_representer(str, _quoted)


@settings(max_examples=60, deadline=None)
@given(city=cities())
def test_a_written_city_is_read_as_it_was(city: City, tmp_path_factory: Any) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "round-trip.yaml"
    text = yaml.dump(plain_city(city), Dumper=_JsonLike, allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")
    assert load_city(path, environ={}) == city
