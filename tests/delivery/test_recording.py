from __future__ import annotations

import threading
from typing import Any

import pytest

from models.errors import StoreError
from service.api.subscriptions import router
from service.delivery import worker
from service.delivery.recording import record_all
from tests.support.dispatch import Service, wait_for
from tests.support.receiver import receiver


def test_one_attempt_that_cannot_be_recorded_spoils_no_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt: set[str] = set()

    def fails_for_one(connection: Any, ended: Any, *rest: Any) -> int:
        done = record_all(connection, ended, *rest)
        if spoilt & {claimed.order_id for claimed, *_answer in ended}:
            raise StoreError("this one is never recorded")
        return done

    monkeypatch.setattr(worker, "record_all", fails_for_one)
    go_on = threading.Event()

    def answer(handler: Any, _hook: Any) -> None:
        go_on.wait(20)  # all four are under way before one of them ends
        handler.reply(204)

    with receiver(answer) as hooks:
        made = service.client.post(router.prefix, json={"url": hooks.url})
        assert made.status_code == 201
        subscription_id = made.json()["subscription_id"]
        orders = [service.post_order()["order_id"] for _ in range(4)]
        spoilt.add(orders[0])
        go_on.set()

        def delivered() -> int:
            path = f"{router.prefix}/{subscription_id}/deliveries?state=delivered"
            return len(service.client.get(path).json()["items"])

        wait_for(lambda: delivered() == 3)
