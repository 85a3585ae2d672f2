from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from models.category import Escalation
from models.zone import Priority
from service.api.sla_job import sla_worker, tell_due
from service.store.schema import events
from tests.support.dispatch import Service, wait_for


def notes(service: Service, order: dict[str, Any]) -> list[str]:
    history = service.order(order["order_id"])["history"]
    return [entry["note"].partition(" · ")[0] for entry in history if entry["kind"] == "sla"]


def test_each_warning_and_breach_is_told_exactly_once_by_whoever_looks(service: Service) -> None:
    service.client.post("/api/v1/subscriptions", json={"url": "https://example.org/"})
    order = service.post_order(category="garbage_pile", priority="urgent", department_id="cleaning")
    assert order["sla_state"] == "ok"

    def look(_: int) -> int:
        return tell_due(service.deps)

    seen = []
    for seconds in (600, 200, 200, 10_000, 4000, 86400):
        service.clock.forward(seconds)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(look, range(4)))
        seen.append((service.order(order["order_id"])["sla_state"], len(notes(service, order))))

    assert notes(service, order) == [
        "the time to accept is running out",
        "not accepted in time",
        "the time to resolve is running out",
        "not resolved in time",
    ]
    assert seen == [
        ("ok", 0),
        ("warning", 1),
        ("breached", 2),
        ("breached", 3),
        ("breached", 4),
        ("breached", 4),
    ]
    with service.deps.database.read() as connection:
        types = connection.scalars(sa.select(events.c.type).order_by(events.c.created_at)).all()
    assert [each.rpartition(".")[2] for each in types] == [
        "created",
        "sla_warning",
        "sla_breached",
        "sla_warning",
        "sla_breached",
    ]


def test_what_is_accepted_or_over_in_time_is_not_told_of(service: Service) -> None:
    accepted = service.post_order(category="garbage_pile", priority="urgent", department_id="x")
    done = service.post_order(category="garbage_pile", priority="urgent", department_id="x")
    for order, status in ((accepted, "accepted"), (done, "resolved")):
        service.admin.patch(f"/api/v1/work-orders/{order['order_id']}", json={"status": status})

    service.clock.forward(1000)
    tell_due(service.deps)
    service.clock.forward(100_000)
    tell_due(service.deps)
    tell_due(service.deps)

    assert notes(service, accepted) == ["not resolved in time"]
    assert notes(service, done) == []
    assert service.order(done["order_id"])["sla_state"] is None


def test_a_breach_escalates_as_the_table_says(service: Service) -> None:
    escalation = Escalation(department_id="traffic", priority=Priority.HIGH)
    table = replace(service.deps.categories, escalation=escalation)
    order = service.post_order(category="meteorite", priority="urgent", department_id=None)
    service.clock.forward(1000)

    tell_due(replace(service.deps, categories=table))

    after = service.order(order["order_id"])
    assert (after["department_id"], after["status"], after["priority"]) == (
        "traffic",
        "dispatched",
        "high",
    )


def test_the_worker_looks_by_itself(service: Service) -> None:
    order = service.post_order(category="litter", priority="urgent")
    service.clock.forward(1000)

    with sla_worker(service.deps, every_s=0.05):
        wait_for(lambda: notes(service, order))

    assert not [each for each in threading.enumerate() if each.name == "sla"]
