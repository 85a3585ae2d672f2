"""Connections to receivers are used again where the receiver goes on, and never beyond that."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from types import SimpleNamespace
from typing import Any

import pytest

from service.delivery import connections
from service.delivery.connections import KeptConnections
from service.delivery.lines import in_lines
from service.delivery.post import Poster

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Line:
    """A receiver that answers each request of a connection as it is told."""

    url: str = ""
    connected: int = 0
    bodies: list[bytes] = field(default_factory=list)

    def take(
        self,
        reader: BufferedReader,
        connection: socket.socket,
        answer: Callable[[int], bytes | None],
    ) -> bool:
        """Read a request and answer it; False at the end of the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = reader.readline()
            if not piece:
                return False
            head += piece
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        said = answer(len(self.bodies))
        if said is None:
            return False
        self.bodies.append(reader.read(length))
        connection.sendall(said)
        return True


@contextmanager
def line(answer: Callable[[int], bytes | None]) -> Iterator[Line]:
    """``answer`` gets the number of the request; ``None``: close instead, as when idle too long."""
    found = Line()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                found.connected += 1
                with connection, connection.makefile("rb") as reader:
                    while found.take(reader, connection, answer):
                        pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield found
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.fixture
def poster() -> Iterator[Poster]:
    made = Poster(allow_private=True, timeout_s=5, kept=KeptConnections())
    yield made
    made.close()


def test_a_receiver_that_goes_on_gets_all_over_one_connection(poster: Poster) -> None:
    with line(lambda _number: NO_CONTENT) as receiver:
        for number in range(3):
            assert poster.post(receiver.url, {}, b"%d" % number).outcome.is_success
        poster.close()
        assert (receiver.connected, receiver.bodies) == (1, [b"0", b"1", b"2"])


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", id="says"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="an old one"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, id="answers at length"
        ),
    ],
)
def test_where_a_receiver_does_not_go_on_each_has_its_own(poster: Poster, answer: bytes) -> None:
    with line(lambda _number: answer) as receiver:
        for _ in range(2):
            assert poster.post(receiver.url, {}, b"x").outcome.is_success
        poster.close()
        assert receiver.connected == 2


def test_a_connection_that_was_closed_meanwhile_costs_no_attempt(poster: Poster) -> None:
    closes = iter([False, True, False])

    def answer(_number: int) -> bytes | None:
        return None if next(closes) else NO_CONTENT

    with line(answer) as receiver:
        assert poster.post(receiver.url, {}, b"1").outcome.is_success
        assert poster.post(receiver.url, {}, b"2").outcome.is_success
        poster.close()
        assert (receiver.connected, receiver.bodies) == (2, [b"1", b"2"])


def test_what_nobody_used_for_a_while_is_closed(
    poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line(lambda _number: NO_CONTENT) as receiver:
        assert poster.post(receiver.url, {}, b"1").outcome.is_success
        monkeypatch.setattr(connections, "IDLE_S", 0.0)
        poster.tidy()
        assert poster.post(receiver.url, {}, b"2").outcome.is_success
        poster.close()
        assert receiver.connected == 2


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://127.0.0.1:1/a b", id="a space"),
        pytest.param("http://127.0.0.1:1/\u4e2d", id="not ASCII"),
        pytest.param("http://127.0.0.1:1/a\x0bb", id="a control character"),
    ],
)
def test_an_address_that_cannot_be_sent_is_a_failure(poster: Poster, url: str) -> None:
    answer = poster.post(url, {}, b"")
    assert answer.outcome.status_code is None
    assert answer.error is not None
    assert answer.error.startswith(("ValueError", "UnicodeEncodeError"))


def test_claims_are_spread_over_as_many_lines_as_there_is_room_for() -> None:
    claims: Any = [SimpleNamespace(subscription_id=s, number=n) for n in range(5) for s in "ab"]
    lines = in_lines(claims, {"a": 2, "b": 8})
    assert [[(each.subscription_id, each.number) for each in line] for line in lines] == [  # type: ignore[attr-defined]
        [("a", 0), ("a", 2), ("a", 4)],
        [("a", 1), ("a", 3)],
        *[[("b", number)] for number in range(5)],
    ]
