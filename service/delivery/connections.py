"""Connections to receivers: each exchange ends at a deadline, and some are kept for the next."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TypeAlias

IDLE_S = 4.0
"""Kept so long without use: common servers close theirs after five seconds or more."""
LIFE_S = 60.0
"""Then a new one is made, to wherever the name leads by now."""
KEPT_FOR_EACH = 4
KEPT = 64

Receiver: TypeAlias = tuple[str, str, int]
"""Scheme, host and port."""


class Deadline:
    """When an exchange must be over."""

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """What is left of the time; :class:`TimeoutError` when nothing is."""
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s


class TimedSocket:
    """A connected socket on which an exchange takes no longer than its deadline, in all."""

    def __init__(self, connected: socket.socket, made_s: float | None = None) -> None:
        self._socket = connected
        self.made_s = time.monotonic() if made_s is None else made_s
        self.deadline = Deadline(0.0)

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        self._socket.settimeout(self.deadline.left_s)
        self._socket.sendall(data)

    def receive_into(self, buffer: memoryview) -> int:
        """Wait for what comes next; 0: the other side has closed."""
        # Anew for each piece: otherwise a receiver that drips would get the time for each.
        self._socket.settimeout(self.deadline.left_s)
        return self._socket.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What ``http.client`` reads an answer from."""
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class _Reader(io.RawIOBase):
    """Reads from a socket that outlives it."""

    def __init__(self, source: TimedSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._source.receive_into(buffer)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    connection: TimedSocket
    since_s: float


class KeptConnections:
    """Connections that may be used again. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: defaultdict[Receiver, list[_Kept]] = defaultdict(list)
        self._is_closed = False

    def take(self, to: Receiver) -> TimedSocket | None:
        """A connection that is not in use, if there is one."""
        with self._lock:
            kept = self._kept.pop(to, [])
            now_s = time.monotonic()
            good = [each for each in kept if now_s - each.since_s < IDLE_S]
            found = good.pop() if good else None
            if good:
                self._kept[to] = good
        for each in kept:
            if each is not found and each not in good:
                each.connection.close()
        return None if found is None else found.connection

    def keep(self, to: Receiver, connection: TimedSocket) -> None:
        """Keep a connection for the next exchange, if there is room for it."""
        now_s = time.monotonic()
        with self._lock:
            total = sum(map(len, self._kept.values()))
            has_room = total < KEPT and len(self._kept[to]) < KEPT_FOR_EACH
            is_young = now_s - connection.made_s < LIFE_S
            if has_room and is_young and not self._is_closed:
                self._kept[to].append(_Kept(connection=connection, since_s=now_s))
                return
        connection.close()

    def tidy(self) -> None:
        """Close those that nobody has used for a while."""
        for to in list(self._kept):
            found = self.take(to)
            if found is not None:
                self.keep(to, found)

    def close(self) -> None:
        """Close all of them, and those that come back later."""
        with self._lock:
            self._is_closed = True
            kept = [each for group in self._kept.values() for each in group]
            self._kept.clear()
        for each in kept:
            each.connection.close()
