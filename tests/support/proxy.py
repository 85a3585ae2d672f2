"""A TCP proxy on loopback that fails on command: stall, reset, refuse, resume."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CHUNK_BYTES = 65_536
TICK_S = 0.05
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on with zero seconds: closing sends a reset."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Pair:
    """One client and its connection to the server."""

    client: socket.socket
    server: socket.socket
    waiting: dict[socket.socket, bytes] = field(default_factory=dict)

    def other(self, end: socket.socket) -> socket.socket:
        return self.server if end is self.client else self.client


class FaultProxy:
    """Passes bytes between clients and ``127.0.0.1:target_port``, until told otherwise."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        """May be changed: new connections then go there."""
        self.accepted = 0
        """Connections taken since the start."""
        self._stalled = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._pairs: list[_Pair] = []
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()
        self.refuse()

    def stall(self) -> None:
        """Keep connections open, accept new ones, and let nothing through."""
        self._stalled.set()

    def reset(self) -> None:
        """Break every connection off with a reset; new ones work."""
        with self._lock:
            for pair in self._pairs:
                _break(pair)
            self._pairs.clear()

    def refuse(self) -> None:
        """Break every connection off and refuse new ones."""
        with self._lock:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
        self.reset()

    def resume(self) -> None:
        """Work again, at the same port."""
        self._stalled.clear()
        with self._lock:
            if self._listener is None:
                self._listener = socket.create_server(("127.0.0.1", self.port))

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._lock, selectors.DefaultSelector() as selector:
                self._step(selector)
            self._closing.wait(0.001)

    def _step(self, selector: selectors.BaseSelector) -> None:
        if self._listener is not None:
            selector.register(self._listener, selectors.EVENT_READ, None)
        if not self._stalled.is_set():
            for pair in self._pairs:
                selector.register(pair.client, selectors.EVENT_READ, pair)
                selector.register(pair.server, selectors.EVENT_READ, pair)
        for key, _ in selector.select(TICK_S):
            if key.data is None:
                self._accept()
            elif key.data in self._pairs:
                self._pass_on(key.data, key.fileobj)  # type: ignore[arg-type]

    def _accept(self) -> None:
        assert self._listener is not None
        client, _ = self._listener.accept()
        self.accepted += 1
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), 2.0)
        except OSError:
            client.close()  # as a server that is down behind a port forward
            return
        self._pairs.append(_Pair(client=client, server=server))

    def _pass_on(self, pair: _Pair, end: socket.socket) -> None:
        data = b""
        with contextlib.suppress(OSError):  # a broken end passes on nothing
            data = end.recv(CHUNK_BYTES)
            if data:
                pair.other(end).sendall(data)
        if not data:
            _break(pair)
            self._pairs.remove(pair)


def _break(pair: _Pair) -> None:
    for end in (pair.client, pair.server):
        with contextlib.suppress(OSError):  # already gone
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        end.close()
