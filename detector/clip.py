"""Short films of incidents: packets → pictures → redacted pictures → H.264 in an MP4.

The camera's packets show faces and plates, so they are never muxed as they are: a film that leaves
was decoded, redacted picture by picture, and encoded anew, smaller and at fewer pictures a second.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from detector.evidence import decode_jpeg, shrunk
from detector.readers.keyframes import START_CODE
from detector.readers.packets import PacketRun
from detector.redaction import PERSON, Seen
from models.errors import ClipError
from models.seeing import Image

CLIP_WIDTH_PX = 960
CLIP_FPS = 5.0
ENCODERS = ("libx264", "libopenh264")
"""The first that the installed PyAV has; both give H.264, which every browser plays."""
QUALITY = {"preset": "veryfast", "crf": "28"}
PERSON_PADDING = timedelta(seconds=1)
"""A person seen so long before or after a picture is taken to be in it, at that place too."""
VEHICLE_PADDING = timedelta(seconds=0.3)
"""The same of a vehicle, which is faster: one picture before and after."""
_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Moment:
    """One picture of a film and when it was taken."""

    at: datetime
    image: Image


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SeenMoment:
    """A picture with everything in it that may have to be hidden."""

    moment: Moment
    seen: tuple[Seen, ...]


def encoder() -> str | None:
    """Name of the H.264 encoder that films are made with, or ``None``: none is there."""
    return next((name for name in ENCODERS if _has_encoder(name)), None)


def decode_run(run: PacketRun, since: datetime, fps: float = CLIP_FPS) -> Iterator[Moment]:
    """Pictures of a run from ``since`` on, at most ``fps`` of them a second, in full size.

    Damaged packets are passed over; raises :class:`ClipError` if the codec cannot be decoded.
    """
    spacing = timedelta(seconds=1 / fps) - timedelta(milliseconds=10)
    # Decoders give pictures in the order of showing, packets come in that of decoding.
    times = deque(sorted(packet.captured_at for packet in run.packets))
    last: datetime | None = None
    for frame in _frames(run):
        at = times.popleft() if times else since
        if at < since or (last is not None and at - last < spacing):
            continue
        last = at
        yield Moment(at=at, image=np.asarray(frame.to_ndarray(format="bgr24", threads=1), np.uint8))


def decode_stills(stills: Iterable[tuple[datetime, bytes]]) -> Iterator[Moment]:
    """Pictures kept as JPEG, where a stream gives no packets."""
    for at, jpeg in stills:
        yield Moment(at=at, image=decode_jpeg(jpeg))


def padded(moments: Iterable[SeenMoment]) -> Iterator[SeenMoment]:
    """Each picture with what was seen just before and just after it too.

    A detector that misses somebody in one picture out of five must not show a face in that one.
    """
    waiting: deque[SeenMoment] = deque()
    past: deque[SeenMoment] = deque()
    for newest in moments:
        waiting.append(newest)
        while newest.moment.at - waiting[0].moment.at >= PERSON_PADDING:
            yield _with_neighbours(waiting, past)
    while waiting:
        yield _with_neighbours(waiting, past)


def encode_mp4(moments: Iterable[Moment], width_px: int = CLIP_WIDTH_PX) -> bytes:
    """An MP4 that plays while it loads; raises :class:`ClipError` if nothing can be encoded."""
    name = encoder()
    if name is None:
        raise ClipError("PyAV has no H.264 encoder here")
    with tempfile.TemporaryDirectory(prefix="streetwarden-clip-") as folder:
        path = Path(folder) / "clip.mp4"
        try:
            count = _write(path, moments, name, width_px)
        except (av.error.FFmpegError, ValueError) as error:
            raise ClipError(f"a film could not be encoded: {error}") from error
        if count == 0:
            raise ClipError("there is no picture for a film")
        return path.read_bytes()


def _frames(run: PacketRun) -> Iterator[Any]:
    try:
        context = av.CodecContext.create(run.codec, "r")
    except (av.error.FFmpegError, ValueError) as error:
        raise ClipError(f"{run.codec}: cannot be decoded") from error
    context.thread_count = 1
    if run.extradata.startswith((START_CODE, b"\0" + START_CODE)):
        context.extradata = run.extradata
    for packet in (*run.packets, None):
        try:
            yield from context.decode(None if packet is None else av.Packet(packet.data))
        except av.error.FFmpegError:
            continue  # a damaged packet: the next group of pictures stands for itself


def _with_neighbours(waiting: deque[SeenMoment], past: deque[SeenMoment]) -> SeenMoment:
    this = waiting.popleft()
    at = this.moment.at
    while past and at - past[0].moment.at > PERSON_PADDING:
        past.popleft()
    near = [
        item
        for other in (*past, *waiting)
        for item in other.seen
        if abs(other.moment.at - at)
        <= (PERSON_PADDING if item.label == PERSON else VEHICLE_PADDING)
    ]
    # Only the boxes of what is past are needed: its picture is let go.
    past.append(SeenMoment(moment=Moment(at=at, image=_NOTHING), seen=this.seen))
    return SeenMoment(moment=this.moment, seen=(*this.seen, *near))


def _write(path: Path, moments: Iterable[Moment], name: str, width_px: int) -> int:
    count = 0
    began_at: datetime | None = None
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = None
        for moment in moments:
            image = _even(shrunk(moment.image, width_px))
            if stream is None:
                stream = _stream(container, name, image)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.time_base = _MILLISECOND
            began_at = moment.at if began_at is None else began_at
            frame.pts = round((moment.at - began_at).total_seconds() * 1000)
            container.mux(stream.encode(frame))
            count += 1
        if stream is not None:
            container.mux(stream.encode(None))
    return count


def _stream(container: Any, name: str, image: Image) -> Any:
    stream = container.add_stream(name, rate=Fraction(CLIP_FPS))
    stream.height, stream.width = image.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.codec_context.time_base = _MILLISECOND
    stream.codec_context.thread_count = 1
    stream.codec_context.gop_size = round(2 * CLIP_FPS)
    if name == "libx264":
        stream.options = dict(QUALITY)
    return stream


def _even(image: Image) -> Image:
    """H.264 with yuv420p has even sides."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(image[: height - height % 2, : width - width % 2])


def _has_encoder(name: str) -> bool:
    try:
        av.codec.Codec(name, "w")
    except (av.error.FFmpegError, ValueError):
        return False
    return True


_NOTHING: Image = np.empty((0, 0, 3), np.uint8)
