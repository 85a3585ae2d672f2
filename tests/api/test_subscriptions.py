from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from tests.support.dispatch import Service

SUBSCRIPTIONS = "/api/v1/subscriptions"
HOOK = {"url": "https://city.example/hook"}
SECRET = "whsec_" + base64.b64encode(b"x" * 32).decode()


def test_a_subscription_lives_from_post_to_delete(service: Service) -> None:
    made = service.client.post(
        SUBSCRIPTIONS, json={**HOOK, "categories": ["litter"], "description": "crew app"}
    )
    assert made.status_code == 201
    assert len(base64.b64decode(made.json()["secret"].removeprefix("whsec_"))) == 32
    path = f"{SUBSCRIPTIONS}/{made.json()['subscription_id']}"

    changed = service.client.patch(path, json={"active": False, "categories": []}).json()
    assert (changed["active"], changed["categories"]) == (False, [])
    assert changed["description"] == "crew app"
    assert service.client.get(SUBSCRIPTIONS).json()["items"] == [changed]
    assert service.client.patch(path, json={}).json() == changed

    assert service.client.delete(path).status_code == 204
    assert service.client.get(SUBSCRIPTIONS).json()["items"] == []


def test_a_secret_may_be_brought_along(service: Service) -> None:
    made = service.client.post(SUBSCRIPTIONS, json={**HOOK, "secret": SECRET}).json()

    assert made["secret"] == SECRET


def test_a_subscription_with_deliveries_can_be_deleted(service: Service) -> None:
    made = service.client.post(SUBSCRIPTIONS, json=HOOK).json()
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}"
    service.post_order()
    assert len(service.client.get(f"{path}/deliveries").json()["items"]) == 1

    assert service.client.delete(path).status_code == 204
    assert service.client.get(f"{path}/deliveries").status_code == 404


def test_deliveries_are_listed_in_pages_newest_first(service: Service) -> None:
    made = service.client.post(SUBSCRIPTIONS, json=HOOK).json()
    path = f"{SUBSCRIPTIONS}/{made['subscription_id']}/deliveries"
    orders = [service.post_order()["order_id"] for _ in range(5)]
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = service.client.get(path, params=query).json()
        seen += [delivery["order_id"] for delivery in page["items"]]
        if page["next_before"] is None:
            break
        query["before"] = page["next_before"]

    assert seen == orders[::-1]
    assert service.client.get(path, params={"state": "dead"}).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://city.example/"}, "body.url"),
        ({"url": "https://"}, "body.url"),
        ({"url": "https://user:password@city.example/"}, "body.url"),
        ({"url": "https://city.example:99999/"}, "body.url"),
        ({"url": "https://city.example/#part"}, "body.url"),
        ({"url": "https://city.example/" + "a" * 2000}, "body.url"),
        ({"secret": "whsec_c2hvcnQ="}, "body.secret"),
        ({"secret": "whsec_###"}, "body.secret"),
        ({"secret": SECRET.removeprefix("whsec_")}, "body.secret"),
        ({"event_types": ["work_order.made"]}, "body.event_types.0"),
        ({"evnet_types": []}, "body.evnet_types"),
    ],
    ids=str,
)
def test_a_wrong_subscription_is_refused(
    sqlite_service: Service, change: dict[str, Any], field: str
) -> None:
    made = sqlite_service.client.post(SUBSCRIPTIONS, json={**HOOK, **change})

    assert made.status_code == 422
    assert [error["field"] for error in made.json()["errors"]] == [field]


def test_an_unknown_subscription_or_delivery_is_not_found(sqlite_service: Service) -> None:
    client = sqlite_service.client
    unknown = f"{SUBSCRIPTIONS}/{uuid.uuid4()}"
    made = client.post(SUBSCRIPTIONS, json=HOOK).json()
    known = f"{SUBSCRIPTIONS}/{made['subscription_id']}"

    assert client.get(unknown).status_code == 404
    assert client.patch(unknown, json={"active": True}).status_code == 404
    assert client.delete(unknown).status_code == 404
    assert client.get(f"{known}/deliveries/1").status_code == 404
    assert client.post(f"{known}/deliveries/1/retry").status_code == 404
    assert client.get(f"{known}/deliveries/{2**70}").status_code == 422
