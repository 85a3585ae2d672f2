"""Checks across the file: ids, references, labels, polygons, sources.

They read the plain data and pass over what has another shape than expected (pydantic reports that),
so that all problems of a file are found at once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from models.geometry import Points
from models.labels import KNOWN_LABELS, UNKNOWN_OBJECT
from service.config import polygons
from service.config.categories import packaged_keys
from service.config.convert_upkeep import CAMERA_FAULT
from service.config.document import EACH, Document, Finding, Loc, select
from service.config.grounds import check_ground
from service.config.scalars import did_you_mean
from service.config.sources import resolve_source
from service.config.vocabulary import DEFAULT_ROUTE, KINDS, OWN_CATEGORIES

_CAMERAS = ("cameras", EACH)
_ZONES = (*_CAMERAS, "zones", EACH)
_RULES = (*_ZONES, "rules", EACH)
_URGENT = (*_RULES, "priority_when", EACH)
_ROUTES = ("routing", EACH, EACH)
_ROUTES_DEPARTMENTS = (_ROUTES, (*_ROUTES, "department"))


def check_references(
    document: Document, folder: Path, environ: Mapping[str, str] | None
) -> Iterator[Finding]:
    """Everything that one value alone cannot show to be wrong."""
    yield from _duplicate_ids(document)
    yield from _departments(document.data)
    yield from _routing_keys(document.data)
    yield from _route_places(document.data)
    yield from _schedules(document.data)
    yield from _calendars(document.data)
    yield from _labels(document.data)
    yield from _unknown_objects(document.data)
    yield from _sources(document.data, folder, environ)
    for loc, camera in select(document.data, *_CAMERAS):
        yield from _polygons(loc, camera)
        yield from _assets(document, loc, camera)
        yield from check_ground(loc, camera)
        yield from _widths(loc, camera)
        yield from _other_zones(loc, camera)


def _widths(camera_loc: Loc, camera: Any) -> Iterator[Finding]:
    if isinstance(camera, dict) and camera.get("ground"):
        return
    for loc, _ in select(camera, "zones", EACH, "rules", EACH, "priority_when", EACH, "width"):
        message = "is in metres on the ground, so the camera needs 'ground'"
        yield Finding(loc=(*camera_loc, *loc), message=message)


def _duplicate_ids(document: Document) -> Iterator[Finding]:
    data = document.data
    for group in (("departments",), ("cameras",), (*_CAMERAS, "zones"), (*_ZONES, "rules")):
        for loc, entries in select(data, *group):
            yield from _duplicates(document, loc, entries)


def _duplicates(document: Document, loc: Loc, entries: Any) -> Iterator[Finding]:
    seen: dict[str, Loc] = {}
    for place, entry in select(entries, EACH):
        key = "id" if isinstance(entry, dict) and "id" in entry else "kind"
        value = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(value, str):
            continue
        here = (*loc, *place, key)
        first = seen.setdefault(value, here)
        if first != here:
            message = f"duplicate id '{value}', first at line {document.line(first)}"
            hint = "; give this rule an 'id' of its own" if key == "kind" else ""
            yield Finding(loc=here, message=message + hint)


def _texts(data: Any, *path: str | None) -> Iterator[tuple[Loc, str]]:
    return ((loc, value) for loc, value in select(data, *path) if isinstance(value, str))


def unknown(noun: str, word: str, known: Collection[str]) -> str:
    """Says that a word is unknown, and which one may have been meant."""
    hint = did_you_mean(word, known)
    if not hint:
        names = ", ".join(sorted(known)[:8]) + (", ..." if len(known) > 8 else "")
        hint = f" (known: {names})" if known else f" (the file has no {noun}s)"
    return f"unknown {noun} '{word}'{hint}"


def _departments(data: Any) -> Iterator[Finding]:
    known = {value for _, value in _texts(data, "departments", EACH, "id")}
    for path in (
        (*_RULES, "department"),
        (*_CAMERAS, "faults", "department"),
        (*_CAMERAS, "assets", EACH, "department"),
        ("routing", EACH),
        *_ROUTES_DEPARTMENTS,
    ):
        for loc, value in _texts(data, *path):
            if value not in known:
                yield Finding(loc=loc, message=unknown("department", value, known))


def _route_places(data: Any) -> Iterator[Finding]:
    """A mistyped place would silently send its work orders on to the next entry."""
    for noun, ids in (("camera", _CAMERAS), ("zone", _ZONES)):
        known = {value for _, value in _texts(data, *ids, "id")}
        for loc, value in _texts(data, *_ROUTES, f"{noun}s", EACH):
            if value not in known:
                yield Finding(loc=loc, message=unknown(noun, value, known))


def _routing_keys(data: Any) -> Iterator[Finding]:
    """A mistyped key would silently send its work orders to the default department."""
    own = {value for _, value in _texts(data, *_RULES, "category")}
    own |= {value for _, value in _texts(data, *_CAMERAS, "assets", EACH, "category")}
    own |= {value for _, value in _texts(data, *_ZONES, "kind")}
    known = {DEFAULT_ROUTE, CAMERA_FAULT, *OWN_CATEGORIES, *KINDS, *own}
    for loc, _ in select(data, "routing", EACH):
        # The packaged table is read only for what no rule has: citizens report more than cameras.
        if loc[-1] not in known and loc[-1] not in packaged_keys():
            yield Finding(loc=loc, message=unknown("category", str(loc[-1]), known))


def _schedules(data: Any) -> Iterator[Finding]:
    known = {str(loc[-1]) for loc, _ in select(data, "schedules", EACH)}
    for path in ((*_RULES, "schedule"), (*_URGENT, "schedule"), (*_ROUTES, "schedule")):
        for loc, value in _texts(data, *path):
            if value not in known:
                yield Finding(loc=loc, message=unknown("schedule", value, known))


def _calendars(data: Any) -> Iterator[Finding]:
    known = {str(loc[-1]) for loc, _ in select(data, "calendars", EACH)}
    for path in (
        ("schedules", EACH, "calendar"),
        (*_RULES, "schedule", "calendar"),
        (*_URGENT, "schedule", "calendar"),
        (*_ROUTES, "schedule", "calendar"),
    ):
        for loc, value in _texts(data, *path):
            if value not in known:
                yield Finding(loc=loc, message=unknown("calendar", value, known))


def _labels(data: Any) -> Iterator[Finding]:
    own = {value for _, value in _texts(data, "model", "class_map", EACH) if value}
    known = KNOWN_LABELS | own
    for key in ("labels", "exempt"):
        for loc, value in _texts(data, *_RULES, key, EACH):
            if value not in known:
                yield Finding(loc=loc, message=unknown("label", value, known))
    for loc, _ in select(data, "model", "thresholds", EACH):
        if loc[-1] not in known:
            yield Finding(loc=loc, message=unknown("label", str(loc[-1]), known))


def _unknown_objects(data: Any) -> Iterator[Finding]:
    for loc, rule in select(data, *_RULES):
        if isinstance(rule, dict) and rule.get("kind") != "litter":
            for place, value in _texts(rule, "labels", EACH):
                if value == UNKNOWN_OBJECT:
                    message = f"only a litter rule looks for '{UNKNOWN_OBJECT}'"
                    yield Finding(loc=(*loc, *place), message=message)


def _sources(data: Any, folder: Path, environ: Mapping[str, str] | None) -> Iterator[Finding]:
    for loc, value in select(data, *_CAMERAS, "source"):
        try:
            _resolve(value, folder, environ)
        except ValueError as error:
            yield Finding(loc=loc, message=str(error))


def _resolve(value: Any, folder: Path, environ: Mapping[str, str] | None) -> None:
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise ValueError("the index of a USB camera should be at least 0")
    if isinstance(value, str):
        resolve_source(value, folder, environ)


def _polygons(camera_loc: Loc, camera: Any) -> Iterator[Finding]:
    for loc, zone in select(camera, "zones", EACH):
        given = zone.get("polygon") if isinstance(zone, dict) else None
        yield from _shape((*camera_loc, *loc, "polygon"), given, zone, camera)


def _assets(document: Document, camera_loc: Loc, camera: Any) -> Iterator[Finding]:
    zones = {value for _, value in _texts(camera, "zones", EACH, "id")}
    for loc, entries in select(camera, "assets"):
        yield from _duplicates(document, (*camera_loc, *loc), entries)
    for loc, value in _texts(camera, "assets", EACH, "id"):
        if value in zones:
            message = f"'{value}' is already the id of a zone of this camera"
            yield Finding(loc=(*camera_loc, *loc), message=message)
    for loc, asset in select(camera, "assets", EACH):
        if not isinstance(asset, dict):
            continue
        key = "box" if "box" in asset else "polygon"
        given = asset.get(key)
        corners = _corners(given) if key == "box" else given
        yield from _shape((*camera_loc, *loc, key), corners, asset, camera)


def _other_zones(camera_loc: Loc, camera: Any) -> Iterator[Finding]:
    """Zones that others name must be there; those that nothing names must have rules."""
    zones = {value for _, value in _texts(camera, "zones", EACH, "id")}
    named = [
        *_texts(camera, "zones", EACH, "rules", EACH, "queue_zone"),
        *_texts(camera, "zones", EACH, "beside"),
    ]
    for loc, value in named:
        if value not in zones:
            yield Finding(loc=(*camera_loc, *loc), message=unknown("zone", value, zones))
    for loc, zone in select(camera, "zones", EACH):
        is_bare = isinstance(zone, dict) and not zone.get("rules")
        if is_bare and zone.get("id") not in {value for _, value in named}:
            message = "has no rules, and no other zone names it"
            yield Finding(loc=(*camera_loc, *loc, "rules"), message=message, absent=True)


def _corners(box: Any) -> Any:
    """A box as a polygon; anything else as it is."""
    if not isinstance(box, list) or len(box) != 4:
        return None
    left, top, right, bottom = box
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def _shape(here: Loc, given: Any, owner: Any, camera: Any) -> Iterator[Finding]:
    points = polygons.read_points(given)
    if points is None or len(given) < 3:
        return
    said = owner.get("units")
    units = said if said in polygons.MIN_AREA else polygons.guess_units(points)
    if units == "pixels" and said is None and polygons.mixes_units(points):
        message = "mixes ratios (0 to 1) and pixels; say which with 'units'"
        yield Finding(loc=here, message=message)
        return
    shape = polygons.shape_problem(points, units)
    if shape is not None:
        yield Finding(loc=here, message=shape)
    yield from _outside(here, points, units, camera.get("resolution"))


def _outside(loc: Loc, points: Points, units: str, resolution: Any) -> Iterator[Finding]:
    if units == "ratio":
        width, height, picture = 1.0, 1.0, "0 to 1"
    elif resolution is None:
        message = "is in pixels, so the camera needs 'resolution: [width, height]'"
        yield Finding(loc=loc, message=message)
        return
    else:
        sides = polygons.read_points([resolution])
        if sides is None:
            return
        width, height = sides[0]
        picture = f"the picture of {width:g} x {height:g} pixels"
    for index, point in polygons.outside(points, width, height):
        yield Finding(loc=(*loc, index), message=f"the point {point} lies outside {picture}")
