"""The rules of the specification, and what keeps the public interface from misuse."""

from __future__ import annotations

import io
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from service.decisions.access import Role
from tests.support.dispatch import KEYS, Service

ROOT = "/open311/v2"
FORM = {
    "api_key": KEYS[Role.DETECTOR],
    "service_code": "litter",
    "lat": "31.2304",
    "long": "121.4737",
    "description": "cans",
}


def report(service: Service, files: Any = None, **changes: str) -> dict[str, Any]:
    answer = service.anonymous.post(f"{ROOT}/requests.json", data=FORM | changes, files=files)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()[0]
    return found


@pytest.mark.parametrize(
    ("changes", "code", "says"),
    [
        pytest.param({"api_key": ""}, 403, "api_key", id="no key"),
        pytest.param({"api_key": "wrong"}, 403, "api_key", id="unknown key"),
        pytest.param({"service_code": ""}, 400, "service_code", id="no service"),
        pytest.param({"service_code": "ufo"}, 404, "ufo", id="unknown service"),
        pytest.param({"service_code": "camera_fault"}, 404, "camera_fault", id="hidden service"),
        pytest.param({"lat": "", "long": ""}, 400, "location", id="nowhere"),
        pytest.param({"lat": "north"}, 400, "lat", id="no number"),
        pytest.param({"lat": "nan"}, 400, "lat", id="not a number"),
        pytest.param({"lat": "91"}, 400, "lat", id="beyond the pole"),
        pytest.param({"description": "x" * 4001}, 400, "description", id="too long"),
        pytest.param({"media_url": "file:///etc/passwd"}, 400, "media_url", id="no web address"),
    ],
)
def test_a_report_that_is_wrong_is_refused_as_specified(
    sqlite_service: Service, changes: dict[str, str], code: int, says: str
) -> None:
    as_json = sqlite_service.anonymous.post(f"{ROOT}/requests.json", data=FORM | changes)
    as_xml = sqlite_service.anonymous.post(f"{ROOT}/requests.xml", data=FORM | changes)

    assert (as_json.status_code, as_xml.status_code) == (code, code)
    assert as_json.json()[0]["code"] == code
    assert says in as_json.json()[0]["description"]
    assert as_xml.headers["content-type"] == "text/xml; charset=utf-8"
    assert ET.fromstring(as_xml.text).findtext("error/code") == str(code)  # noqa: S314 - our own
    assert sqlite_service.client.get("/api/v1/work-orders").json()["items"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param({"status": "lost"}, 400, id="status"),
        pytest.param({"start_date": "yesterday"}, 400, id="date"),
        pytest.param({"start_date": "2026-11-24T00:00:00"}, 400, id="no zone"),
        pytest.param(
            {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"},
            400,
            id="span",
        ),
        pytest.param({"page": "0"}, 400, id="page"),
        pytest.param({"page_size": "many"}, 400, id="page size"),
        pytest.param({"service_code": "ufo"}, 404, id="service"),
    ],
)
def test_a_query_that_is_wrong_is_refused_as_specified(
    sqlite_service: Service, query: dict[str, str], code: int
) -> None:
    answer = sqlite_service.anonymous.get(f"{ROOT}/requests.json", params=query)

    assert (answer.status_code, answer.json()[0]["code"]) == (code, code)


def test_a_query_finds_by_status_id_and_time_and_takes_empty_values_for_none(
    service: Service,
) -> None:
    open_number = report(service)["service_request_id"]
    other = report(service, lat="31.5")["service_request_id"]
    items = service.client.get("/api/v1/work-orders").json()["items"]
    closing = next(each for each in items if str(each["number"]) == other)
    service.admin.patch(
        f"/api/v1/work-orders/{closing['order_id']}",
        json={"status": "rejected", "reason_code": "permitted"},
    )

    def numbers(**query: str) -> set[str]:
        answer = service.anonymous.get(f"{ROOT}/requests.json", params=query)
        assert answer.status_code == 200, answer.text
        return {each["service_request_id"] for each in answer.json()}

    assert numbers(status="open", service_code="", start_date="") == {open_number}
    assert numbers(status="closed") == {other}
    assert numbers(service_request_id=f"{other},{open_number},x", status="open") == {
        other,
        open_number,
    }
    assert numbers(end_date="2026-11-23T00:00:00Z") == set()
    assert numbers(updated_after="2026-11-25T00:00:00+08:00") == set()


