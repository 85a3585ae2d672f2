"""A camera's thread: opens, reads and reconnects for ever, and keeps the newest picture only."""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from detector.readers.address import is_recorded
from detector.readers.backoff import START_STAGGER_S, STEADY_S, retry_delay_s
from detector.readers.base import FrameReader, Shot, SteppingReader
from detector.readers.opening import open_reader
from detector.readers.packets import PacketRing
from detector.redaction import masked
from models.errors import SourceEnded, SourceError, SourceReadError
from models.seeing import Frame
from models.urls import redact_url
from models.zone import Camera, DecodeMode

BEAT_S = 0.5
"""A thread shows this often that it lives: not at each packet, for each of many cameras."""
MOST_DAMAGED_IN_A_ROW = 3
"""After so many pictures that cannot be decoded the source is opened anew."""

log = structlog.get_logger(__name__)
_stopped_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def abandoned_readers() -> int:
    """Reader threads of this process that were told to stop and have not, for a read hangs."""
    return sum(thread.is_alive() for thread in list(_stopped_threads))


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamStats:
    """What a stream did since it was started."""

    state: str = "connecting"
    """``connecting`` (never seen yet), ``online``, ``offline`` or ``ended``."""
    frames: int = 0
    """Pictures handed out."""
    drops: int = 0
    """Pictures that a newer one replaced before anybody took them."""
    damaged: int = 0
    """Pictures that could not be decoded."""
    reconnects: int = 0
    """Times the source was open again after it had been lost."""
    failures: int = 0
    """Times it could not be opened or broke off."""
    last_error: str = ""
    """Empty while it is well; never holds credentials."""
    last_frame_at: datetime | None = None
    """Capture time of the newest picture."""
    beat_monotonic_s: float = 0.0
    """When the thread last showed that it lives, on the monotonic clock."""
    width_px: int = 0
    height_px: int = 0
    decode: DecodeMode | None = None
    """How it is decoded now; ``None`` before it is open."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Numbered:
    shot: Shot
    sequence: int


class CameraStream:
    """Reads one camera in a thread of its own, so that no camera ever holds up another.

    A live source keeps one picture, the newest. An unpaced recording waits until each was taken.
    """

    def __init__(
        self, camera: Camera, *, opener: Callable[[Camera], FrameReader] = open_reader
    ) -> None:
        self._camera, self._opener = camera, opener
        self._keeps_all = is_recorded(camera) and not camera.paced
        policy = camera.evidence
        self.packets = PacketRing(policy.clip_before_s + policy.clip_after_s)
        """The last seconds as they were sent; without a codec where the stream gives no packets."""
        self.on_news: Callable[[], None] = lambda: None
        """Called in the reader's thread when there is a picture where there was none, or an end."""
        self._condition = threading.Condition()
        self._stopping = threading.Event()
        self._slot: _Numbered | None = None
        self._sequence = self._damaged_in_a_row = 0
        self._last_at: datetime | None = None
        self._stats = StreamStats(beat_monotonic_s=time.monotonic())
        self._thread = threading.Thread(
            target=self._run, name=f"camera-{camera.camera_id}", daemon=True
        )

    @property
    def stats(self) -> StreamStats:
        """Snapshot of the counters."""
        with self._condition:
            return self._stats

    @property
    def is_reading(self) -> bool:
        """Whether the thread is alive, though it may hang."""
        return self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether a recording has been read to its end and its last frame taken."""
        with self._condition:
            return self._stats.state == "ended" and self._slot is None

    def start(self) -> None:
        """Begin to read."""
        self._count(beat_monotonic_s=time.monotonic())
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop reading; returns within the time even if a read hangs: its thread is abandoned."""
        with self._condition:
            self._stopping.set()
            self._slot = None
            self._condition.notify_all()
        if not self._thread.is_alive():
            return
        _stopped_threads.add(self._thread)
        self._thread.join(timeout_s)
        if timeout_s > 0 and self._thread.is_alive():
            log.warning("reader hangs, its thread is abandoned", camera=self._camera.camera_id)

    def take(self, timeout_s: float) -> Frame | None:
        """Newest picture that was not taken yet, decoded here; ``None`` if there is none."""
        with self._condition:
            self._condition.wait_for(
                lambda: self._slot is not None or self._stopping.is_set(), timeout_s
            )
            taken, self._slot = self._slot, None
            self._condition.notify_all()
        return None if taken is None else self._develop(taken)

    def _develop(self, taken: _Numbered) -> Frame | None:
        try:
            image = masked(taken.shot.develop(), self._camera.privacy.masks)
        except SourceReadError as error:
            with self._condition:
                self._damaged_in_a_row += 1
                self._stats = replace(
                    self._stats, damaged=self._stats.damaged + 1, last_error=_words(error)
                )
            return None
        frame = Frame(
            camera_id=self._camera.camera_id,
            sequence=taken.sequence,
            image=image,
            captured_at=taken.shot.captured_at,
            stream_s=taken.shot.stream_s,
        )
        with self._condition:
            self._damaged_in_a_row = 0
            self._stats = replace(
                self._stats,
                frames=self._stats.frames + 1,
                width_px=frame.width_px,
                height_px=frame.height_px,
            )
        return frame

    def _run(self) -> None:
        failures, was_online = 0, False
        if not is_recorded(self._camera):
            self._rest(random.uniform(0.0, START_STAGGER_S))
        while not self._stopping.is_set():
            began_s = time.monotonic()
            try:
                self._read_until_it_fails(was_online)
            except SourceEnded:
                self._count(state="ended", last_error="")
                self.on_news()
                return
            except SourceError as error:
                steady = time.monotonic() - began_s > STEADY_S and self._is_online()
                failures = 1 if steady else failures + 1
                was_online = was_online or self._is_online()
                self._failed(error)
                self._rest(retry_delay_s(failures, random.random()))

    def _read_until_it_fails(self, was_online: bool) -> None:
        reader = self._opener(self._camera)
        if isinstance(reader, SteppingReader) and self._camera.evidence.clip:
            reader.record_into(self.packets)
        try:
            with self._condition:
                self._damaged_in_a_row = 0
            first = True
            while not self._stopping.is_set():
                shot = _step(reader)
                self._beat(reader)
                if shot is None:
                    continue
                if first:
                    self._now_online(was_online)
                    first = False
                self._publish(shot)
        finally:
            reader.close()

    def _publish(self, shot: Shot) -> None:
        with self._condition:
            while self._keeps_all and self._slot is not None and not self._stopping.is_set():
                self._condition.wait(BEAT_S)
                self._stats = replace(self._stats, beat_monotonic_s=time.monotonic())
            if self._stopping.is_set():
                return
            if self._last_at is not None and shot.captured_at <= self._last_at:
                shot = replace(shot, captured_at=self._last_at + timedelta(milliseconds=1))
            self._last_at = shot.captured_at
            dropped = self._slot is not None
            self._slot = _Numbered(shot=shot, sequence=self._sequence)
            self._sequence += 1
            self._stats = replace(
                self._stats, drops=self._stats.drops + dropped, last_frame_at=shot.captured_at
            )
            self._condition.notify_all()
        if not dropped:
            self.on_news()

    def _beat(self, reader: FrameReader) -> None:
        mode = reader.mode if isinstance(reader, SteppingReader) else DecodeMode.FULL
        now_s, shown = time.monotonic(), self._stats
        if mode is not shown.decode or now_s - shown.beat_monotonic_s >= BEAT_S:
            self._count(beat_monotonic_s=now_s, decode=mode)
        if self._damaged_in_a_row >= MOST_DAMAGED_IN_A_ROW:
            raise SourceReadError("its pictures cannot be decoded")

    def _now_online(self, again: bool) -> None:
        self._count(
            state="online", last_error="", reconnects=self._stats.reconnects + (1 if again else 0)
        )
        log.info("camera is online", camera=self._camera.camera_id, again=again)

    def _is_online(self) -> bool:
        return self._stats.state == "online"

    def _failed(self, error: SourceError) -> None:
        words = _words(error)
        self._count(state="offline", last_error=words, failures=self._stats.failures + 1)
        if not self._stopping.is_set():
            log.warning("camera is offline", camera=self._camera.camera_id, error=words)

    def _rest(self, delay_s: float) -> None:
        until_s = time.monotonic() + delay_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._count(beat_monotonic_s=time.monotonic())
            if self._stopping.wait(min(left_s, BEAT_S)):
                return

    def _count(self, **changes: object) -> None:
        with self._condition:
            self._stats = replace(self._stats, **changes)  # type: ignore[arg-type]


def _step(reader: FrameReader) -> Shot | None:
    if isinstance(reader, SteppingReader):
        return reader.advance()
    frame = reader.read()
    return Shot(captured_at=frame.captured_at, stream_s=frame.stream_s, develop=lambda: frame.image)


def _words(error: SourceError) -> str:
    return redact_url(str(error))
