"""New secrets, other forms, tests, the end after days of failures, and sending all again."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any

import pytest
from cloudevents.v1.http import from_http
from standardwebhooks import Webhook, WebhookVerificationError

from service.api.retention import delete_told
from service.store import schema, subscriptions
from service.store.database import Database
from service.store.secrets import SEALED, SecretBox, seal_all
from tests.delivery.conftest import StartService
from tests.support.dispatch import Service, wait_for
from tests.support.receiver import Handler, Hook, receiver

SUBSCRIPTIONS = "/api/v1/subscriptions"
SECRET = "whsec_" + base64.b64encode(b"y" * 32).decode()


def subscribe(service: Service, url: str, **wanted: Any) -> dict[str, Any]:
    answer = service.client.post(SUBSCRIPTIONS, json={"url": url, **wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def path_of(subscription: dict[str, Any]) -> str:
    return f"{SUBSCRIPTIONS}/{subscription['subscription_id']}"


def read(service: Service, subscription: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = service.client.get(path_of(subscription)).json()
    return found


def verifies(secret: str, hook: Hook) -> bool:
    try:
        Webhook(secret).verify(hook.body, dict(hook.headers))
    except WebhookVerificationError:
        return False
    return True


def test_while_a_secret_is_changed_both_sign(service: Service) -> None:
    with receiver() as hooks:
        old = subscribe(service, hooks.url)
        new = service.client.post(f"{path_of(old)}/rotate-secret", json={}).json()
        service.post_order()
        wait_for(lambda: hooks.received)
        (hook,) = hooks.received

    assert new["secret"] != old["secret"]
    assert len(hook.headers["webhook-signature"].split()) == 2
    assert verifies(old["secret"], hook)
    assert verifies(new["secret"], hook)
    assert read(service, old)["previous_secret_until"] is not None


def test_without_grace_only_the_new_secret_signs(service: Service) -> None:
    with receiver() as hooks:
        old = subscribe(service, hooks.url)
        body = {"secret": SECRET, "grace_s": 0}
        new = service.client.post(f"{path_of(old)}/rotate-secret", json=body).json()
        service.post_order()
        wait_for(lambda: hooks.received)
        (hook,) = hooks.received

    assert new["secret"] == SECRET
    assert not verifies(old["secret"], hook)
    assert verifies(SECRET, hook)


def test_after_the_grace_the_old_secret_signs_no_more(service: Service) -> None:
    with receiver() as hooks:
        old = subscribe(service, hooks.url)
        service.client.post(f"{path_of(old)}/rotate-secret", json={})
        past = service.deps.now() - timedelta(seconds=1)
        with service.deps.database.write() as connection:
            subscriptions.change_subscription(
                connection, old["subscription_id"], previous_secret_until=past
            )
        service.post_order()
        wait_for(lambda: hooks.received)
        (hook,) = hooks.received

    assert len(hook.headers["webhook-signature"].split()) == 1
    assert not verifies(old["secret"], hook)


def test_plain_json_is_signed_alike_and_holds_the_order(service: Service) -> None:
    with receiver() as hooks:
        subscription = subscribe(service, hooks.url, format="json")
        order = service.post_order()
        wait_for(lambda: hooks.received)
        (hook,) = hooks.received

    event = Webhook(subscription["secret"]).verify(hook.body, dict(hook.headers))
    assert hook.headers["content-type"].startswith("application/json")
    assert set(event) == {"id", "type", "timestamp", "data"}
    assert (event["id"], event["type"]) == (hook.event_id, "streetwarden.work_order.created")
    assert event["data"] == order


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"statuses": ["accepted"]}, ["updated"]),
        ({"statuses": ["dispatched", "resolved"]}, ["created"]),
        ({"camera_ids": ["main-street-3"], "zone_ids": ["double-yellow"]}, ["created", "updated"]),
        ({"zone_ids": ["lawn"]}, []),
        ({"camera_ids": ["hall"]}, []),
    ],
    ids=str,
)
def test_filters_by_place_and_by_transition(
    service: Service, filters: dict[str, Any], expected: list[str]
) -> None:
    with receiver() as wanted, receiver() as everything:
        subscribe(service, wanted.url, **filters)
        subscribe(service, everything.url)
        order = service.post_order()
        path = f"/api/v1/work-orders/{order['order_id']}"
        service.client.patch(path, json={"status": "accepted"})
        service.client.patch(path, json={"note": "on the way"})
        wait_for(lambda: len(everything.received) == 3)
        wait_for(lambda: len(wanted.received) >= len(expected))
        types = [hook.event["type"].rpartition(".")[2] for hook in wanted.received]

    assert types[: len(expected)] == expected
    assert len(types) == len(expected) or "statuses" not in filters


def test_a_ping_tells_what_the_receiver_says(service: Service) -> None:
    answers = iter([204, 500])

    def answer(handler: Handler, _hook: Hook) -> None:
        handler.reply(next(answers), body=b"so so")

    with receiver(answer) as hooks:
        subscription = subscribe(service, hooks.url, active=False)
        good = service.client.post(f"{path_of(subscription)}/test").json()
        bad = service.client.post(f"{path_of(subscription)}/test").json()
        hook = hooks.received[0]

    assert verifies(subscription["secret"], hook)
    assert from_http(dict(hook.headers), hook.body)["type"] == "streetwarden.ping"
    assert (good["delivered"], good["status_code"]) == (True, 204)
    assert (bad["delivered"], bad["status_code"], bad["answer"]) == (False, 500, "so so")


def test_a_receiver_that_fails_for_days_is_called_no_more_and_others_are_told(
    database: Database, start: StartService
) -> None:
    broken = threading.Event()
    broken.set()

    def answer(handler: Handler, _hook: Hook) -> None:
        handler.reply(404 if broken.is_set() else 204)

    # All ten attempts within a second; "days" end at once, so the tenth is enough.
    with (
        start(database, retry_scale=0, disable_after=timedelta(0)) as service,
        receiver(answer) as hooks,
        receiver() as watching,
    ):
        failing = subscribe(service, hooks.url)
        subscribe(service, watching.url, event_types=["streetwarden.subscription.disabled"])
        service.post_order()
        wait_for(lambda: read(service, failing)["state"] == "disabled")
        shown = read(service, failing)
        wait_for(lambda: watching.received)
        notice = watching.received[0].event
        metrics = service.anonymous.get("/metrics").text
        broken.clear()
        service.client.post(f"{path_of(failing)}/deliveries/retry").raise_for_status()
        assert read(service, failing)["pending"] == 1
        service.client.patch(path_of(failing), json={"active": True})
        wait_for(lambda: read(service, failing)["pending"] == 0)
        again = read(service, failing)

    assert "10 in a row" in shown["disabled_reason"]
    assert shown["disabled_at"] is not None
    assert notice["type"] == "streetwarden.subscription.disabled"
    assert notice["data"]["subscription_id"] == failing["subscription_id"]
    assert notice["data"]["disabled_reason"] == shown["disabled_reason"]
    assert "streetwarden_subscriptions_disabled_total 1.0" in metrics
    assert (again["state"], again["disabled_reason"], again["dead"]) == ("active", None, 0)
    assert again["last_success_at"] is not None


def test_dead_deliveries_are_sent_again_together(database: Database, start: StartService) -> None:
    broken = threading.Event()
    broken.set()

    def answer(handler: Handler, _hook: Hook) -> None:
        handler.reply(404 if broken.is_set() else 204)

    with start(database, retry_scale=0) as service, receiver(answer) as hooks:
        subscription = subscribe(service, hooks.url)
        for _ in range(3):
            service.post_order()
        wait_for(lambda: read(service, subscription)["dead"] == 3)
        broken.clear()
        retry = f"{path_of(subscription)}/deliveries/retry"
        tomorrow = (service.deps.now() + timedelta(days=1)).isoformat()
        later = service.client.post(retry, params={"state": "dead", "since": tomorrow})
        all_of_them = service.client.post(retry, params={"state": "dead"})
        wait_for(lambda: read(service, subscription)["pending"] == 0)
        shown = read(service, subscription)
        refused = service.client.post(retry, params={"state": "delivered"})
        assert len({hook.event_id for hook in hooks.received}) == 3

    assert later.json() == {"count": 0}
    assert (all_of_them.status_code, all_of_them.json()) == (202, {"count": 3})
    assert shown["dead"] == 0
    assert refused.status_code == 422


def test_what_was_delivered_long_ago_is_deleted_with_its_event(service: Service) -> None:
    with receiver() as hooks:
        subscription = subscribe(service, hooks.url)
        resting = subscribe(service, hooks.url)
        service.post_order()
        wait_for(lambda: len(hooks.received) == 2)
        log = f"{path_of(subscription)}/deliveries"
        wait_for(lambda: _last_finished(service, subscription))
        wait_for(lambda: _last_finished(service, resting))
        delete_told(service.deps)
        assert len(service.client.get(log).json()["items"]) == 1
        month = timedelta(days=31)
        with service.deps.database.write() as connection:
            long_ago = service.deps.now() - month
            connection.execute(
                schema.deliveries.update().values(created_at=long_ago, finished_at=long_ago)
            )
        delete_told(service.deps)

        assert service.client.get(log).json()["items"] == []
        with service.deps.database.read() as connection:
            assert connection.execute(schema.events.select()).all() == []


def test_secrets_lie_sealed_where_there_is_a_key(database: Database, start: StartService) -> None:
    box = SecretBox(key="a text that nobody can guess")
    with start(database) as service, receiver() as hooks:
        made = subscribe(service, hooks.url)
        with database.write() as connection:
            assert seal_all(connection, box) == 1
            assert seal_all(connection, box) == 0
            stored = subscriptions.get_subscription(connection, made["subscription_id"]).secret

    assert stored.startswith(SEALED)
    assert made["secret"].removeprefix("whsec_") not in stored
    assert box.open(stored) == made["secret"]


def _last_finished(service: Service, subscription: dict[str, Any]) -> str | None:
    items = service.client.get(f"{path_of(subscription)}/deliveries").json()["items"]
    finished: str | None = items[0]["finished_at"]
    return finished