def test_only_public_categories_are_seen_and_neither_pictures_nor_persons(
    service: Service,
) -> None:
    hidden = service.post_order(category="camera_fault")
    mine = report(service, email="wang@example.org", first_name="Fang", phone="555-0100")

    answer = service.anonymous.get(f"{ROOT}/requests.json")
    by_id = service.anonymous.get(f"{ROOT}/requests/{hidden['number']}.json")

    assert [each["service_request_id"] for each in answer.json()] == [mine["service_request_id"]]
    assert by_id.status_code == 404
    assert "wang@" not in answer.text
    assert "Fang" not in answer.text


def test_a_report_near_an_open_order_of_its_category_is_taken_and_linked(
    service: Service,
) -> None:
    first = report(service)
    near = report(service, lat="31.2306", description="bottles")
    far = report(service, lat="31.2404", description="far away")
    other = report(service, service_code="bench", lat="31.2306")

    assert first["service_request_id"] in near["service_notice"]
    assert far["service_notice"] is None
    assert other["service_notice"] is None
    orders = service.client.get("/api/v1/work-orders").json()["items"]
    order = next(each for each in orders if str(each["number"]) == near["service_request_id"])
    notes = [entry["note"] for entry in service.order(order["order_id"])["history"]]
    assert any(f"order {first['service_request_id']}" in note for note in notes)


def test_the_same_report_sent_again_is_one_order_with_one_answer(service: Service) -> None:
    report(service)
    first, again = report(service, description="bags"), report(service, description="bags")

    assert first == again
    assert len(service.client.get("/api/v1/work-orders").json()["items"]) == 2


def test_a_photo_loses_all_that_is_not_picture(sqlite_service: Service) -> None:
    image = Image.new("RGB", (40, 20), (200, 30, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "SECRETCAMERA"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=b"SECRETPLACE")

    report(sqlite_service, files={"media": ("a.jpg", out.getvalue() + b"<script>", "image/jpeg")})

    order = sqlite_service.client.get("/api/v1/work-orders").json()["items"][0]
    file = order["evidence"][0]
    content = sqlite_service.client.get(file["url"]).content
    assert (file["width_px"], file["height_px"]) == (20, 40)
    assert b"SECRET" not in content
    assert b"<script>" not in content


@pytest.mark.parametrize("kind", ["text", "cut off", "bomb", "svg"])
def test_a_photo_that_is_none_or_a_bomb_is_refused(sqlite_service: Service, kind: str) -> None:
    out = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(out, "PNG")
    bomb = out.getvalue()
    assert len(bomb) < 100_000
    small = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(small, "JPEG")
    content = {
        "text": b"hello",
        "cut off": small.getvalue()[:400],
        "bomb": bomb,
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }[kind]

    answer = sqlite_service.anonymous.post(
        f"{ROOT}/requests.json", data=FORM, files={"media": ("a.jpg", content)}
    )

    assert answer.status_code == 400
    assert answer.json()[0]["description"].startswith("media: ")


def test_a_body_that_is_too_large_is_refused(sqlite_service: Service) -> None:
    answer = sqlite_service.anonymous.post(
        f"{ROOT}/requests.json", data=FORM, files={"media": ("a.jpg", b"\0" * 300_000)}
    )

    assert (answer.status_code, answer.json()[0]["code"]) == (400, 400)


def test_one_address_cannot_flood_the_city(sqlite_service: Service) -> None:
    codes = [
        sqlite_service.anonymous.post(
            f"{ROOT}/requests.json", data=FORM | {"service_code": "ufo"}
        ).status_code
        for _ in range(61)
    ]

    assert codes == [404] * 60 + [429]


def test_a_media_url_is_noted_and_never_fetched(sqlite_service: Service) -> None:
    """Nothing listens there: fetching it would fail, and is not tried."""
    report(sqlite_service, media_url="http://127.0.0.1:9/picture.jpg")

    order = sqlite_service.client.get("/api/v1/work-orders").json()["items"][0]
    assert order["evidence"] == []
    assert order["rule_kind"] == "citizen_report"
