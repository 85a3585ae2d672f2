from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from fastapi import FastAPI

from models.city import City
from models.errors import ConfigError, DispatchRejected, DispatchUnavailable, SetupError
from service.api.deps import ApiDeps
from service.api.intake import Arrival, receive_together
from service.cli.serve import build_app
from service.config import load_city
from service.daemon.client import DispatchClient
from service.decisions.access import Role
from service.delivery.post import Poster
from service.delivery.worker import DeliverySettings
from service.store import schema
from service.tracing import NO_TRACES, Kind, Tracer, otel, tracing
from tests.support.dispatch import (
    KEYS,
    Service,
    migrated,
    order_body,
    order_request,
    running_service,
    wait_for,
)
from tests.support.receiver import Server, receiver
from tests.tracing.collector import Collector, Seen, collecting

PATH = "/api/v1/work-orders"
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SETTINGS = DeliverySettings(poll_s=0.05, retry_scale=0.002)


def with_webhooks(tracer: Tracer) -> Callable[[ApiDeps], FastAPI]:
    def make(deps: ApiDeps) -> FastAPI:
        return build_app(replace(deps, tracer=tracer), Poster(allow_private=True), SETTINGS)

    return make


def subscribe(service: Service, to: Server, **form: str) -> None:
    body = {"url": to.url, **form}
    answer = service.client.post("/api/v1/subscriptions", json=body)
    assert answer.status_code == 201, answer.text


def post(url: str, tracer: Tracer, body: dict[str, object], key: str = "") -> None:
    with DispatchClient(url, key or KEYS[Role.DETECTOR], tracer=tracer) as client:
        client.send("POST", PATH, "application/json", json.dumps(body).encode())


def by_name(collector: Collector) -> dict[str, Seen]:
    return {span.name: span for span in collector.spans}


def test_one_trace_goes_from_the_daemon_to_the_receiver(tmp_path: Path) -> None:
    with collecting() as collector, receiver() as to, ExitStack() as stack:
        daemon = stack.enter_context(tracing(collector.url, "streetwarden-daemon"))
        dispatch = stack.enter_context(tracing(collector.url + "/", "streetwarden-dispatch"))
        database = stack.enter_context(migrated("sqlite", tmp_path))
        now = partial(datetime.now, UTC)
        make = with_webhooks(dispatch)
        with running_service(database, tmp_path, make, now) as service:
            subscribe(service, to)
            with structlog.testing.capture_logs() as logged:
                post(service.url, daemon, order_body())
                wait_for(lambda: to.received)
            healthy = service.anonymous.get("/healthz")
        stack.close()  # sends what waits

        spans = by_name(collector)
        sent, taken = spans["dispatch POST"], spans[f"POST {PATH}"]
        intake, stored = spans["intake"], spans["store order"]
        delivered = spans["deliver webhook"]
    assert collector.paths == {"/v1/traces"}
    assert sent.process == "streetwarden-daemon"
    assert {taken.process, intake.process, delivered.process} == {"streetwarden-dispatch"}
    chain = [sent, taken, intake, stored, delivered]
    assert {each.trace_id for each in chain} == {sent.trace_id}
    assert [each.parent_id for each in chain[1:]] == [each.span_id for each in chain[:-1]]
    (hook,) = to.received
    assert hook.headers["traceparent"].startswith(f"00-{sent.trace_id}-{delivered.span_id}-")
    assert hook.event["traceparent"].startswith(f"00-{sent.trace_id}-{stored.span_id}-")
    assert delivered.notes["streetwarden.order_id"] == hook.event["subject"]
    assert delivered.notes["http.response.status_code"] == 204
    (line,) = [each for each in logged if each.get("path") == PATH]
    assert line["trace_id"] == sent.trace_id
    request_id = line["request_id"]
    assert taken.notes["streetwarden.request_id"] == request_id
    assert sent.notes["streetwarden.request_id"] == request_id
    assert healthy.status_code == 200
    assert not [name for name in spans if "healthz" in name]


def test_a_plain_webhook_carries_the_trace_in_its_header_only(tmp_path: Path) -> None:
    with (
        collecting() as collector,
        receiver() as to,
        tracing(collector.url, "d") as tracer,
        migrated("sqlite", tmp_path) as database,
        running_service(
            database, tmp_path, with_webhooks(tracer), partial(datetime.now, UTC)
        ) as service,
    ):
        subscribe(service, to, format="json")
        service.detector.post(PATH, json=order_body(), headers={"traceparent": TRACEPARENT})
        wait_for(lambda: to.received)
    (hook,) = to.received
    assert set(hook.event) == {"id", "type", "timestamp", "data"}
    assert hook.headers["traceparent"].startswith(f"00-{TRACE}-")


