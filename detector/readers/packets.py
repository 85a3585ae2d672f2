"""The last seconds of a stream, as the camera sent them: compressed packets in bounded memory.

Never more than a camera's own packets are kept, so that a film of what led to an incident costs a
few megabytes instead of gigabytes of pictures. They show faces and plates: they never leave the
machine as they are (:mod:`detector.clip`).
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

MAX_BYTES = 8_000_000
"""Fifteen seconds at 4 Mbit/s; of a fatter stream fewer seconds are kept."""
SPARE_S = 2.0
"""Kept longer than asked for, because whoever cuts comes a little later."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Packet:
    """One packet off the stream."""

    data: bytes
    captured_at: datetime
    is_key: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PacketRun:
    """Packets in a row, the first of them a key packet, and what is needed to decode them."""

    codec: str
    """PyAV's name of the decoder."""
    extradata: bytes
    packets: tuple[Packet, ...]


class PacketRing:
    """Keeps whole groups of pictures of the last ``span_s`` seconds, in at most ``max_bytes``.

    The oldest group goes first. Thread-safe: a reader adds, a worker cuts.
    """

    def __init__(self, span_s: float, max_bytes: int = MAX_BYTES) -> None:
        self._span = timedelta(seconds=span_s + SPARE_S)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._packets: deque[Packet] = deque()
        self._bytes = 0
        self._codec = ""
        self._extradata = b""

    @property
    def codec(self) -> str:
        """Decoder of what is kept; empty where the stream gives no packets."""
        return self._codec

    @property
    def size_bytes(self) -> int:
        """Bytes of the packets that are kept."""
        return self._bytes

    @property
    def newest_at(self) -> datetime | None:
        """Capture time of the newest packet."""
        with self._lock:
            return self._packets[-1].captured_at if self._packets else None

    def start(self, codec: str, extradata: bytes = b"") -> None:
        """Begin anew with another stream; an empty ``codec``: one that gives no packets."""
        with self._lock:
            self._packets.clear()
            self._bytes = 0
            self._codec, self._extradata = codec, extradata

    def add(self, packet: Packet) -> None:
        """Keep a packet; what comes before the first key packet is of no use."""
        with self._lock:
            if not self._packets and not packet.is_key:
                return
            self._packets.append(packet)
            self._bytes += len(packet.data)
            while self._packets and self._is_too_much(packet.captured_at):
                self._drop_group()

    def cut(self, since: datetime, until: datetime) -> PacketRun | None:
        """The packets of that time, from the last key packet before it; ``None`` without any."""
        with self._lock:
            kept = tuple(packet for packet in self._packets if packet.captured_at <= until)
            codec, extradata = self._codec, self._extradata
        keys = [index for index, packet in enumerate(kept) if packet.is_key]
        before = [index for index in keys if kept[index].captured_at <= since]
        if not keys:
            return None
        start = before[-1] if before else keys[0]
        return PacketRun(codec=codec, extradata=extradata, packets=kept[start:])

    def _is_too_much(self, newest_at: datetime) -> bool:
        if self._bytes > self._max_bytes:
            return True
        second = next((p for p in islice(self._packets, 1, None) if p.is_key), None)
        return second is not None and newest_at - second.captured_at >= self._span

    def _drop_group(self) -> None:
        """Drop the oldest key packet and all that cannot be decoded without it."""
        first = True
        while self._packets and (first or not self._packets[0].is_key):
            self._bytes -= len(self._packets.popleft().data)
            first = False
