"""One POST, to receivers that behave badly."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import trustme
from standardwebhooks import Webhook

from service.delivery.addresses import ForbiddenAddress, is_public, resolve
from service.delivery.post import MAX_ANSWER_BYTES, Poster, retry_after_s
from service.delivery.signing import signed_headers
from tests.support.receiver import receiver

POSTER = Poster(allow_private=True, timeout_s=0.6)


def test_a_post_reaches_its_path_and_query_with_all_headers() -> None:
    with receiver() as hooks:
        answer = POSTER.post(f"{hooks.url}?city=a", {"webhook-id": "1"}, b"{}")

    assert answer.outcome.status_code == 204
    assert answer.error is None
    (hook,) = hooks.received
    assert hook.path == "/hook?city=a"
    assert hook.headers["webhook-id"] == "1"
    assert hook.headers["host"] == hooks.url.split("/")[2]


def test_a_receiver_that_says_nothing_is_left_at_the_deadline() -> None:
    with receiver(lambda handler, _hook: handler.hang()) as hooks:
        answer = POSTER.post(hooks.url, {}, b"{}")

    assert answer.outcome.status_code is None
    assert answer.error == "no complete answer in time"
    assert 0.5 < answer.duration_s < 3


def test_a_receiver_that_drips_is_left_at_the_deadline() -> None:
    with receiver(lambda handler, _hook: handler.drip()) as hooks:
        answer = POSTER.post(hooks.url, {}, b"{}")

    assert answer.outcome.status_code is None
    assert answer.error == "no complete answer in time"
    assert 0.5 < answer.duration_s < 3


def test_a_tls_handshake_that_never_ends_is_left_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = POSTER.post(f"https://127.0.0.1:{silent.getsockname()[1]}/", {}, b"{}")

    assert answer.outcome.status_code is None
    assert 0.5 < answer.duration_s < 3


def test_a_connection_that_is_reset_is_a_failure_with_its_reason() -> None:
    with receiver(lambda handler, _hook: handler.reset()) as hooks:
        answer = POSTER.post(hooks.url, {}, b"{}")

    assert answer.outcome.status_code is None
    assert answer.error is not None
    assert "Connection" in answer.error or "Disconnected" in answer.error


def test_nobody_listening_is_a_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    answer = POSTER.post(f"http://127.0.0.1:{port}/", {}, b"{}")

    assert answer.outcome.status_code is None
    assert answer.error is not None
    assert "refused" in answer.error


def test_only_the_beginning_of_an_answer_is_kept() -> None:
    with receiver(lambda handler, _hook: handler.reply(500, body=b"x" * 1_000_000)) as hooks:
        answer = POSTER.post(hooks.url, {}, b"{}")

    assert answer.outcome.status_code == 500
    assert answer.text == "x" * MAX_ANSWER_BYTES


def test_an_answer_that_is_not_http_is_a_failure() -> None:
    with _raw_server(b"220 mail.example ESMTP\r\n") as url:
        answer = POSTER.post(url, {}, b"{}")

    assert answer.outcome.status_code is None
    assert answer.error is not None


@pytest.mark.parametrize(
    "url",
    ["http://no-such-host.invalid/", "http://\x00/", "http://a..b/", "http://127.0.0.1:99999/"],
    ids=repr,
)
def test_an_address_that_leads_nowhere_is_a_failure(url: str) -> None:
    assert POSTER.post(url, {}, b"{}").outcome.status_code is None


def test_tls_is_verified_by_the_name_in_the_url_not_by_the_address() -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)

    def trusting() -> ssl.SSLContext:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    with receiver() as hooks:
        hooks.socket = served.wrap_socket(hooks.socket, server_side=True)
        port = hooks.server_address[1]
        trusted = Poster(allow_private=True, timeout_s=5, tls=trusting)
        right = trusted.post(f"https://localhost:{port}/", {}, b"{}")
        wrong_name = trusted.post(f"https://127.0.0.1:{port}/", {}, b"{}")
        unknown = Poster(allow_private=True, timeout_s=5).post(
            f"https://localhost:{port}/", {}, b"{}"
        )

    assert right.outcome.status_code == 204, right.error
    assert wrong_name.error is not None
    assert "certificate" in wrong_name.error.lower()
    assert unknown.error is not None
    assert "certificate" in unknown.error.lower()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - an address to refuse
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("240.0.0.1", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "0x7f.1", "2130706433", "::1"])
def test_private_hosts_are_refused_in_any_spelling(host: str) -> None:
    with pytest.raises(ForbiddenAddress):
        resolve(host, 80, allow_private=False)


def test_a_private_receiver_gets_nothing_unless_allowed() -> None:
    with receiver() as hooks:
        answer = Poster(timeout_s=1).post(hooks.url, {}, b"{}")
        assert hooks.received == []

    assert answer.outcome.status_code is None
    assert answer.error == "ForbiddenAddress: the address is not public"


def test_one_private_address_among_several_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def two(*_args: object, **_kwargs: object) -> list[object]:
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, ("8.8.8.8", 80)), (*kind, ("10.0.0.1", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", two)

    with pytest.raises(ForbiddenAddress):
        resolve("rebinding.example", 80, allow_private=False)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120.0),
        ("Tue, 24 Nov 2026 08:01:00 GMT", 60.0),
        ("Tue, 24 Nov 2026 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_s(header, datetime(2026, 11, 24, 8, 0, tzinfo=UTC)) == seconds


def test_signatures_pass_the_reference_library() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"场": "x"}'.encode()
    headers = signed_headers([secret], "evt_1", int(time.time()), body)

    assert Webhook(secret).verify(body, headers) == {"场": "x"}


@contextmanager
def _raw_server(answer: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()
