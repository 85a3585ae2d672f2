"""The outbox empties in order for each incident, through every kind of trouble at dispatch."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import DispatchRejected, DispatchUnavailable
from service.daemon.client import DispatchClient, DispatchUnreachable
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.sender import LONGEST_RETRY_S, OutboxSender, retry_delay_s

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EdgeStore]:
    with EdgeStore(tmp_path / "edge.sqlite3") as opened:
        yield opened


def client(answer: Answer) -> DispatchClient:
    return DispatchClient("http://dispatch", "key", httpx.MockTransport(answer))


def put(incident_id: str, path: str) -> OutboxRequest:
    return OutboxRequest(
        incident_id=incident_id, method="PUT", path=path, content_type="text/plain", body=b"x"
    )


def send_all(store: EdgeStore, answer: Answer) -> None:
    with client(answer) as http:
        sender = OutboxSender(store, http)
        sender.start()
        assert sender.drain(timeout_s=30)
        sender.stop(timeout_s=5)


def test_requests_carry_the_key_and_go_out_once_in_order(store: EdgeStore) -> None:
    seen: list[tuple[str, str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path, request.headers["authorization"]))
        return httpx.Response(201)

    store.commit("gate", "", [put("a", "/1"), put("b", "/2"), put("a", "/3")])
    send_all(store, answer)
    assert seen == [("PUT", path, "Bearer key") for path in ("/1", "/2", "/3")]


def test_a_service_that_fails_now_and_then_gets_everything_in_order(store: EdgeStore) -> None:
    taken: list[str] = []
    calls = iter(range(1_000_000))

    def answer(request: httpx.Request) -> httpx.Response:
        number = next(calls)
        if number % 3 == 0:
            return httpx.Response(503)
        if number % 3 == 1:
            raise httpx.ConnectError("refused", request=request)
        taken.append(request.url.path)
        return httpx.Response(200)

    store.commit("gate", "", [put("a", f"/{n}") for n in range(4)])
    send_all(store, answer)
    assert taken == ["/0", "/1", "/2", "/3"]


def test_what_the_service_refuses_for_good_is_kept_aside(store: EdgeStore) -> None:
    taken: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/bad":
            return httpx.Response(422, text="label: unknown")
        taken.append(request.url.path)
        return httpx.Response(200)

    store.commit("gate", "", [put("a", "/bad"), put("a", "/good")])
    send_all(store, answer)
    assert taken == ["/good"]
    assert store.counts().rejected == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        pytest.param(500, DispatchUnavailable, id="server error: later"),
        pytest.param(503, DispatchUnavailable, id="overloaded: later"),
        pytest.param(429, DispatchUnavailable, id="too many: later"),
        pytest.param(401, DispatchUnavailable, id="wrong key: an operator will mend it"),
        pytest.param(400, DispatchRejected, id="bad request: never"),
        pytest.param(404, DispatchRejected, id="unknown: never"),
        pytest.param(422, DispatchRejected, id="invalid: never"),
    ],
)
def test_an_answer_means_later_or_never(status: int, error: type[Exception]) -> None:
    with client(lambda _: httpx.Response(status)) as http, pytest.raises(error):
        http.send("POST", "/", "text/plain", b"")


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("hangs"),
        httpx.RemoteProtocolError("reset"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_every_failed_connection_is_mapped(fault: httpx.TransportError) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise fault

    with client(answer) as http, pytest.raises(DispatchUnreachable) as caught:
        http.send("POST", "/", "text/plain", b"")
    assert caught.value.__cause__ is fault


@given(st.integers(min_value=0, max_value=10_000), st.floats(min_value=0, max_value=1))
def test_the_retry_delay_stays_within_bounds(attempts: int, spread: float) -> None:
    delay = retry_delay_s(attempts, spread)
    assert 0 < delay <= LONGEST_RETRY_S
    assert delay <= retry_delay_s(attempts + 1, 1.0)


def test_a_stopped_sender_leaves_the_rest_for_the_next_start(store: EdgeStore) -> None:
    reached = threading.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        reached.set()
        raise httpx.ConnectError("down", request=request)

    store.commit("gate", "", [put("a", "/1")])
    with client(answer) as http:
        sender = OutboxSender(store, http)
        sender.start()
        assert reached.wait(5)
        assert not sender.drain(timeout_s=0)
        sender.stop(timeout_s=5)
    assert store.counts().waiting == 1


def order(incident_id: str, number: int = 0) -> OutboxRequest:
    body = f'{{"incident_id":"{incident_id}","number":{number}}}'.encode()
    return OutboxRequest(
        incident_id=incident_id,
        method="POST",
        path="/api/v1/work-orders",
        content_type="application/json",
        body=body,
    )


def batch_answer(request: httpx.Request, status_of: Callable[[str], int]) -> httpx.Response:
    items = []
    for each in json.loads(request.content)["orders"]:
        status = status_of(each["incident_id"])
        is_taken = status < 300
        items.append({"status": status, "order": each if is_taken else None, "detail": "so it is"})
    return httpx.Response(200, json={"items": items})


def test_orders_that_wait_go_out_together_before_the_pictures(store: EdgeStore) -> None:
    seen: list[str] = []
    heard: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        if request.url.path.endswith("/batch"):
            return batch_answer(request, lambda _id: 201)
        return httpx.Response(201)

    requests = [each for n in range(120) for each in (order(f"i{n}"), put(f"i{n}", f"/{n}"))]
    store.commit("gate", "", requests)
    with client(answer) as http:
        sender = OutboxSender(store, http, lambda _request, said: heard.append(said))
        sender.start()
        assert sender.drain(timeout_s=30)
        sender.stop(timeout_s=5)
    assert seen[:3] == ["/api/v1/work-orders/batch"] * 3
    assert sorted(seen[3:]) == sorted(f"/{n}" for n in range(120))
    orders = [json.loads(said)["incident_id"] for said in heard if said]
    assert orders == [f"i{n}" for n in range(120)]


def test_of_several_orders_one_may_be_refused_and_one_come_later(store: EdgeStore) -> None:
    tries: dict[str, int] = {}

    def status_of(incident_id: str) -> int:
        tries[incident_id] = tries.get(incident_id, 0) + 1
        if incident_id == "wrong":
            return 422
        return 503 if incident_id == "later" and tries[incident_id] == 1 else 201

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batch"):
            return batch_answer(request, status_of)
        return httpx.Response(status_of(json.loads(request.content)["incident_id"]))

    store.commit("gate", "", [order(each) for each in ("wrong", "later", "good")])
    send_all(store, answer)
    assert tries == {"wrong": 1, "later": 2, "good": 1}
    assert store.counts().rejected == 1


@pytest.mark.parametrize(
    "unfit",
    [
        pytest.param(httpx.Response(405), id="an older service"),
        pytest.param(httpx.Response(503), id="one in trouble"),
        pytest.param(httpx.Response(200, json={"items": []}), id="an answer to nothing"),
        pytest.param(httpx.Response(200, content=b"<html>"), id="no answer at all"),
    ],
)
def test_where_several_are_not_taken_they_go_one_by_one(
    store: EdgeStore, unfit: httpx.Response
) -> None:
    taken: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/batch"):
            return unfit
        taken.append(json.loads(request.content)["incident_id"])
        return httpx.Response(201)

    store.commit("gate", "", [order(each) for each in "abc"])
    send_all(store, answer)
    assert taken == ["a", "b", "c"]