def test_orders_written_together_keep_each_its_own_trace(sqlite_service: Service) -> None:
    with receiver() as to:
        subscribe(sqlite_service, to)
    deps = sqlite_service.deps
    parents = [TRACEPARENT, TRACEPARENT.replace(TRACE, TRACE[::-1]), None]
    arrivals = [
        Arrival(deps=deps, request=order_request(), actor="d", traceparent=parent)
        for parent in parents
    ]
    found = receive_together(arrivals)
    with deps.database.read() as connection:
        bodies = [
            json.loads(body)
            for body in connection.execute(sa.select(schema.events.c.body)).scalars()
        ]
    told = {each["subject"]: each.get("traceparent") for each in bodies}
    orders = [each[0].order_id for each in found if not isinstance(each, Exception)]
    assert [told[order] for order in orders] == parents


@pytest.mark.parametrize(
    ("key", "error"),
    [
        pytest.param("wrong-key-0123456789", DispatchUnavailable, id="wrong key"),
        pytest.param("", DispatchRejected, id="wrong body"),
    ],
)
def test_what_fails_is_marked(sqlite_service: Service, key: str, error: type[Exception]) -> None:
    with collecting() as collector:
        with tracing(collector.url, "d") as tracer, pytest.raises(error):
            post(sqlite_service.url, tracer, {"label": "car"}, key)
        (span,) = collector.spans
    assert span.failed
    assert span.notes["http.response.status_code"] in {401, 422}


def test_a_collector_that_is_gone_holds_up_nobody(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "SEND_TIMEOUT_S", 0.2)
    with collecting() as collector:
        url = collector.url
    with tracing(url, "d") as tracer:
        post(sqlite_service.url, tracer, order_body())
    assert sqlite_service.admin.get(PATH).json()["items"]


def test_while_they_are_off_there_is_nothing_of_them(tmp_path: Path) -> None:
    with (
        receiver() as to,
        migrated("sqlite", tmp_path) as database,
        running_service(
            database, tmp_path, with_webhooks(NO_TRACES), partial(datetime.now, UTC)
        ) as service,
    ):
        subscribe(service, to)
        post(service.url, NO_TRACES, order_body())
        wait_for(lambda: to.received)
    (hook,) = to.received
    assert "traceparent" not in hook.headers
    assert "traceparent" not in hook.event
    with NO_TRACES.span("x", Kind.SERVER, TRACEPARENT) as span:
        span.name("y")
        span.note({"a": 1})
        span.fail("z")
        assert NO_TRACES.current() is None


def test_while_they_are_off_nothing_is_imported_for_them() -> None:
    code = (
        "import sys, service.cli.serve, service.daemon.client;"
        # Some libraries look at its interface, which is small, whether traces are on or not.
        "assert not [n for n in sys.modules if n.startswith('opentelemetry.sdk')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "service.tracing.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SetupError, match=r"streetwarden\[otel\]"), tracing("http://h", "d"):
        pass


def city_with(tmp_path: Path, tracing_section: str) -> City:
    path = tmp_path / "city.yaml"
    camera = "cameras: [{id: c, source: rtsp://h/1, legal_basis: law}]"
    path.write_text(f"city: {{name: T, timezone: UTC}}\n{tracing_section}\n{camera}\n")
    return load_city(path)


def test_the_endpoint_is_one_line_of_the_file(tmp_path: Path) -> None:
    section = "tracing: {endpoint: 'http://127.0.0.1:4318/'}"
    assert city_with(tmp_path, section).traces_to == "http://127.0.0.1:4318"
    assert city_with(tmp_path, "").traces_to is None


@pytest.mark.parametrize(
    ("section", "said"),
    [
        pytest.param("tracing: {}", "tracing.endpoint", id="left out"),
        pytest.param("tracing: {endpoint: 'localhost:4318'}", "http://127.0.0.1:4318", id="no url"),
        pytest.param(
            "tracing: {endpoint: 'https://u:p@h'}", "OTEL_EXPORTER_OTLP_HEADERS", id="credentials"
        ),
    ],
)
def test_a_wrong_endpoint_is_told(tmp_path: Path, section: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        city_with(tmp_path, section)
