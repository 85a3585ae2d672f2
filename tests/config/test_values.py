"""What a right city.yaml means."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from models.calendar import Calendar, DayKind
from models.city import City
from models.labels import DAMAGE, LITTER, VEHICLES
from models.zone import (
    DamagedFacilityRule,
    IllegalParkingRule,
    LitterRule,
    Location,
    Priority,
    Rule,
    Schedule,
    TimeWindow,
)
from service.config import load_city
from service.config.scalars import parse_clock, parse_dates, parse_days, parse_duration
from tests.config.builders import VALID, changed, write


def load(folder: Path, text: str, **environ: str) -> City:
    return load_city(write(folder, text), environ=environ)


def rule_of(folder: Path, text: str) -> Rule:
    return load(folder, text).cameras[0].zones[0].rules[0]


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0), (1.5, 1.5), ("90s", 90.0), ("5min", 300.0), ("5m", 300.0), ("1h30m", 5400.0),
        ("1h 30min", 5400.0), ("500ms", 0.5), ("1d", 86400.0), ("0.5h", 1800.0), (0, 0.0),
        ("10 sec", 10.0), ("1d2h3m4s5ms", 93784.005),
    ],
)  # fmt: skip
def test_a_duration_is_read_as_seconds(written: object, seconds: float) -> None:
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "written", ["90", "", "s", "1h 1h", "5m1h", "-5s", True, None, float("nan")]
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"duration|between"):
        parse_duration(written)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon", {0}), ("mon-fri", {0, 1, 2, 3, 4}), ("fri-mon", {4, 5, 6, 0}), ("Sunday", {6}),
        ("mon, wed-thu", {0, 2, 3}), (["sat", "sun"], {5, 6}), (["mon-tue", "sun"], {0, 1, 6}),
        ("mon-sun", set(range(7))), ("tue-tue", {1}), ("workdays", {DayKind.WORKDAYS}),
        ("sat, holidays", {5, DayKind.HOLIDAYS}), (["Restdays", "mon-tue"], {0, 1, "restdays"}),
    ],
)  # fmt: skip
def test_days_are_read_from_names_and_ranges(written: object, days: set[object]) -> None:
    assert parse_days(written) == days


@pytest.mark.parametrize(("written", "minutes"), [("00:00", 0), ("7:05", 425), ("24:00", 1440)])
def test_a_time_of_day_is_read_as_minutes(written: str, minutes: int) -> None:
    assert parse_clock(written) == minutes


@pytest.mark.parametrize("written", ["24:01", "12:60", "12", "12:5", "noon", 720, None])
def test_what_is_no_time_of_day_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="no time of day"):
        parse_clock(written)


@pytest.mark.parametrize(
    ("kind", "category", "dwell_s"),
    [
        ("illegal_parking", None, 300), ("illegal_parking", "no_parking", 300),
        ("illegal_parking", "no_stopping", 60), ("illegal_parking", "fire_lane", 60),
        ("illegal_parking", "loading_bay", 1200), ("illegal_parking", "own", 300),
        ("litter", None, 60), ("damaged_facility", None, 300),
    ],
)  # fmt: skip
def test_the_dwell_follows_the_category(
    tmp_path: Path, kind: str, category: str | None, dwell_s: float
) -> None:
    text = changed("kind: illegal_parking", f"kind: {kind}")
    if category:
        text += f"            category: {category}\n"
    rule = rule_of(tmp_path, text)
    assert (rule.dwell_s, rule.category) == (dwell_s, category or kind)


@pytest.mark.parametrize(
    ("kind", "type_", "labels"),
    [
        ("illegal_parking", IllegalParkingRule, VEHICLES),
        ("litter", LitterRule, LITTER),
        ("damaged_facility", DamagedFacilityRule, DAMAGE),
    ],
)
def test_a_rule_of_which_only_the_kind_is_written_is_complete(
    tmp_path: Path, kind: str, type_: type[Rule], labels: tuple[str, ...]
) -> None:
    rule = rule_of(tmp_path, changed("kind: illegal_parking", f"kind: {kind}"))
    assert type(rule) is type_
    assert (rule.rule_id, rule.labels) == (kind, frozenset(labels))


@pytest.mark.parametrize("kind", ["litter", "damaged_facility"])
def test_litter_and_damage_may_be_missed_for_longer(tmp_path: Path, kind: str) -> None:
    rule = rule_of(tmp_path, changed("kind: illegal_parking", f"kind: {kind}"))
    assert rule.grace_s == 30


@pytest.mark.parametrize(
    ("look_interval", "grace_s", "clear_after_s"),
    [("1s", 5, 30), ("10s", 30, 40), ("1min", 180, 240)],
)
def test_slow_looks_lengthen_the_usual_patience(
    tmp_path: Path, look_interval: str, grace_s: float, clear_after_s: float
) -> None:
    text = changed("    resolution:", f"    look_interval: {look_interval}\n    resolution:")
    rule = rule_of(tmp_path, text)
    assert (rule.grace_s, rule.clear_after_s) == (grace_s, clear_after_s)


def test_every_field_of_a_rule_is_taken_over(tmp_path: Path) -> None:
    text = changed(
        "            schedule: working_hours\n",
        """\
            id: bays
            labels: [bus, lorry]
            dwell: 2min
            grace: 0
            clear_after: 45s
            min_confidence: 0.4
            min_seen_ratio: 0.7
            min_coverage: 0.3
            queue: count
            schedule: {timezone: Europe/Berlin, windows: [{start: "22:00", end: "06:00"}]}
            category: bus_stop
            department: traffic
            priority: urgent
