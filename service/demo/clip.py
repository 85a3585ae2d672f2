"""A video file as the RTSP server sends it: H.264 access units with their times."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import av

from models.errors import SetupError

CLOCK_RATE_HZ = 90_000
"""RTP clock of video (RFC 6184)."""
FALLBACK_FPS = 25
START_CODE = b"\0\0\1"
SPS, PPS = 7, 8
"""NAL unit types of the two parameter sets (ITU-T H.264, table 7-1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """One access unit: a coded picture, with what must come before it."""

    nals: tuple[bytes, ...]
    send_s: float
    """When to send it, from the start of the clip: in decoding order."""
    shown_ticks: int
    """When it is shown, from the start of the clip, on the RTP clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A whole file, ready to be sent again and again."""

    name: str
    units: tuple[Unit, ...]
    duration_ticks: int
    sps: bytes
    pps: bytes

    @property
    def duration_s(self) -> float:
        """Length of one pass."""
        return self.duration_ticks / CLOCK_RATE_HZ

    @property
    def sdp(self) -> str:
        """What DESCRIBE answers (RFC 8866, RFC 6184)."""
        sets = ",".join(base64.b64encode(nal).decode("ascii") for nal in (self.sps, self.pps))
        lines = (
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            f"s={self.name}",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=control:*",
            "a=range:npt=now-",
            "m=video 0 RTP/AVP 96",
            f"a=rtpmap:96 H264/{CLOCK_RATE_HZ}",
            f"a=fmtp:96 packetization-mode=1;profile-level-id={self.sps[1:4].hex()};"
            f"sprop-parameter-sets={sets}",
            "a=control:trackID=0",
        )
        return "".join(f"{line}\r\n" for line in lines)


def load_clip(path: Path) -> Clip:
    """Read a file into memory; :class:`SetupError` if it is not H.264."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise SetupError(f"{path}: holds no video")
            return _read(path, container)
    except av.error.FFmpegError as error:
        raise SetupError(f"{path}: {error.strerror}") from error


def _read(path: Path, container: av.container.InputContainer) -> Clip:
    stream = container.streams.video[0]
    if stream.codec_context.name != "h264":
        raise SetupError(f"{path}: is {stream.codec_context.name}; only H.264 can be served")
    annex_b = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", stream)
    packets = [
        p for packet in container.demux(stream) if packet.size for p in annex_b.filter(packet)
    ]
    if not packets or any(packet.dts is None or packet.pts is None for packet in packets):
        raise SetupError(f"{path}: its pictures carry no times")
    base = packets[0].time_base
    first_dts, first_pts = packets[0].dts, min(packet.pts for packet in packets)
    units = tuple(
        Unit(
            nals=split_nals(bytes(packet)),
            send_s=float((packet.dts - first_dts) * base),
            shown_ticks=round((packet.pts - first_pts) * base * CLOCK_RATE_HZ),
        )
        for packet in packets
    )
    nals = [nal for unit in units for nal in unit.nals]
    fps = stream.average_rate or FALLBACK_FPS
    return Clip(
        name=path.stem,
        units=units,
        duration_ticks=max(unit.shown_ticks for unit in units) + round(CLOCK_RATE_HZ / fps),
        sps=_parameter_set(nals, SPS, path),
        pps=_parameter_set(nals, PPS, path),
    )


def split_nals(annex_b: bytes) -> tuple[bytes, ...]:
    """The NAL units between start codes."""
    parts = annex_b.split(START_CODE)[1:]
    # a start code may be four bytes long: its first zero is then left at the part before it
    return tuple(nal for part in parts if (nal := part.rstrip(b"\0")))


def _parameter_set(nals: list[bytes], kind: int, path: Path) -> bytes:
    for nal in nals:
        if nal[0] & 0x1F == kind:
            return nal
    raise SetupError(f"{path}: holds no parameter sets")
