"""A real HTTP server that takes webhooks and answers as a test wants."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


Answer = Callable[["Handler", Hook], None]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            return  # whoever sent it was killed amid sending: nothing was received
        headers = {name.lower(): value for name, value in self.headers.items()}
        hook = Hook(path=self.path, headers=headers, body=body)
        with self.server.lock:
            self.server.hooks.append(hook)
        self.server.answer(self, hook)

    def reply(
        self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def hang(self) -> None:
        """Take the request and say nothing until the test is over."""
        self.server.over.wait(60)

    def reset(self) -> None:
        """Break the connection off hard."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()

    def drip(self, every_s: float = 0.05) -> None:
        """Send an endless header, a byte at a time."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        try:
            while not self.server.over.wait(every_s):
                self.wfile.write(b"x")
        except OSError:
            return  # the sender has had enough

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.hooks: list[Hook] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that a test broke is no news."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def received(self) -> list[Hook]:
        with self.lock:
            return list(self.hooks)


def accept(handler: Handler, _hook: Hook) -> None:
    """Answer 204."""
    handler.reply(204)


@contextmanager
def receiver(answer: Answer = accept) -> Iterator[Server]:
    """A receiver on a free loopback port."""
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
