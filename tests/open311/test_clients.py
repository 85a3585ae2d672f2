"""Clients that others wrote, unmodified, against a running service."""

from __future__ import annotations

import importlib
import io
import itertools
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import georeport  # type: ignore[import-untyped]
import pytest

from service.decisions.access import Role
from tests.support.dispatch import KEYS, Service, jpeg_picture


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The client is Python 2 code, of which one name is all that is missing."""
    monkeypatch.setattr(itertools, "ifilter", filter, raising=False)
    return importlib.import_module("three")


@pytest.mark.parametrize("output", ["json", "xml"])
def test_georeport_reads_services_definitions_and_requests(service: Service, output: str) -> None:
    service.post_order(category="litter")
    service.post_order(category="illegal_parking")
    client = georeport.GeoReport(f"{service.url}/open311/v2", output_format=output)

    services = client.get_service_list()
    definition = client.get_service_definition("litter")
    found = client.get_service_requests(status="open")
    one = client.get_service_request(found[0]["service_request_id"])

    assert {"litter", "illegal_parking"} <= {each["service_code"] for each in services}
    assert definition["service_code"] == "litter"
    assert {each["service_code"] for each in found} == {"litter", "illegal_parking"}
    first = one[0] if isinstance(one, list) else one
    assert first["service_request_id"] == found[0]["service_request_id"]
    assert {each["status"] for each in found} == {"open"}


def test_three_reports_with_a_picture_and_reads_it_back(service: Service, three: Any) -> None:
    client = three.Three(f"{service.url}/open311/v2/", api_key=KEYS[Role.DETECTOR])
    picture = io.BytesIO(jpeg_picture())

    answer = client.post(
        "garbage_pile",
        address="Main Street 3",
        name="Wang Fang",
        phone="555-0100",
        description="袋子堆在路边",
        lat="31.2304",
        long="121.4737",
        media=picture,
    )

    number = answer[0]["service_request_id"]
    read = client.request(number)[0]
    assert (read["description"], read["lat"]) == ("袋子堆在路边", 31.2304)
    assert client.discovery()["endpoints"][0]["formats"] == ["text/xml", "application/json"]
    assert client.services("garbage_pile")["service_code"] == "garbage_pile"
    listed = service.client.get("/api/v1/work-orders").json()["items"]
    order = service.order(listed[0]["order_id"])
    assert [file["name"] for file in order["evidence"]] == ["report"]
    assert client.token(order["order_id"])[0]["service_request_id"] == number


def test_three_pages_through_requests_by_dates(service: Service, three: Any) -> None:
    for _ in range(3):
        service.post_order(category="litter")
    client = three.Three(f"{service.url}/open311/v2/")
    today = service.clock().date()
    days = {"start": today - timedelta(days=1), "end": today + timedelta(days=1)}

    pages = [client.requests("litter", count=2, page=page, **days) for page in (1, 2, 3)]

    assert [len(page) for page in pages] == [2, 1, 0]
    assert datetime.fromisoformat(pages[0][0]["requested_datetime"]).tzinfo == UTC
