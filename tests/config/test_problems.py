"""One row for each thing that can be wrong with a city.yaml, with exactly what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ConfigError
from service.config import load_city
from tests.config.builders import VALID, changed, shown, write

POLYGON = "[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]"
CITY = "city: {name: Testville, timezone: Asia/Shanghai}"
WHY = "say why this camera may watch this place"
WINDOWS = "schedules.working_hours.windows"
WINDOW = '{days: mon-fri, start: "07:00", end: "19:00"}'
SOURCE = "rtsp://192.0.2.10/stream1"
RULE = "          - kind: illegal_parking\n"
ZONE = "cameras[0].zones[0]"


def in_rule(text: str) -> str:
    return changed("            schedule: working_hours\n", f"            {text}\n")


def at(line: int, where: str, message: str) -> str:
    return f"city.yaml:{line}: {where}: {message}" if where else f"city.yaml:{line}: {message}"


CASES: dict[str, tuple[str, list[str]]] = {
    # polygons
    "polygon with two points": (
        changed(POLYGON, "[[0.1, 0.1], [0.9, 0.1]]"),
        [at(16, f"{ZONE}.polygon", "needs at least 3 points, got 2")],
    ),
    "polygon closed after two points": (
        changed(POLYGON, "[[0.1, 0.1], [0.9, 0.1], [0.1, 0.1]]"),
        [at(16, f"{ZONE}.polygon", "needs at least 3 different points, got 2")],
    ),
    "polygon crosses itself": (
        changed(POLYGON, "[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]"),
        [at(16, f"{ZONE}.polygon", "crosses itself at (0.5, 0.5)")],
    ),
    "polygon touches itself": (
        changed(POLYGON, "[[0, 0], [0.8, 0], [0.8, 0.8], [0.4, 0], [0, 0.8]]"),
        [at(16, f"{ZONE}.polygon", "touches itself at (0.4, 0)")],
    ),
    "polygon without area": (
        changed(POLYGON, "[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]"),
        [at(16, f"{ZONE}.polygon", "has no area: its points lie on one line or in one place")],
    ),
    "point outside 0 to 1": (
        changed(POLYGON, "[[0.1, 0.1], [0.9, 0.1],\n                  [0.9, 1.2]]"),
        [at(17, f"{ZONE}.polygon[2]", "the point (0.9, 1.2) lies outside 0 to 1")],
    ),
    "negative point": (
        changed(POLYGON, "[[-0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]"),
        [at(16, f"{ZONE}.polygon[0]", "the point (-0.1, 0.1) lies outside 0 to 1")],
    ),
    "pixel outside the resolution": (
        changed(POLYGON, "[[10, 10], [1921, 10], [900, 900]]"),
        [
            at(
                16,
                f"{ZONE}.polygon[1]",
                "the point (1921, 10) lies outside the picture of 1920 x 1080 pixels",
            )
        ],
    ),
    "pixels without a resolution": (
        changed(POLYGON, "[[10, 10], [90, 10], [90, 90]]").replace(
            "    resolution: [1920, 1080]\n", ""
        ),
        [
            at(
                15,
                f"{ZONE}.polygon",
                "is in pixels, so the camera needs 'resolution: [width, height]'",
            )
        ],
    ),
    "ratios and pixels mixed": (
        changed(POLYGON, "[[0.1, 0.1], [90, 0.1], [90, 90]]"),
        [at(16, f"{ZONE}.polygon", "mixes ratios (0 to 1) and pixels; say which with 'units'")],
    ),
    "ratios that are called pixels": (
        changed(POLYGON, f"{POLYGON}\n        units: pixels"),
        [at(16, f"{ZONE}.polygon", "has no area: its points lie on one line or in one place")],
    ),
    "unknown units": (
        changed(POLYGON, f"{POLYGON}\n        units: pixel"),
        [
            at(
                17,
                f"{ZONE}.units",
                "should be 'ratio' or 'pixels', got 'pixel' (did you mean 'pixels'?)",
            )
        ],
    ),
    "point with three numbers": (
        changed(POLYGON, "[[0.1, 0.1, 0], [0.9, 0.1], [0.9, 0.9]]"),
        [at(16, f"{ZONE}.polygon[0]", "should be [x, y], got 3 numbers")],
    ),
    "coordinate that is text": (
        changed(POLYGON, "[[a, 0.1], [0.9, 0.1], [0.9, 0.9]]"),
        [at(16, f"{ZONE}.polygon[0][0]", "should be a number, got 'a'")],
    ),
    "coordinate that is infinite": (
        changed(POLYGON, "[[.inf, 0.1], [0.9, 0.1], [0.9, 0.9]]"),
        [at(16, f"{ZONE}.polygon[0][0]", "should be a finite number, got inf")],
    ),
    # keys
    "unknown key": (
        changed("legal_basis", "legal_bases"),
        [
            at(10, "cameras[0].legal_basis", f"is missing: {WHY}"),
            at(12, "cameras[0].legal_bases", "unknown key (did you mean 'legal_basis'?)"),
        ],
    ),
    "unknown key at the top": (
        f"{VALID}camera: []\n",
        [at(20, "camera", "unknown key (did you mean 'cameras'?)")],
    ),
    "unknown key unlike any": (
        f"{VALID}zebra: 1\n",
        [at(20, "zebra", "unknown key")],
    ),
    "unknown key in a rule": (
        in_rule("dwel: 5min"),
        [at(19, f"{ZONE}.rules[0].dwel", "unknown key (did you mean 'dwell'?)")],
    ),
    "unknown kind of zone": (
        changed(POLYGON, f"{POLYGON}\n        kind: busstop"),
        [
            at(
                17,
                f"{ZONE}.kind",
                "should be 'no_stopping', 'no_parking', 'fire_lane', 'bus_stop', 'crossing', "
                "'bike_lane', 'pavement', 'loading_bay' or 'double_parking', got 'busstop' "
                "(did you mean 'bus_stop'?)",
            )
        ],
    ),
    "alert after the order": (
        in_rule("dwell: 1min\n            alert_after: 1min"),
        [at(18, f"{ZONE}.rules[0]", "'alert_after' should be shorter than 'dwell'")],
    ),
    "unknown exempt label": (
        in_rule("exempt: [buss]"),
        [at(19, f"{ZONE}.rules[0].exempt[0]", "unknown label 'buss' (did you mean 'bus'?)")],
    ),
    "all classes exempt": (
        in_rule("exempt: [car, bus, truck, motorcycle]"),
        [
            at(
                18,
                f"{ZONE}.rules[0]",
                "every class it looks for is in 'exempt' too: nothing is left",
            )
        ],
    ),
    "queue in a zone that is none": (
        in_rule("queue_zone: kreb"),
        [at(19, f"{ZONE}.rules[0].queue_zone", "unknown zone 'kreb' (did you mean 'kerb'?)")],
    ),
    "key of another kind of rule": (
        in_rule("min_count: 2"),
        [at(19, f"{ZONE}.rules[0].min_count", "unknown key (did you mean 'min_confidence'?)")],
    ),
    "unknown key in a schedule of the rule's own": (
        in_rule("schedule: {windows: [{dais: mon}]}"),
        [
            at(
                19,
                f"{ZONE}.rules[0].schedule.windows[0].dais",
                "unknown key (did you mean 'days'?)",
            )
        ],
    ),
    "unknown key in a named schedule": (
        changed("    windows:", "    zone: UTC\n    windows:"),
        [at(7, "schedules.working_hours.zone", "unknown key (did you mean 'timezone'?)")],
    ),
    "duplicate key": (
        changed("    source:", "    id: other\n    source:"),
        [at(11, "cameras[0].id", "duplicate key, first at line 10")],
    ),
    "missing key": (
        changed(f"    source: {SOURCE}\n", ""),
        [at(10, "cameras[0].source", "is missing")],
    ),
    "missing section": ("cameras: []\n", [
        at(1, "cameras", "needs at least 1 camera, got 0"),
        at(1, "city", "is missing"),
    ]),
    # ids and references
    "duplicate camera": (
        f"{VALID}  - {{id: gate, source: 0, legal_basis: x}}\n",
        [at(20, "cameras[1].id", "duplicate id 'gate', first at line 10")],
    ),
    "duplicate zone": (
        f"{VALID}      - {{id: kerb, polygon: {POLYGON}, rules: [{{kind: litter}}]}}\n",
        [at(20, "cameras[0].zones[1].id", "duplicate id 'kerb', first at line 15")],
    ),
    "duplicate rule": (
        f"{VALID}          - {{kind: litter, id: a}}\n          - {{kind: litter, id: a}}\n",
        [at(21, f"{ZONE}.rules[2].id", "duplicate id 'a', first at line 20")],
    ),
    "second rule of a kind without an id": (
        f"{VALID}          - kind: illegal_parking\n",
        [
            at(
                20,
                f"{ZONE}.rules[1].kind",
                "duplicate id 'illegal_parking', first at line 18;"
                " give this rule an 'id' of its own",
            )
        ],
    ),
    "duplicate department": (
        changed("routing:", "  - {id: traffic, name: Other}\nrouting:"),
        [at(4, "departments[1].id", "duplicate id 'traffic', first at line 3")],
    ),
    "id with a space": (
        changed("id: gate", "id: main gate"),
        [at(10, "cameras[0].id", "should be 1 to 64 letters a-z, digits, '-', '_' or '.'")],
    ),
    "unknown department of a rule": (
        in_rule("department: trafic"),
        [
            at(
                19,
                f"{ZONE}.rules[0].department",
                "unknown department 'trafic' (did you mean 'traffic'?)",
            )
        ],
    ),
    "unknown department in routing": (
        changed("default: traffic", "default: parks"),
        [at(4, "routing.default", "unknown department 'parks' (known: traffic)")],
    ),
    "department where there is none": (
        changed("departments:\n  - {id: traffic, name: Traffic police}\n", ""),
        [at(2, "routing.default", "unknown department 'traffic' (the file has no departments)")],
    ),
    "unknown category in routing": (
        changed("{default:", "{ilegal_parking: traffic, default:"),
        [
            at(
                4,
                "routing.ilegal_parking",
                "unknown category 'ilegal_parking' (did you mean 'illegal_parking'?)",
            )
        ],
    ),
    "holidays without a calendar": (
        in_rule("schedule: {windows: [{days: [mon, holidays]}]}"),
        [
            at(
                19,
                f"{ZONE}.rules[0].schedule",
                "'holidays' needs a 'calendar' that says which days they are",
            )
        ],
    ),
    "unknown calendar": (
        in_rule("schedule: {calendar: cn, windows: [{days: mon}]}"),
        [
            at(
                19,
                f"{ZONE}.rules[0].schedule.calendar",
                "unknown calendar 'cn' (the file has no calendars)",
            )
        ],
    ),
    "unknown calendar of a named schedule": (
        changed("    windows:", "    calendar: c\n    windows:") + "calendars: {cn: {}}\n",
        [at(7, "schedules.working_hours.calendar", "unknown calendar 'c' (did you mean 'cn'?)")],
    ),
    "no date": (
        f"{VALID}calendars: {{cn: {{holidays: [2026-02-30]}}}}\n",
        [
            at(
                20,
                "calendars.cn.holidays[0]",
                "no date: '2026-02-30' (write '2026-05-01' or '2026-10-01 to 2026-10-08')",
            )
        ],
    ),
    "holiday that is worked": (
        f"{VALID}calendars: {{cn: {{holidays: [2026-02-20], workdays: [2026-02-20]}}}}\n",
        [at(20, "calendars.cn", "2026-02-20 is both a holiday and a working day")],
    ),
    "unknown schedule": (
        in_rule("schedule: work_hours"),
        [
            at(
                19,
                f"{ZONE}.rules[0].schedule",
                "unknown schedule 'work_hours' (did you mean 'working_hours'?)",
            )
        ],
    ),
    "unknown label": (
        in_rule("labels: [car, lorry]"),
        [
            at(
                19,
                f"{ZONE}.rules[0].labels[1]",
                "unknown label 'lorry' (known: bicycle, bus, car, damaged_manhole, damaged_sign,"
                " damaged_street_furniture, fallen_tree, garbage_pile, ...)",
            )
        ],
    ),
    "unknown kind of rule": (
        changed("kind: illegal_parking", "kind: ilegal_parking"),
        [
            at(
                18,
                f"{ZONE}.rules[0].kind",
                "unknown kind 'ilegal_parking' (did you mean 'illegal_parking'?)",
            )
        ],
    ),
    "rule without a kind": (
        changed(RULE, "          - id: a\n"),
        [
            at(
                18,
                f"{ZONE}.rules[0].kind",
                "is missing: one of illegal_parking, litter, littering, damaged_facility",
            )
        ],
    ),
    "zone without rules": (
        changed(f"{RULE}            schedule: working_hours\n", "          []\n"),
        [at(17, f"{ZONE}.rules", "has no rules, and no other zone names it")],
    ),
    # time
    "unknown time zone": (
        changed("Asia/Shanghai", "Asia/Shangai"),
        [
            at(
                1,
                "city.timezone",
                "unknown time zone 'Asia/Shangai' (did you mean 'Asia/Shanghai'?)",
            )
        ],
    ),
    "time zone that is a folder": (
        changed("Asia/Shanghai", "../etc"),
        [at(1, "city.timezone", "unknown time zone '../etc'")],
    ),
    "hour that no day has": (
        changed(WINDOW, '{start: "25:00", end: "26:30"}'),
        [
            at(8, f"{WINDOWS}[0].end", "no time of day: '26:30' (00:00 to 24:00)"),
            at(
                8,
                f"{WINDOWS}[0].start",
                "no time of day: '25:00' (00:00 to 24:00)",
            ),
        ],
    ),
    "time that is no time": (
        changed(WINDOW, "{start: 7}"),
        [
            at(
                8,
                f"{WINDOWS}[0].start",
                "no time of day: '7' (write it as '07:00')",
            )
        ],
    ),
    "unknown day": (
        changed(WINDOW, "{days: [mon, wendsday]}"),
        [
            at(
                8,
                f"{WINDOWS}[0].days",
                "unknown day 'wendsday' (did you mean 'wednesday'?)",
            )
        ],
    ),
    "range with an unknown day": (
        changed(WINDOW, "{days: mon-xyz}"),
        [
            at(
                8,
                f"{WINDOWS}[0].days",
                "unknown day 'xyz' (write mon, tue, wed, thu, fri, sat, sun)",
            )
        ],
    ),
    "no day": (
        changed(WINDOW, "{days: []}"),
        [
            at(
                8,
                f"{WINDOWS}[0].days",
                "needs at least one day; leave 'days' out for all seven",
            )
        ],
    ),
    "window that starts when it ends": (
        changed(WINDOW, '{start: "08:00", end: "08:00"}'),
        [
            at(
                8,
                f"{WINDOWS}[0]",
                "start and end are the same; for the whole day write start: '00:00', end: '24:00'",
            )
        ],
    ),
    "window that starts at the end of the day": (
        changed(WINDOW, '{start: "24:00", end: "08:00"}'),
        [at(8, f"{WINDOWS}[0]", "start should be earlier than 24:00")],
    ),
    "schedule without windows": (
        in_rule("schedule: {windows: []}"),
        [at(19, f"{ZONE}.rules[0].schedule.windows", "needs at least 1 window, got 0")],
    ),
    "duration in unknown words": (
        in_rule("dwell: 5 minutos"),
        [
            at(
                19,
                f"{ZONE}.rules[0].dwell",
                "no duration: '5 minutos' (write '90s', '5min', '1h30m' or seconds)",
            )
        ],
    ),
    "duration with a unit twice": (
        in_rule("dwell: 5min 3min"),
        [
            at(
                19,
                f"{ZONE}.rules[0].dwell",
                "no duration: '5min 3min' (each unit once, the largest first)",
            )
        ],
    ),
    "no dwell at all": (
        in_rule("dwell: 0"),
        [at(19, f"{ZONE}.rules[0].dwell", "should be longer than 0")],
    ),
    "negative duration": (
        in_rule("grace: -1"),
        [at(19, f"{ZONE}.rules[0].grace", "should be between 0 and 31 days, got -1")],
    ),
    "duration that is a list": (
        in_rule("grace: [1]"),
        [
            at(
                19,
                f"{ZONE}.rules[0].grace",
                "should be seconds or a duration such as '90s', '5min' or '1h30m'",
            )
        ],
    ),
    # sources and dispatch
    "environment variable that is not set": (
        changed(SOURCE, "rtsp://viewer:${CAMERA_PASSWORD}@192.0.2.10/1"),
        [at(11, "cameras[0].source", "environment variable CAMERA_PASSWORD not set")],
    ),
    "placeholder without an end": (
        changed(SOURCE, "rtsp://viewer:${CAMERA_PASSWORD@192.0.2.10/1"),
        [at(11, "cameras[0].source", "a placeholder is not closed: write ${NAME}")],
    ),
    "placeholder that is no name": (
        changed(SOURCE, "rtsp://viewer:${1+1}@192.0.2.10/1"),
        [
            at(
                11,
                "cameras[0].source",
                "a placeholder is no name of an environment variable: write ${NAME}",
            )
        ],
    ),
    "unknown kind of address": (
        changed(SOURCE, "rstp://viewer:hunter2@192.0.2.10/1"),
        [at(11, "cameras[0].source", "unknown kind of address 'rstp://' (did you mean 'rtsp'?)")],
    ),
    "port that is no port": (
        changed(SOURCE, "rtsp://viewer:hunter2@192.0.2.10:99999/1"),
        [
            at(
                11,
                "cameras[0].source",
                "is no usable address: host or port is wrong (special characters in a password"
                " must be percent-encoded, such as %40 for @)",
            )
        ],
    ),
    "negative USB index": (
        changed(SOURCE, "-1"),
        [at(11, "cameras[0].source", "the index of a USB camera should be at least 0")],
    ),
    "source that is a list": (
        changed(SOURCE, "[rtsp://viewer:hunter2@h/1]"),
        [at(11, "cameras[0].source", "should be text, got a list")],
    ),
    "credentials in the address of dispatch": (
        f"{VALID}dispatch: {{url: 'http://viewer:hunter2@h:8080'}}\n",
        [
            at(
                20,
                "dispatch.url",
                "should have no credentials, query or fragment; see 'api_key_env'",
            )
        ],
    ),
    "address of dispatch that is none": (
        f"{VALID}dispatch: {{url: 'localhost:8080'}}\n",
        [at(20, "dispatch.url", "should be an address such as 'http://127.0.0.1:8080'")],
    ),
    "key where its variable should be named": (
        f"{VALID}dispatch: {{api_key_env: hunter2-live}}\n",
        [
            at(
                20,
                "dispatch.api_key_env",
                "should be the name of an environment variable, never the key itself",
            )
        ],
    ),
    # plain values
    "number where text is wanted": (
        changed("id: gate", "id: 12"),
        [at(10, "cameras[0].id", "should be text, got 12 (write it in quotes)")],
    ),
    "text where a number is wanted": (
        in_rule("min_confidence: high"),
        [at(19, f"{ZONE}.rules[0].min_confidence", "should be a number, got 'high'")],
    ),
    "number above its bound": (
        in_rule("min_confidence: 1.5"),
        [at(19, f"{ZONE}.rules[0].min_confidence", "should be at most 1, got 1.5")],
    ),
    "number below its bound": (
        f"{VALID}          - {{kind: litter, min_count: 0}}\n",
        [at(20, f"{ZONE}.rules[1].min_count", "should be at least 1, got 0")],
    ),
    "fraction where a whole number is wanted": (
        f"{VALID}          - {{kind: litter, min_count: 1.5}}\n",
        [at(20, f"{ZONE}.rules[1].min_count", "should be a whole number, got 1.5")],
    ),
    "image size that no network has": (
        f"{VALID}model: {{image_size: 650}}\n",
        [at(20, "model.image_size", "should be a multiple of 32, got 650")],
    ),
    "word where true or false is wanted": (
        changed("    resolution:", "    loop: yes\n    resolution:"),
        [at(13, "cameras[0].loop", "should be true or false, got 'yes'")],
    ),
    "blank legal basis": (
        changed("legal_basis: Council decision 12/2026", "legal_basis: ' '"),
        [at(12, "cameras[0].legal_basis", "must not be blank")],
    ),
    "section that was left empty": (
        f"{VALID}model:\n",
        [at(20, "model", "should be a mapping of keys to values, got nothing")],
    ),
    "list where a mapping is wanted": (
        changed(f"  working_hours:\n    windows:\n      - {WINDOW}\n", "  []\n"),
        [
            at(5, "schedules", "should be a mapping of keys to values, got a list"),
            at(
                17,
                f"{ZONE}.rules[0].schedule",
                "unknown schedule 'working_hours' (the file has no schedules)",
            ),
        ],
    ),
    "blank text": (
        changed("name: Testville", "name: ''"),
        [at(1, "city.name", "must not be blank")],
    ),
    "mapping where a list is wanted": (
        f"{CITY}\ncameras: {{gate: 1}}\n",
        [at(2, "cameras", "should be a list, got a mapping")],
    ),
    "resolution with one number": (
        changed("[1920, 1080]", "[1920]"),
        [at(13, "cameras[0].resolution", "should be [width, height], got 1 number")],
    ),
    "latitude without longitude": (
        changed("    resolution:", "    location: {latitude: 31.2}\n    resolution:"),
        [at(13, "cameras[0].location", "latitude and longitude go together")],
    ),
    "name that is too long": (
        changed("name: Testville", f"name: {'x' * 501}"),
        [at(1, "city.name", "is too long: at most 500 characters")],
    ),
    # YAML itself
    "bracket that is not closed": (
        f"{CITY}\ncameras: [\n",
        [
            at(
                3,
                "",
                "not YAML: did not find expected node content, while parsing a flow node"
                " (column 1)",
            )
        ],
    ),
    "tab as indentation": (
        "city:\n\tname: x\n",
        [
            at(
                2,
                "",
                "not YAML: found character that cannot start any token,"
                " while scanning for the next token (column 1)",
            )
        ],
    ),
    "control character": (
        f"{CITY}\n# \x07\n",
        [at(2, "", "not YAML: control characters are not allowed")],
    ),
    "two documents": (
        f"{VALID}---\na: 1\n",
        [
            at(
                20,
                "",
                "not YAML: but found another document,"
                " expected a single document in the stream (column 1)",
            )
        ],
    ),
    "alias that nothing defines": (
        f"{CITY}\ncameras: *all\n",
        [at(2, "", "not YAML: found undefined alias (column 10)")],
    ),
    "alias within itself": (
        f"{CITY}\ncameras: &all [*all]\n",
        [at(2, "", "an alias refers to the value it is part of")],
    ),
    "tag": (
        changed(SOURCE, "!python/name:os.system x"),
        [
            at(11, "cameras[0].source", "should be text, got nothing"),
            at(11, "cameras[0].source", "the tag !python/name:os.system is not supported"),
        ],
    ),
    "key that is a list": (
        f"{VALID}? [a, b]\n: 1\n",
        [at(20, "", "a key must be plain text")],
    ),
    "nested too deeply": (
        f"city: {'[' * 60}{']' * 60}\n",
        [at(1, "", "is nested too deeply or too large")],
    ),
    "empty": ("", [at(1, "", "is empty")]),
    "nothing but a comment": ("# later\n", [at(1, "", "is empty")]),
    "text instead of a mapping": (
        "city\n",
        [at(1, "", "should be a mapping of keys to values, got 'city'")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_a_wrong_file_is_refused_with_its_line(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_city(path, environ={})
    assert shown(refused.value, path) == expected


def test_the_file_that_the_rows_are_made_from_is_right(tmp_path: Path) -> None:
    assert load_city(write(tmp_path, VALID), environ={}).cameras[0].camera_id == "gate"


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    with pytest.raises(ConfigError) as refused:
        load_city(path)
    assert shown(refused.value, path) == ["city.yaml:1: there is no such file"]


def test_a_folder_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_city(tmp_path)
    assert shown(refused.value, tmp_path) == ["city.yaml:1: is a folder, not a file"]


def test_text_that_is_not_utf8_is_a_problem_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_bytes("city:\n  name: 上海\n".encode("gb18030"))
    with pytest.raises(ConfigError) as refused:
        load_city(path)
    assert shown(refused.value, path) == [
        "city.yaml:2: is not UTF-8 text: save it with that encoding"
    ]


def test_nested_aliases_do_not_eat_the_memory(tmp_path: Path) -> None:
    levels = "\n".join(
        f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 9)}]" for level in range(1, 12)
    )
    path = write(tmp_path, f"l0: &l0 [x]\n{levels}\n")
    with pytest.raises(ConfigError, match="nested too deeply or too large"):
        load_city(path)


def test_all_problems_come_at_once_sorted_by_line(tmp_path: Path) -> None:
    text = (
        changed(POLYGON, "[[0.1, 0.1], [0.9, 0.9], [0.9, 0.1], [0.1, 0.9]]")
        .replace("timezone: Asia/Shanghai", "timezone: Mars/Base")
        .replace("default: traffic", "default: nobody")
        .replace("kind: illegal_parking", "kind: illegal_parking\n            dwell: soon")
        .replace("    legal_basis: Council decision 12/2026\n", "    loop: 1\n    loop: true\n")
    )
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        load_city(path, environ={})
    assert shown(refused.value, path) == [
        "city.yaml:1: city.timezone: unknown time zone 'Mars/Base'",
        "city.yaml:4: routing.default: unknown department 'nobody' (known: traffic)",
        "city.yaml:10: cameras[0].legal_basis: is missing:"
        " say why this camera may watch this place",
        "city.yaml:12: cameras[0].loop: should be true or false, got 1",
        "city.yaml:13: cameras[0].loop: duplicate key, first at line 12",
        "city.yaml:17: cameras[0].zones[0].polygon: crosses itself at (0.5, 0.5)",
        "city.yaml:20: cameras[0].zones[0].rules[0].dwell:"
        " no duration: 'soon' (write '90s', '5min', '1h30m' or seconds)",
    ]
