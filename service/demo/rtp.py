"""H.264 in RTP packets (RFC 3550, RFC 6184), interleaved in the RTSP connection (RFC 2326)."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST_PAYLOAD_BYTES = 1400
PAYLOAD_TYPE = 96
VERSION = 0x80
MARKER = 0x80
FU_A = 28
FU_START, FU_END = 0x80, 0x40
SENDER_REPORT, GOODBYE = 200, 203
NTP_EPOCH_OFFSET_S = 2_208_988_800
"""Seconds from 1900, where NTP begins, to 1970."""


@dataclass(kw_only=True, slots=True)
class RtpStream:
    """Numbers and stamps the packets for one client."""

    ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = field(default_factory=lambda: secrets.randbits(16))
    base_ticks: int = field(default_factory=lambda: secrets.randbits(32))
    packets: int = 0
    payload_bytes: int = 0

    def timestamp(self, ticks: int) -> int:
        """RTP time stamp of a time in the stream."""
        return (self.base_ticks + ticks) & 0xFFFFFFFF

    def packets_of(self, nals: tuple[bytes, ...], ticks: int) -> Iterator[bytes]:
        """RTP packets of one access unit; the last one carries the marker."""
        for index, nal in enumerate(nals):
            fragments = list(_fragments(nal))
            for at, payload in enumerate(fragments):
                last = index == len(nals) - 1 and at == len(fragments) - 1
                yield self._packet(payload, ticks, last=last)

    def sender_report(self, ticks: int, wall_s: float) -> bytes:
        """RTCP packet that ties the stream's time to the wall clock."""
        ntp_s = wall_s + NTP_EPOCH_OFFSET_S
        return struct.pack(
            "!BBHIIIIII",
            VERSION,
            SENDER_REPORT,
            6,
            self.ssrc,
            int(ntp_s),
            int((ntp_s % 1) * 2**32),
            self.timestamp(ticks),
            self.packets & 0xFFFFFFFF,
            self.payload_bytes & 0xFFFFFFFF,
        )

    def _packet(self, payload: bytes, ticks: int, *, last: bool) -> bytes:
        header = struct.pack(
            "!BBHII",
            VERSION,
            PAYLOAD_TYPE | (MARKER if last else 0),
            self.sequence,
            self.timestamp(ticks),
            self.ssrc,
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.packets += 1
        self.payload_bytes += len(payload)
        return header + payload


def interleaved(channel: int, packet: bytes) -> bytes:
    """A packet as it travels inside the RTSP connection."""
    return struct.pack("!BBH", ord("$"), channel, len(packet)) + packet


def _fragments(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= LARGEST_PAYLOAD_BYTES:
        yield nal
        return
    indicator, kind, body = nal[0] & 0xE0 | FU_A, nal[0] & 0x1F, nal[1:]
    step = LARGEST_PAYLOAD_BYTES - 2
    for at in range(0, len(body), step):
        flags = (FU_START if at == 0 else 0) | (FU_END if at + step >= len(body) else 0)
        yield bytes((indicator, flags | kind)) + body[at : at + step]