model: {class_map: {HGV: lorry}}
""",
    )
    assert rule_of(tmp_path, text) == IllegalParkingRule(
        rule_id="bays",
        labels=frozenset({"bus", "lorry"}),
        dwell_s=120,
        grace_s=0,
        clear_after_s=45,
        min_confidence=0.4,
        min_seen_ratio=0.7,
        min_coverage_ratio=0.3,
        schedule=Schedule(
            timezone="Europe/Berlin", windows=(TimeWindow(start=time(22), end=time(6)),)
        ),
        category="bus_stop",
        department_id="traffic",
        priority=Priority.URGENT,
    )


def test_a_schedule_takes_the_time_zone_of_the_city(tmp_path: Path) -> None:
    assert rule_of(tmp_path, VALID).schedule == Schedule(
        timezone="Asia/Shanghai",
        windows=(TimeWindow(days=frozenset(range(5)), start=time(7), end=time(19)),),
    )


@pytest.mark.parametrize(
    "window", ["{}", '{start: "00:00", end: "24:00"}', '{end: "24:00"}', "{days: mon-sun}"]
)
def test_a_whole_day_is_a_window_from_midnight_to_midnight(tmp_path: Path, window: str) -> None:
    text = changed('{days: mon-fri, start: "07:00", end: "19:00"}', window)
    assert rule_of(tmp_path, text).schedule.windows == (TimeWindow(),)


@pytest.mark.parametrize(
    ("polygon", "in_pixels"),
    [
        ("[[0, 0], [1, 0], [1, 1]]", False),
        ("[[0, 0], [100, 0], [100, 100]]", True),
        ("[[0.5, 0.25], [100, 0], [100, 100]]\n        units: pixels", True),
        ("[[0, 0], [1, 0], [1, 2]]\n        units: pixels", True),
    ],
)
def test_units_are_guessed_where_they_are_not_written(
    tmp_path: Path, polygon: str, in_pixels: bool
) -> None:
    text = changed("[[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]", polygon)
    assert load(tmp_path, text).cameras[0].zones[0].in_pixels is in_pixels


def test_a_polygon_may_repeat_its_first_point_at_the_end(tmp_path: Path) -> None:
    text = changed("[0.9, 0.9]]", "[0.9, 0.9], [0.1, 0.1]]")
    assert load(tmp_path, text).cameras[0].zones[0].polygon == (
        (0.1, 0.1), (0.9, 0.1), (0.9, 0.9),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("0", "0"), ("'2'", "2"), ("/video/a.mp4", "/video/a.mp4"),
        ("https://192.0.2.1/a.mjpg", "https://192.0.2.1/a.mjpg"),
        ("rtsp://viewer:${PASSWORD}@192.0.2.1/1", "rtsp://viewer:hunter2@192.0.2.1/1"),
        ("${CAMERA}", "rtsp://viewer:hunter2@192.0.2.1/1"),
    ],
)  # fmt: skip
def test_a_source_is_an_address_a_file_or_an_index(
    tmp_path: Path, written: str, source: str
) -> None:
    text = changed("rtsp://192.0.2.10/stream1", written)
    city = load(tmp_path, text, PASSWORD="hunter2", CAMERA="rtsp://viewer:hunter2@192.0.2.1/1")
    assert city.cameras[0].source == source


def test_relative_paths_start_at_the_folder_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    text = changed("rtsp://192.0.2.10/stream1", "../clips/a.mp4") + "model: {weights: own.pt}\n"
    write(folder, text)
    city = load_city(Path("conf/city.yaml"))
    assert city.cameras[0].source == str(tmp_path / "clips" / "a.mp4")
    assert city.model.weights == str(folder / "own.pt")


def test_a_name_of_the_registry_is_no_path(tmp_path: Path) -> None:
    assert load(tmp_path, VALID + "model: {weights: street-n}\n").model.weights == "street-n"


def test_sections_that_are_not_written_have_their_defaults(tmp_path: Path) -> None:
    city = load(tmp_path, VALID)
    assert (city.model.weights, city.model.image_size_px) == ("street-n", 640)
    assert (city.dispatch.url, city.dispatch.api_key_env) == (
        "http://127.0.0.1:8080", "STREETWARDEN_API_KEY",
    )  # fmt: skip
    camera = city.cameras[0]
    assert (camera.name, camera.look_interval_s, camera.rtsp_transport, camera.location) == (
        "gate", 1.0, "tcp", Location(),
    )  # fmt: skip


def test_chinese_text_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "city.yaml"
    path.write_text(changed("Testville", "上海市"), encoding="utf-8-sig")
    assert load_city(path).name == "上海市"


def test_words_that_yaml_1_1_would_twist_stay_what_they_are(tmp_path: Path) -> None:
    text = changed("id: gate", "id: no").replace('"07:00"', "07:00")
    city = load(tmp_path, text)
    assert city.cameras[0].camera_id == "no"
    assert city.cameras[0].zones[0].rules[0].schedule.windows[0].start == time(7)


def test_an_alias_is_its_value_again(tmp_path: Path) -> None:
    text = VALID.replace("        polygon: [", "        polygon: &shape [") + (
        "      - {id: again, polygon: *shape, rules: [{kind: litter}]}\n"
    )
    zones = load(tmp_path, text).cameras[0].zones
    assert zones[0].polygon == zones[1].polygon


def test_a_parking_rule_minds_queues_unless_told_otherwise(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, VALID)
    assert isinstance(rule, IllegalParkingRule)
    assert (rule.queue, rule.queue_zone_id, rule.longest_queue_s) == ("ignore", None, 300)
    assert rule.longest_red_s is None
    told = in_a_rule("queue: count", "queue_zone: kerb", "longest_queue: 4min")
    rule = rule_of(tmp_path, told)
    assert isinstance(rule, IllegalParkingRule)
    assert (rule.queue, rule.queue_zone_id, rule.longest_queue_s) == ("count", "kerb", 240)


@pytest.mark.parametrize(
    ("written", "longest_red_s"),
    [("traffic_light: true", 120), ("traffic_light: true\n        longest_red: 90s", 90)],
)
def test_a_zone_at_lights_tells_its_parking_rules_the_longest_red(
    tmp_path: Path, written: str, longest_red_s: float
) -> None:
    rule = rule_of(tmp_path, changed("        rules:", f"        {written}\n        rules:"))
    assert isinstance(rule, IllegalParkingRule)
    assert rule.longest_red_s == longest_red_s


def in_a_rule(*lines: str) -> str:
    """The valid file with more lines in its rule."""
    return changed(
        "            schedule: working_hours\n",
        "".join(f"            {line}\n" for line in lines),
    )


def in_a_zone(kind: str, rule: str = "") -> str:
    """The valid file with a kind in its zone."""
    text = changed("        rules:\n", f"        kind: {kind}\n        rules:\n")
    return text.replace("            schedule: working_hours\n", rule)


@pytest.mark.parametrize(
    ("kind", "dwell_s", "priority", "queue"),
    [
        ("no_parking", 300, "normal", "ignore"),
        ("no_stopping", 60, "normal", "ignore"),
        ("fire_lane", 60, "urgent", "count"),
        ("bus_stop", 60, "high", "ignore"),
        ("crossing", 60, "high", "ignore"),
        ("bike_lane", 60, "normal", "ignore"),
        ("pavement", 60, "normal", "count"),
        ("loading_bay", 1200, "low", "ignore"),
    ],
)
def test_a_kind_of_zone_tells_its_parking_rules_what_is_usual(
    tmp_path: Path, kind: str, dwell_s: float, priority: str, queue: str
) -> None:
    zone = load(tmp_path, in_a_zone(kind)).cameras[0].zones[0]
    (rule,) = zone.rules
    assert isinstance(rule, IllegalParkingRule)
    assert zone.kind == rule.category == kind
    assert (rule.dwell_s, rule.priority, rule.queue) == (dwell_s, priority, queue)
    assert rule.labels == frozenset(VEHICLES) - ({"bus"} if kind == "bus_stop" else set())


def test_a_rule_comes_before_the_kind_of_its_zone(tmp_path: Path) -> None:
    told = in_a_zone(
        "bus_stop",
        "            dwell: 7s\n            category: own\n            priority: low\n"
        "            queue: count\n            labels: [bus, car, truck]\n"
        "            exempt: [truck]\n",
    )
    rule = rule_of(tmp_path, told)
    assert isinstance(rule, IllegalParkingRule)
    assert (rule.dwell_s, rule.category, rule.priority) == (7, "own", "low")
    assert rule.queue == "count"
    assert rule.labels == {"bus", "car"}


def test_labels_that_are_written_are_not_exempt_by_the_kind_of_zone(tmp_path: Path) -> None:
    told = in_a_zone("bus_stop", "            labels: [bus, car]\n")
    assert rule_of(tmp_path, told).labels == {"bus", "car"}


@pytest.mark.parametrize(
    ("labels", "category"),
    [("bicycle", "non_motor_parking"), ("bicycle, motorcycle", "non_motor_parking"),
     ("bicycle, car", "pavement")],
)  # fmt: skip
def test_bicycles_left_about_have_a_category_of_their_own(
    tmp_path: Path, labels: str, category: str
) -> None:
    rule = rule_of(tmp_path, in_a_zone("pavement", f"            labels: [{labels}]\n"))
    assert (rule.category, rule.dwell_s) == (category, 60)


def test_a_kind_of_zone_means_nothing_to_litter(tmp_path: Path) -> None:
    told = in_a_zone("fire_lane").replace("kind: illegal_parking", "kind: litter")
    rule = rule_of(tmp_path, told)
    assert (rule.category, rule.dwell_s, rule.priority) == ("litter", 60, "normal")


@pytest.mark.parametrize("key", ["pavement", "non_motor_parking"])
def test_what_kinds_of_zones_file_can_be_routed(tmp_path: Path, key: str) -> None:
    text = in_a_zone("pavement").replace("{default: traffic}", f"{{{key}: traffic}}")
    assert load(tmp_path, text).routing == {key: "traffic"}


CALENDAR = """\
calendars:
  cn:
    holidays: [2026-10-01 to 2026-10-08, 2026-01-01]
    workdays: [2026-09-27, 2026-10-10]
