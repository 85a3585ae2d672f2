"""Ground, addresses and shared places as a city.yaml gives them, and what orders get of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.address import Address, Addresses
from models.city import City
from models.errors import ConfigError
from models.geometry import Box
from models.incident import Incident
from models.zone import Camera, RuleKind
from service.config import load_city
from service.config.addresses import read_addresses
from service.daemon.reload import ConfigWatch
from service.daemon.requests import config_version, work_order_request
from tests.config.builders import VALID, changed, shown, write

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
GROUND = """\
    ground:
      - {at: [0.20, 0.90], latitude: 31.230400, longitude: 121.473700}
      - {at: [0.80, 0.90], latitude: 31.230400, longitude: 121.473820}
      - {at: [0.65, 0.50], latitude: 31.230580, longitude: 121.473820}
      - {at: [0.35, 0.50], latitude: 31.230580, longitude: 121.473700}
"""
RESOLUTION = "    resolution: [1920, 1080]\n"
STREET = "latitude,longitude,address\n31.23040,121.47376,1 Market Road\n31.2400,121.4737,far\n"


def city_of(folder: Path, camera: str = "", top: str = "") -> City:
    return load_city(write(folder, changed(RESOLUTION, RESOLUTION + camera) + top))


def problems_of(folder: Path, camera: str = "", top: str = "") -> list[str]:
    path = write(folder, changed(RESOLUTION, RESOLUTION + camera) + top)
    with pytest.raises(ConfigError) as caught:
        load_city(path)
    return [line.replace(f"{folder}/", "") for line in shown(caught.value, path)]


def parked(box: Box, kind: RuleKind = RuleKind.ILLEGAL_PARKING) -> Incident:
    return Incident(
        incident_id="6f8e",
        camera_id="gate",
        zone_id="kerb",
        rule_id="illegal_parking",
        kind=kind,
        category="illegal_parking",
        label="car",
        box=box,
        width_px=1920,
        height_px=1080,
        confidence=0.9,
        started_at=START,
        opened_at=START,
        last_seen_at=START,
        observed_s=60.0,
    )


def gate(city: City) -> Camera:
    (camera,) = city.cameras
    return camera


def test_pixels_and_ratios_say_the_same(tmp_path: Path) -> None:
    in_pixels = GROUND
    for x, y in ((0.20, 0.90), (0.80, 0.90), (0.65, 0.50), (0.35, 0.50)):
        given = f"[{x:.2f}, {y:.2f}]"
        in_pixels = in_pixels.replace(given, f"[{x * 1920:g}, {y * 1080:g}]")
    one = gate(city_of(tmp_path, GROUND)).ground
    other = gate(city_of(tmp_path, in_pixels)).ground

    assert one is not None
    assert other is not None
    assert one.metres((0.5, 0.7)) == pytest.approx(other.metres((0.5, 0.7)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[0.20, 0.90]", "[0.20, 1.20]", "ground[0].at: the point (0.2, 1.2) lies outside"),
        ("[0.20, 0.90]", "[384, 0.9]", "ground: mixes ratios (0 to 1) and pixels"),
        ("[0.20, 0.90]", "[0.2]", "ground[0].at: should be [x, y], got 1 number"),
        ("latitude: 31.230400", "latitude: 91", "ground[0].latitude: should be at most 90"),
        ("[0.20, 0.90]", "[0.5, 0.5]", "ground: the points 1, 3, 4 lie on one line in the"),
    ],
    ids=["outside", "mixed units", "no point", "no latitude", "a line"],
)
def test_a_wrong_point_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    problems = problems_of(tmp_path, GROUND.replace(old, new, 1))
    assert len(problems) == 1
    assert said in problems[0]
    assert problems[0].startswith("city.yaml:1")


def test_points_in_pixels_need_the_resolution(tmp_path: Path) -> None:
    ground = GROUND.replace("[0.20, 0.90]", "[384, 972]").replace("[0.80, 0.90]", "[1536, 972]")
    ground = ground.replace("[0.65, 0.50]", "[1248, 540]").replace("[0.35, 0.50]", "[672, 540]")
    path = write(tmp_path, changed(RESOLUTION, ground))
    with pytest.raises(ConfigError, match="needs 'resolution"):
        load_city(path)


def test_fewer_than_four_points_are_too_few(tmp_path: Path) -> None:
    three = "".join(GROUND.splitlines(keepends=True)[:4])
    (problem,) = problems_of(tmp_path, three)
    assert "ground: needs at least 4 points, got 3" in problem


def test_a_camera_elsewhere_shows_that_something_is_wrong(tmp_path: Path) -> None:
    away = GROUND + "    location: {latitude: 31.3, longitude: 121.47}\n"
    problems = problems_of(tmp_path, away)
    assert len(problems) == 4
    assert "km from the camera's location (at most 1 km)" in problems[0]


def test_an_order_has_its_things_own_place_size_and_address(tmp_path: Path) -> None:
    (tmp_path / "streets.csv").write_text(STREET, encoding="utf-8")
    camera = gate(city_of(tmp_path, GROUND, "addresses: streets.csv\n"))
    # Its foot is in the middle between the first two points, 11.44 m apart for 0.6 of the width.
    order = work_order_request(parked(Box(912, 700, 1008, 972)), camera)

    assert order.located_by == "ground"
    assert (order.latitude, order.longitude) == pytest.approx((31.2304, 121.47376), abs=2e-6)
    assert order.width_m == pytest.approx(11.44 * 96 / (0.6 * 1920), abs=0.02)
    assert order.length_m is None, "a car's roof is not on the ground"
    assert order.address == "1 Market Road"


def test_beyond_the_horizon_the_camera_says_where(tmp_path: Path) -> None:
    (tmp_path / "streets.csv").write_text(STREET, encoding="utf-8")
    place = "    location: {latitude: 31.2303, longitude: 121.4737, address: Gate}\n"
    camera = gate(city_of(tmp_path, GROUND + place, "addresses: streets.csv\n"))

    order = work_order_request(parked(Box(900, 20, 1000, 60)), camera)

    assert (order.latitude, order.longitude) == (31.2303, 121.4737)
    assert (order.located_by, order.width_m, order.address) == ("camera", None, "Gate")


def test_a_camera_without_calibration_takes_the_address_nearest_to_it(tmp_path: Path) -> None:
    (tmp_path / "streets.csv").write_text(STREET, encoding="utf-8")
    place = "    location: {latitude: 31.2303, longitude: 121.4737}\n"
    camera = gate(city_of(tmp_path, place, "addresses: {file: streets.csv, within: 20}\n"))

    order = work_order_request(parked(Box(900, 500, 1000, 600)), camera)

    assert (order.located_by, order.address) == ("camera", "1 Market Road")


def test_zones_name_the_place_they_share(tmp_path: Path) -> None:
    text = VALID.replace("      - id: kerb\n", "      - id: kerb\n        place: bus-bay-12\n")
    camera = gate(load_city(write(tmp_path, text)))
    assert work_order_request(parked(Box(0, 0, 9, 9)), camera).place_id == "bus-bay-12"


def test_where_a_camera_stands_changes_nothing_of_what_it_is_judged_by(tmp_path: Path) -> None:
    assert config_version(gate(city_of(tmp_path, GROUND))) == config_version(
        gate(city_of(tmp_path))
    )


def test_the_nearest_address_within_reach_is_taken() -> None:
    entries = tuple(
        Address(latitude=31.23 + metres / 110_900, longitude=121.47, text=text)
        for metres, text in ((30, "near"), (10, "nearest"), (60, "far"))
    )
    street = Addresses(entries=entries, within_m=50.0)

    assert street.nearest(31.23, 121.47) == "nearest"
    assert street.nearest(31.23 - 45 / 110_900, 121.47) == ""


GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [121.4737, 31.2304]},
            "properties": {"address": "人民路1号"},
        }
    ],
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "address,LATITUDE,longitude,zip\n人民路1号,31.2304,121.4737,200001\n"),
        ("a.csv", '\ufefflatitude,longitude,address\n31.2304,121.4737,"人民路1号"\n\n'),
        ("a.geojson", json.dumps(GEOJSON)),
    ],
    ids=["other columns", "as Excel saves it", "GeoJSON"],
)
def test_addresses_are_read(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert read_addresses(path) == (
        Address(latitude=31.2304, longitude=121.4737, text="人民路1号"),
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "lat,lon,address\n", "a.csv:1: the first line has no column latitude, long"),
        ("a.csv", "latitude,longitude,address\n1,2,x\n1,east,x\n", "a.csv:3: longitude: should"),
        ("a.csv", "latitude,longitude,address\n1,181,x\n", "a.csv:2: longitude: should be -180"),
        ("a.csv", "latitude,longitude,address\n1,2\n", "a.csv:2: address: is missing"),
        ("a.csv", 'latitude,longitude,address\n1,2,"x', "a.csv:2: is no CSV"),
        ("a.geojson", '{"features": [\n{"', "a.geojson:2: is no JSON"),
        ("a.geojson", "[]", "a.geojson:1: is no GeoJSON FeatureCollection"),
        ("a.geojson", '{"features": [{}]}', "a.geojson:1: features[0].address: is missing"),
    ],
    ids=["header", "word", "range", "short", "quote", "broken", "list", "empty feature"],
)
def test_a_wrong_file_of_addresses_is_told_with_line_and_column(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    problems = problems_of(tmp_path, top=f"addresses: {name}\n")
    assert any(problem.startswith(said) for problem in problems), problems


def test_a_missing_file_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    assert problems_of(tmp_path, top="addresses: none.csv\n") == [
        "none.csv:1: there is no such file"
    ]


def test_a_service_that_reads_no_camera_needs_no_addresses(tmp_path: Path) -> None:
    path = write(tmp_path, VALID + "addresses: none.csv\n")
    assert load_city(path, resolve_sources=False).address_file is None


def test_a_running_daemon_follows_the_addresses_and_outlives_a_broken_file(
    tmp_path: Path,
) -> None:
    street = tmp_path / "streets.csv"
    street.write_text(STREET, encoding="utf-8")
    path = write(tmp_path, changed(RESOLUTION, RESOLUTION + GROUND) + "addresses: streets.csv\n")
    applied: list[City] = []
    watch = ConfigWatch(path, load_city, applied.append, load_city(path).address_file)

    def poll_twice() -> list[list[str]]:
        watch.poll()
        watch.poll()
        found = [camera.addresses for city in applied for camera in city.cameras]
        return [[each.text for each in own.entries] for own in found if own is not None]

    street.write_text("latitude,longitude,address\nbroken\n", encoding="utf-8")
    assert poll_twice() == []
    street.write_text(STREET.replace("1 Market Road", "2 Market Road"), encoding="utf-8")
    assert poll_twice() == [["2 Market Road"]]
    street.unlink()
    assert poll_twice() == [["2 Market Road"]]
