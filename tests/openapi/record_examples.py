"""Writes ``service/api/openapi_examples.json`` from what a real service answers.

Run by hand after a change of answers: ``python -m tests.openapi.record_examples``. Tests only check
that each endpoint has an example that fits its form.
"""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from service.api.examples import PATH
from service.cli.serve import build_app
from service.delivery.post import Poster
from service.delivery.worker import DeliverySettings
from tests.support.dispatch import (
    Service,
    jpeg_picture,
    migrated,
    order_body,
    running_service,
    wait_for,
)
from tests.support.receiver import Handler, Hook, receiver

API = "/api/v1"
SHOWN = 2
"""Items of each list that are shown: the form matters, not the length."""
BY_HAND = ("reports", "/events")
"""Of what takes a detector or never ends: written by hand, and left as they are here."""
_LOCAL = re.compile(r"http://127\.0\.0\.1:\d+")
SECRET = {"secret": "whsec_…", "key": "sw_…", "password": "…"}


class Recorder:
    """Asks, and keeps the answers by method, path and status."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.found: dict[str, Any] = {}

    def ask(self, method: str, template: str, **request: Any) -> Any:
        values = request.pop("of", {})
        path = template.format(**values)
        answer = self._service.admin.request(method, path, **request)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        self.keep(method, template, answer)
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def keep(self, method: str, template: str, answer: httpx.Response) -> None:
        is_json = "json" in answer.headers["content-type"]
        shown = _short(answer.json()) if is_json else "\r\n".join(answer.text.splitlines()[:2])
        self.found[f"{method.lower()} {template} {answer.status_code}"] = shown


def _short(value: Any) -> Any:
    if isinstance(value, list):
        is_position = all(isinstance(each, int | float) for each in value)
        return [_short(each) for each in (value if is_position else value[:SHOWN])]
    if isinstance(value, dict):
        told = {name: _short(each) for name, each in value.items()}
        return told | {name: mark for name, mark in SECRET.items() if told.get(name)}
    if isinstance(value, str):
        return _LOCAL.sub("https://dispatch.city.example", value)
    return value


def _yesterday(service: Service) -> None:
    """Orders that were worked on, so that statistics have something to tell."""
    for category in ("litter", "litter", "illegal_parking"):
        order = service.post_order(category=category)
        path = f"{API}/work-orders/{order['order_id']}"
        for status in ("accepted", "in_progress", "resolved"):
            service.clock.forward(1200)
            service.client.patch(path, json={"status": status}).raise_for_status()
    order = service.post_order(category="litter")
    change = {"status": "rejected", "reason_code": "false_alarm"}
    path = f"{API}/work-orders/{order['order_id']}"
    service.client.patch(path, json=change).raise_for_status()
    service.clock.forward(72_000)


def _orders(recorder: Recorder, service: Service) -> None:
    body = order_body(latitude=31.2304, longitude=121.4737)
    order = recorder.ask("POST", f"{API}/work-orders", json=body)
    recorder.ask("POST", f"{API}/work-orders", json=body)
    one = f"{API}/work-orders/{{order_id}}"
    changed = recorder.ask(
        "PATCH", one, of=order, json={"status": "accepted", "note": "On our way"}
    )
    # Answers with the order too, of a report that takes a detector to make.
    recorder.found[f"post {one}/accept-suggestion 200"] = _short(changed)
    path = f"{API}/incidents/{order['incident_id']}"
    seen = {"state": "present", "last_seen_at": "2026-11-25T05:00:00Z", "observed_s": 900}
    recorder.ask("PUT", f"{API}/incidents/{{incident_id}}/observation", of=order, json=seen)
    headers = {"Content-Type": "image/jpeg"}
    picture = jpeg_picture()
    service.detector.put(
        f"{path}/evidence/opened-wide", content=picture, headers=headers
    ).raise_for_status()
    plate = {"plate": "京A12345", "confidence": 0.93}
    service.detector.put(f"{path}/plate", json=plate).raise_for_status()
    recorder.ask("GET", f"{API}/incidents/{{incident_id}}/plate", of=order)
    recorder.ask("GET", one, of=order)
    recorder.ask("GET", f"{API}/work-orders")
    recorder.ask("GET", f"{API}/work-orders.geojson")
    recorder.ask("GET", f"{API}/export/work-orders.csv")
    recorder.ask("GET", f"{API}/statistics")
    wrong = order_body(confidence=2)
    recorder.ask("POST", f"{API}/work-orders/batch", json={"orders": [order_body(), wrong]})
    camera = {"name": "Main St 1", "state": "online", "width_px": 1920, "height_px": 1080}
    of = {"camera_id": "cam-1"}
    recorder.ask("PUT", f"{API}/cameras/{{camera_id}}", of=of, json=camera)
    recorder.ask("GET", f"{API}/cameras/{{camera_id}}", of=of)
    recorder.ask("GET", f"{API}/cameras")


def _people(recorder: Recorder) -> None:
    key = {"name": "gis", "role": "client", "expires_in_s": 7_776_000}
    recorder.ask("POST", f"{API}/keys", json=key)
    recorder.ask("POST", f"{API}/keys/{{name}}/rotate", of=key, json={})
    recorder.ask("GET", f"{API}/keys")
    recorder.ask("DELETE", f"{API}/keys/{{name}}", of=key)
    user = {"name": "li.wei", "role": "crew", "department_ids": ["traffic"]}
    made = recorder.ask("POST", f"{API}/users", json=user)
    recorder.ask("POST", f"{API}/users/{{user_id}}/password", of=made, json={})
    recorder.ask("PATCH", f"{API}/users/{{user_id}}", of=made, json={"role": "viewer"})
    recorder.ask("GET", f"{API}/users")
    recorder.ask("GET", f"{API}/session")
    recorder.ask("GET", f"{API}/departments")
    recorder.ask("GET", f"{API}/categories")
    recorder.ask("GET", "/healthz")
    recorder.ask("GET", "/readyz")


def _sign_in(recorder: Recorder, service: Service) -> None:
    made = service.admin.post(f"{API}/users", json={"name": "wang", "role": "viewer"}).json()
    form = {"name": "wang", "password": made["password"]}
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = service.anonymous.post(f"{API}/session", json=form, headers=headers)
    recorder.keep("POST", f"{API}/session", answer)


def _webhooks(recorder: Recorder, service: Service) -> None:
    def refuse(handler: Handler, _hook: Hook) -> None:
        handler.reply(410 if "gone" in handler.path else 503)

    hooks = f"{API}/subscriptions"
    with receiver(refuse) as to:
        of = recorder.ask("POST", hooks, json={"url": to.url, "description": "City platform"})
        one = f"{hooks}/{{subscription_id}}"
        recorder.ask("GET", hooks)
        recorder.ask("GET", one, of=of)
        recorder.ask("PATCH", one, of=of, json={"description": "City platform 2"})
        recorder.ask("POST", f"{one}/test", of=of)
        recorder.ask("POST", f"{one}/rotate-secret", of=of, json={})
        service.post_order()
        wait_for(lambda: to.received)
        path = f"{hooks}/{of['subscription_id']}"
        service.admin.patch(path, json={"url": f"{to.url}/gone"}).raise_for_status()
        dead = f"{path}/deliveries?state=dead"
        wait_for(lambda: service.admin.get(dead).json()["items"])
        listed = recorder.ask("GET", f"{one}/deliveries", of=of)["items"]
        of |= {"delivery_id": listed[0]["delivery_id"]}
        recorder.ask("GET", f"{one}/deliveries/{{delivery_id}}", of=of)
        recorder.ask("POST", f"{one}/deliveries/{{delivery_id}}/retry", of=of)
        recorder.ask("POST", f"{one}/deliveries/retry", of=of)


def record() -> dict[str, Any]:
    """Answers by method, path and status."""
    settings = DeliverySettings(poll_s=0.05, retry_scale=0.0)
    make = partial(build_app, poster=Poster(allow_private=True), settings=settings)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        database = stack.enter_context(migrated("sqlite", folder))
        service = stack.enter_context(running_service(database, folder, make))
        recorder = Recorder(service)
        _yesterday(service)
        _orders(recorder, service)
        _people(recorder)
        _sign_in(recorder, service)
        _webhooks(recorder, service)
    return recorder.found


def main() -> None:
    """Write the file; examples that were written by hand stay."""
    old = json.loads(PATH.read_text(encoding="utf-8")) if PATH.exists() else {}
    kept = {name: each for name, each in old.items() if any(part in name for part in BY_HAND)}
    text = json.dumps(kept | record(), ensure_ascii=False, indent=1, sort_keys=True)
    PATH.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