"""


def test_a_schedule_goes_by_the_calendar_that_it_names(tmp_path: Path) -> None:
    written = '{calendar: cn, windows: [{days: [workdays, sat], start: "07:00"}, {days: holidays}]}'
    schedule = rule_of(tmp_path, CALENDAR + in_a_rule(f"schedule: {written}")).schedule
    workdays, holidays = schedule.windows
    assert workdays.days == {5}
    assert workdays.kinds == {DayKind.WORKDAYS}
    assert not holidays.days
    assert holidays.kinds == {DayKind.HOLIDAYS}
    assert schedule.calendar == Calendar(
        holidays=frozenset({date(2026, 1, 1), *(date(2026, 10, day) for day in range(1, 9))}),
        workdays=frozenset({date(2026, 9, 27), date(2026, 10, 10)}),
    )


def test_a_named_schedule_may_go_by_a_calendar(tmp_path: Path) -> None:
    text = changed("    windows:\n", "    calendar: cn\n    windows:\n")
    text = text.replace("days: mon-fri", "days: workdays")
    schedule = rule_of(tmp_path, CALENDAR + text).schedule
    assert date(2026, 1, 1) in schedule.calendar.holidays
    assert schedule.windows[0].kinds == {DayKind.WORKDAYS}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2026-13-01", "no date"),
        ("2026-10-01 to", "no date"),
        ("1 October", "no date"),
        (20261001, "no date"),
        ("2026-10-08 to 2026-10-01", "no range"),
        ("2026-01-01 to 2027-10-01", "no range"),
    ],
)
def test_what_is_no_date_is_refused(written: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_dates(written)


def test_what_was_there_before_counts_and_loading_is_not_allowed_unless_told(
    tmp_path: Path,
) -> None:
    rule = rule_of(tmp_path, VALID)
    assert isinstance(rule, IllegalParkingRule)
    assert (rule.already_there, rule.loading_s) == ("count", None)
    assert rule.alert_after_s is None
    told = in_a_rule("already_there: ignore", "loading: {grace: 10min}", "alert_after: 1min")
    rule = rule_of(tmp_path, told)
    assert isinstance(rule, IllegalParkingRule)
    assert rule.alert_after_s == 60
    assert (rule.already_there, rule.loading_s) == ("ignore", 600)


@pytest.mark.parametrize("stage", ["draft", "shadow", "live", None])
def test_a_zone_is_live_unless_told_otherwise(tmp_path: Path, stage: str | None) -> None:
    text = changed("        rules:", f"        stage: {stage}\n        rules:") if stage else VALID
    camera = load(tmp_path, text).cameras[0]
    assert camera.zones[0].stage == (stage or "live")
    assert len(camera.run_zones) == (0 if stage == "draft" else 1)
