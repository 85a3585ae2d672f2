"""Films of incidents, made beside the looks: one thread, low priority, a short queue.

A film may come late or not at all; an order never waits for one. When the queue is full the film is
dropped and counted.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from detector.backends import Detector
from detector.clip import (
    CLIP_WIDTH_PX,
    Moment,
    SeenMoment,
    decode_run,
    decode_stills,
    encode_mp4,
    encoder,
    padded,
)
from detector.evidence import annotate, encode_jpeg, outlines, shrunk
from detector.readers.packets import PacketRun
from detector.redaction import masked, released
from models.errors import DetectorError
from models.incident import Incident
from service.daemon.metrics import DaemonMetrics
from service.daemon.pictures import Studio
from service.pipeline import Processed

MOST_WAITING = 16
MOST_WAITING_BYTES = 32_000_000
"""Of packets, of all jobs in line together: what a daemon keeps for films that are late."""
NICENESS = 10
"""Of the thread: looks come first."""
POLL_S = 0.5
STILL_QUALITY = 78
MAX_STILL_BYTES = 4_000_000

Stills = tuple[tuple[datetime, bytes], ...]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A finished film."""

    incidents: tuple[Incident, ...]
    """All that it shows."""
    mp4: bytes
    """Empty: it could not be made."""
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipJob:
    """A film to be made."""

    incidents: tuple[Incident, ...]
    """Of one rule in one zone, confirmed at the same time: one film shows them all."""
    studio: Studio
    source: PacketRun | Stills
    """Packets as the camera sent them, or pictures that are redacted already."""
    since: datetime
    deliver: Callable[[Clip], None]

    @property
    def size_bytes(self) -> int:
        """Bytes that wait with it."""
        if isinstance(self.source, PacketRun):
            return sum(len(packet.data) for packet in self.source.packets)
        return sum(len(jpeg) for _, jpeg in self.source)

    @property
    def incident(self) -> Incident:
        """The first of its incidents."""
        return self.incidents[0]


class StillRing:
    """Redacted pictures of the last seconds, one for each look, where a stream gives no packets."""

    def __init__(self, span_s: float, max_bytes: int = MAX_STILL_BYTES) -> None:
        self._span = timedelta(seconds=span_s)
        self._max_bytes = max_bytes
        self._stills: deque[tuple[datetime, bytes]] = deque()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of the pictures that are kept."""
        return self._bytes

    @property
    def newest_at(self) -> datetime | None:
        """When the newest picture was taken."""
        return self._stills[-1][0] if self._stills else None

    def add(self, processed: Processed, studio: Studio) -> None:
        """Keep a look's picture; raises :class:`DetectorError`, and keeps none then."""
        image = shrunk(studio.redacted(processed), CLIP_WIDTH_PX)
        still = (processed.frame.captured_at, encode_jpeg(image, STILL_QUALITY))
        self._stills.append(still)
        self._bytes += len(still[1])
        while self._bytes > self._max_bytes or still[0] - self._stills[0][0] > self._span:
            self._bytes -= len(self._stills.popleft()[1])

    def cut(self, since: datetime, until: datetime) -> Stills:
        """The pictures of that time."""
        return tuple(still for still in self._stills if since <= still[0] <= until)


class ClipMaker:
    """A thread that makes films, one after the other."""

    def __init__(self, detector: Detector, metrics: DaemonMetrics) -> None:
        self._detector = detector
        self._metrics = metrics
        self._jobs: queue.SimpleQueue[ClipJob] = queue.SimpleQueue()
        self._line = threading.Lock()
        self._waiting = self._waiting_bytes = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)
        self.can_encode = encoder() is not None
        if not self.can_encode:
            log.warning("no films: PyAV has no H.264 encoder here")

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop after the film under way; those that wait are not made."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def submit(self, job: ClipJob) -> bool:
        """Put a film in line; False if the line is full."""
        with self._line:
            count, size = self._waiting + 1, self._waiting_bytes + job.size_bytes
            fits = count <= MOST_WAITING and size <= MOST_WAITING_BYTES
            if fits:
                self._waiting, self._waiting_bytes = count, size
                self._jobs.put(job)
        if not fits:
            self._metrics.clips.labels("dropped").inc()
            log.warning("film dropped, too many wait", incident=job.incident.incident_id)
        return fits

    def _run(self) -> None:
        with suppress(OSError):  # not everywhere may a thread lower its own priority
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._stopping.is_set():
            try:
                job = self._jobs.get(timeout=POLL_S)
            except queue.Empty:
                continue
            job.deliver(self._make(job))
            with self._line:
                self._waiting -= 1
                self._waiting_bytes -= job.size_bytes

    def _make(self, job: ClipJob) -> Clip:
        times: list[datetime] = []
        mp4, outcome = b"", "failed"
        try:
            mp4 = encode_mp4(_told(film(job, self._detector), times))
            outcome = "made"
        except DetectorError as error:
            log.error("no film", incident=job.incident.incident_id, reason=str(error))
        except Exception:  # a film is never worth the thread that makes all others
            log.exception("no film", incident=job.incident.incident_id)
        self._metrics.clips.labels(outcome).inc()
        first, last = (times[0], times[-1]) if times else (job.since, job.since)
        return Clip(incidents=job.incidents, mp4=mp4, first_at=first, last_at=last)


def film(job: ClipJob, detector: Detector) -> Iterator[Moment]:
    """The redacted pictures of a job, with time and place burnt in."""
    if isinstance(job.source, PacketRun):
        pictures = _redacted(job, job.source, detector)
    else:
        pictures = decode_stills(job.source)
    camera = job.studio.camera
    for moment in pictures:
        height, width = moment.image.shape[:2]
        drawn = annotate(
            moment.image,
            zones=[
                zone
                for zone in outlines(camera, width, height)
                if zone.zone_id == job.incident.zone_id
            ],
            caption=job.studio.caption(moment.at, job.incident),
        )
        yield Moment(at=moment.at, image=drawn)


def _redacted(job: ClipJob, run: PacketRun, detector: Detector) -> Iterator[Moment]:
    privacy = job.studio.camera.privacy
    for each in padded(_seen(run, job, detector)):
        moment = each.moment
        image = released(job.studio.redactor, moment.image, each.seen, privacy)
        yield Moment(at=moment.at, image=image)


def _seen(run: PacketRun, job: ClipJob, detector: Detector) -> Iterator[SeenMoment]:
    for moment in decode_run(run, job.since):
        image = shrunk(masked(moment.image, job.studio.camera.privacy.masks), CLIP_WIDTH_PX)
        (found,) = detector.detect([image])
        yield SeenMoment(moment=Moment(at=moment.at, image=image), seen=found)


def _told(moments: Iterator[Moment], times: list[datetime]) -> Iterator[Moment]:
    for moment in moments:
        times.append(moment.at)
        yield moment
