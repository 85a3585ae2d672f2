"""Street addresses from a file beside ``city.yaml``: CSV or GeoJSON."""

from __future__ import annotations

import csv
import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from models.address import Address, Addresses
from models.errors import ConfigError, Problem
from models.ground import FARTHEST_M, distance_m, metres_per_degree
from models.zone import Camera

COLUMNS = ("latitude", "longitude", "address")
MOST_PROBLEMS = 20
"""Of one file: who exported the wrong columns need not read of every line."""
LONGEST_ADDRESS = 500
_LIMITS = {"latitude": 90.0, "longitude": 180.0}


def read_addresses(path: Path) -> tuple[Address, ...]:
    """The addresses of a file; raises :class:`ConfigError` with file, line and column."""
    text = _text(path)
    is_geojson = path.suffix.lower() in {".geojson", ".json"}
    rows = _features(path, text) if is_geojson else _lines(path, text)
    found: list[Address] = []
    problems: list[Problem] = []
    for line, where, values in rows:
        wrong = [
            Problem(file=str(path), line=line, where=where + name, message=message)
            for name in COLUMNS
            if (message := _wrong(name, values.get(name)))
        ]
        problems += wrong
        if len(problems) >= MOST_PROBLEMS:
            break
        if not wrong:
            found.append(
                Address(
                    latitude=float(values["latitude"]),
                    longitude=float(values["longitude"]),
                    text=str(values["address"]).strip(),
                )
            )
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def with_addresses(
    cameras: tuple[Camera, ...], addresses: tuple[Address, ...], within_m: float
) -> tuple[Camera, ...]:
    """The cameras, each with the addresses that what it sees may have."""
    by_latitude = sorted(addresses, key=lambda each: (each.latitude, each.longitude, each.text))
    latitudes = [each.latitude for each in by_latitude]
    return tuple(_with_own(camera, by_latitude, latitudes, within_m) for camera in cameras)


def _with_own(
    camera: Camera, by_latitude: list[Address], latitudes: list[float], within_m: float
) -> Camera:
    centre, reach_m = _seen(camera)
    if centre is None:
        return camera
    reach_m += within_m
    high = reach_m / metres_per_degree(centre[0])[1]
    first = bisect_left(latitudes, centre[0] - high)
    last = bisect_right(latitudes, centre[0] + high)
    entries = tuple(
        each
        for each in by_latitude[first:last]
        if distance_m(centre, (each.latitude, each.longitude)) <= reach_m
    )
    return replace(camera, addresses=Addresses(entries=entries, within_m=within_m))


def _seen(camera: Camera) -> tuple[tuple[float, float] | None, float]:
    """The middle of what is located, and how far from it that reaches in metres."""
    if camera.ground is not None:
        return (camera.ground.latitude, camera.ground.longitude), FARTHEST_M
    here = camera.location
    if here.latitude is None or here.longitude is None:
        return None, 0.0
    return (here.latitude, here.longitude), 0.0


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _refused(path, "there is no such file") from None
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refused(path, "is not UTF-8 text: save it with that encoding", line) from None


def _refused(path: Path, message: str, line: int = 1, where: str = "") -> ConfigError:
    return ConfigError([Problem(file=str(path), line=line, where=where, message=message)])


def _lines(path: Path, text: str) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            message = f"the first line has no column {', '.join(missing)}"
            raise _refused(path, message)
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num, "", dict(zip(names, row, strict=False))
    except csv.Error as error:
        raise _refused(path, f"is no CSV: {error}", max(rows.line_num, 1)) from None


def _features(path: Path, text: str) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"is no JSON: {error.msg} (column {error.colno})"
        raise _refused(path, message, error.lineno) from None
    except RecursionError:
        raise _refused(path, "is nested too deeply") from None
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list):
        raise _refused(path, "is no GeoJSON FeatureCollection: it has no list of 'features'")
    for index, feature in enumerate(features):
        yield 1, f"features[{index}].", _values(feature)


def _values(feature: Any) -> Mapping[str, Any]:
    """Coordinates and address of a point; what is not there is left out."""
    if not isinstance(feature, dict):
        return {}
    properties, geometry = feature.get("properties"), feature.get("geometry")
    values = {"address": properties.get("address")} if isinstance(properties, dict) else {}
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        match geometry.get("coordinates"):
            case [longitude, latitude, *_]:
                values |= {"longitude": longitude, "latitude": latitude}
    return values


def _wrong(name: str, value: Any) -> str:
    """What is wrong with a value; empty: nothing."""
    if value is None or not str(value).strip():
        return "is missing"
    if name == "address":
        is_short = len(str(value)) <= LONGEST_ADDRESS
        return "" if is_short else f"is too long: at most {LONGEST_ADDRESS} characters"
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"should be a number of degrees, got {str(value)[:40]!r}"
    if not (math.isfinite(number) and abs(number) <= _LIMITS[name]):
        return f"should be -{_LIMITS[name]:g} to {_LIMITS[name]:g}, got {str(value)[:40]}"
    return ""
