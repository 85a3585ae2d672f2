from __future__ import annotations

from pathlib import Path

import pytest

from models.category import ClockKind
from models.errors import ConfigError
from models.zone import Priority
from service.config import load_city
from service.config.categories import PACKAGED, load_categories, packaged_keys
from tests.config.builders import VALID, changed, write

SMALL = """\
sla:
  low: {accept: 4h, resolve: 8h}
  normal: {accept: 2h, resolve: 4h}
  high: {accept: 1h, resolve: 2h}
  urgent: {accept: 15min, resolve: 1h, clock: urgent}
working_hours:
  windows: [{days: workdays, start: "08:00", end: "12:00"}]
categories:
  litter:
    name: {en: Litter, zh: 垃圾}
    codes: [{kind: event, scheme: GB/T 30428.2-2013, code: "01-12"}]
    sla: {any: {resolve: 3h}, low: {accept: 30min}}
"""


def small(tmp_path: Path, old: str = "", new: str = "") -> Path:
    assert SMALL.count(old) == 1 or not old
    path = tmp_path / "categories.yaml"
    path.write_text(SMALL.replace(old, new) if old else SMALL, encoding="utf-8")
    return path


def test_the_packaged_table_names_all_categories_in_both_languages() -> None:
    table = load_categories()

    assert {"illegal_parking", "litter", "damaged_facility", "camera_fault"} <= set(
        table.categories
    )
    for category in table.categories.values():
        assert category.name
        assert category.name_zh
        assert set(category.limits) == set(Priority)
    keys = [(c.kind, c.scheme, c.code) for c in table.categories["damaged_manhole"].codes]
    assert ("facility", "GB/T 30428.2-2013", "01-23") in keys


def test_the_most_particular_limit_counts(tmp_path: Path) -> None:
    limits = load_categories(small(tmp_path)).categories["litter"].limits

    assert (limits[Priority.NORMAL].accept_s, limits[Priority.NORMAL].resolve_s) == (7200, 10800)
    assert limits[Priority.LOW].accept_s == 1800
    assert limits[Priority.URGENT].clock is ClockKind.URGENT


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param(
            "zh: 垃圾", "cn: 垃圾", "10: categories.litter.name.cn: unknown key", id="unknown key"
        ),
        pytest.param(
            "kind: event",
            "kind: events",
            "11: categories.litter.codes[0].kind: should be 'event' or 'facility', got 'events'",
            id="kind",
        ),
        pytest.param(
            'code: "01-12"',
            "code: 112",
            "11: categories.litter.codes[0].code: should be text, got 112",
            id="code",
        ),
        pytest.param(
            "any: {resolve: 3h}",
            "any: {resolve: soon}",
            "12: categories.litter.sla.any.resolve: no duration: 'soon'",
            id="duration",
        ),
        pytest.param(
            "low: {accept: 30min}",
            "low: {accept: 30h}",
            "12: categories.litter.sla: with priority low it must be resolved before",
            id="order of times",
        ),
        pytest.param("{accept: 1h, ", "{", "4: sla.high.accept: is missing", id="no time"),
        pytest.param(
            "categories:",
            "escalation: {department: office}\ncategories:",
            "8: escalation.department: unknown department 'office'",
            id="department",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_field(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path = small(tmp_path, old, new)

    with pytest.raises(ConfigError) as caught:
        load_categories(path)

    wanted = f"{path}:{problem}"
    assert any(str(each).startswith(wanted) for each in caught.value.problems), str(caught.value)


def test_two_categories_cannot_have_one_service_code(tmp_path: Path) -> None:
    path = small(tmp_path)
    more = "  bin:\n    name: {en: Bin, zh: 箱}\n    service_code: litter\n"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"15: categories\.bin\.service_code: 'litter' is the"):
        load_categories(path)


def test_a_key_that_is_nearly_right_is_proposed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown key \(did you mean 'codes'\?\)"):
        load_categories(small(tmp_path, "codes:", "code:"))


def test_the_packaged_table_is_part_of_the_package() -> None:
    assert PACKAGED.is_file()


ROUTES = """\
routing:
  illegal_parking:
    - {department: traffic, zones: [kerb], schedule: working_hours}
    - traffic
  default: traffic
"""


def test_routes_are_read_with_their_places_and_schedules(tmp_path: Path) -> None:
    city = load_city(write(tmp_path, changed("routing: {default: traffic}\n", ROUTES)), environ={})

    routes = city.routing["illegal_parking"]
    assert not isinstance(routes, str)
    first, second = routes
    assert first.zone_ids == ("kerb",)
    assert first.schedule is not None
    assert first.schedule.timezone == "Asia/Shanghai"
    assert (second.department_id, second.schedule) == ("traffic", None)
    assert city.routing["default"] == "traffic"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("department: traffic", "department: trafic", "6:", id="department"),
        pytest.param("[kerb]", "[curb]", "6: routing.illegal_parking[0].zones[0]", id="zone"),
        pytest.param("schedule: working", "schedule: worming", "6:", id="schedule"),
        pytest.param("    - traffic\n", "    - trafic\n", "7:", id="department alone"),
        pytest.param("zones:", "zone:", "6: routing.illegal_parking[0].zone: unknown", id="key"),
    ],
)
def test_what_is_wrong_with_a_route_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert ROUTES.count(old) == 1
    text = VALID.replace("routing: {default: traffic}\n", ROUTES.replace(old, new))
    path = write(tmp_path, text)

    with pytest.raises(ConfigError) as caught:
        load_city(path, environ={})

    assert any(str(each).startswith(f"{path}:{problem}") for each in caught.value.problems), (
        caught.value
    )


def test_what_only_citizens_report_can_be_routed(tmp_path: Path) -> None:
    file = tmp_path / "city.yaml"
    file.write_text(
        "city: {name: Testville, timezone: UTC}\n"
        "departments: [{id: roads, name: Roads}]\n"
        "routing: {road_damage: roads}\n"
        "cameras: [{id: gate, source: 0, legal_basis: test}]\n"
    )
    assert load_city(file).routing == {"road_damage": "roads"}
    assert packaged_keys() == set(load_categories().categories)
