"""What people and the service itself do is in the audit log, and in the command that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from models.evidence import Retention
from service.api.retention import delete_expired
from service.cli.app import app
from service.store import audit
from service.store.audit import AuditEntry
from tests.support.dispatch import CITY, Service, jpeg_picture

HOOK = {"url": "https://city.example/hook?token=hidden"}


def logged(service: Service) -> list[AuditEntry]:
    with service.deps.database.read() as connection:
        assert audit.verify(connection)[1] == []
        return list(audit.entries(connection))


def reject(service: Service) -> None:
    order_id = service.post_order()["order_id"]
    values = {"status": "rejected", "reason_code": "other", "reason": "Mr Li parked"}
    answer = service.admin.patch(f"/api/v1/work-orders/{order_id}", json=values)
    assert answer.status_code == 200, answer.text


def accept(service: Service) -> None:
    order_id = service.post_order()["order_id"]
    answer = service.admin.patch(f"/api/v1/work-orders/{order_id}", json={"status": "accepted"})
    assert answer.status_code == 200, answer.text


def hold(service: Service) -> None:
    path = f"/api/v1/work-orders/{service.post_order()['order_id']}/legal-hold"
    for _ in range(2):
        assert service.admin.put(path, json={"reason": "objection of Mr Li"}).is_success
    for _ in range(2):
        assert service.admin.delete(path).is_success


def subscribe(service: Service) -> None:
    made = service.admin.post("/api/v1/subscriptions", json=HOOK)
    assert made.status_code == 201, made.text
    path = f"/api/v1/subscriptions/{made.json()['subscription_id']}"
    assert service.admin.patch(path, json={"active": False}).is_success
    assert service.admin.delete(path).is_success


@pytest.mark.parametrize(
    ("do", "actions"),
    [
        (reject, ["order.rejected"]),
        (accept, []),
        (hold, ["legal_hold.set", "legal_hold.lifted"]),
        (
            subscribe,
            ["subscription.created", "subscription.changed", "subscription.deleted"],
        ),
    ],
    ids=["rejected", "accepted", "hold", "subscription"],
)
def test_what_is_done_is_logged_with_who_and_without_personal_data(
    service: Service, do: Callable[[Service], None], actions: list[str]
) -> None:
    before = len(logged(service))
    do(service)
    new = logged(service)[before:]

    assert [entry.action for entry in new] == actions
    assert {entry.actor for entry in new} <= {"key:test-admin"}
    assert not any(word in repr(new) for word in ("Li", "hidden", "whsec"))


def test_what_fails_is_not_logged(service: Service) -> None:
    before = logged(service)
    order = service.post_order()
    stale = service.admin.patch(
        f"/api/v1/work-orders/{order['order_id']}",
        json={"status": "rejected", "reason_code": "other", "reason": "no"},
        headers={"If-Match": '"99"'},
    )

    assert stale.status_code == 412
    assert logged(service) == before


def test_evidence_that_had_its_time_is_logged(service: Service) -> None:
    order = service.post_order()
    path = f"/api/v1/incidents/{order['incident_id']}/evidence/opened-wide"
    headers = {"Content-Type": "image/jpeg"}
    assert service.detector.put(path, content=jpeg_picture(), headers=headers).is_success
    for status in ("resolved", "verified", "closed"):
        answer = service.admin.patch(
            f"/api/v1/work-orders/{order['order_id']}", json={"status": status}
        )
        assert answer.is_success, answer.text
    service.clock.forward(40 * 86_400)
    deps = replace(service.deps, city=replace(CITY, retention=Retention(days={"default": 30})))

    assert delete_expired(deps) == 1
    (entry,) = [each for each in logged(service) if each.action == "evidence.expired"]
    assert (entry.actor, entry.subject) == ("retention", f"order:{order['order_id']}")
    assert entry.detail == {"files": 1}


def test_the_command_shows_and_verifies(service: Service) -> None:
    reject(service)
    hold(service)
    url = service.deps.database.engine.url.render_as_string(hide_password=False)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["audit", *arguments, "--database-url", url])
        assert result.exit_code == 0, result.output
        return result.stdout

    shown = [json.loads(line) for line in run("show", "--action", "legal_hold").splitlines()]
    assert [entry["action"] for entry in shown] == ["legal_hold.set", "legal_hold.lifted"]
    assert run("show", "--since", "2027-01-01") == ""
    head = run("verify").split()[-1]
    assert head in run("verify", "--head", head)

    failed = CliRunner().invoke(
        app, ["audit", "verify", "--head", f"99:{'a' * 64}", "--database-url", url]
    )
    assert "99: is missing" in str(failed.exception)
