"""One camera's evidence: which files an incident gets, and the signed list of them.

Used by the camera's owner only; films come back from their thread through a queue.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from detector.readers import CameraStream
from detector.readers.packets import PacketRun
from models.errors import DetectorError
from models.incident import ChangeKind, Incident, IncidentChange
from service.daemon.clips import Clip, ClipJob, ClipMaker, StillRing, Stills
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.filing import Filing, Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.originals import opened_original
from service.daemon.pictures import Studio, change_pictures, kept_pictures, sight_pictures
from service.daemon.plates import PlateAsker
from service.daemon.sights import Sight, SightMemory, seen_now
from service.daemon.wishes import PictureWishes
from service.decisions.evidence_kinds import FIRST_ORIGINAL
from service.decisions.manifest import number_of, numbered
from service.pipeline import Processed

MOST_LATEST = 8
"""Times that an open incident is photographed anew; with 5 minutes the last is after a day."""
LATEST_WIDE, LATEST_CLOSE = "latest-wide", "latest-close"
LATE_S = 10.0
"""A film is cut from what there is when its last seconds have not come so long after their time."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeskDeps:
    """What the desks of a daemon share."""

    store: EdgeStore
    metrics: DaemonMetrics
    seal: Seal
    clips: ClipMaker | None = None
    """``None``: no films, whatever the city says."""
    plates: PlateAsker | None = None
    """``None``: no plate reader is asked, whatever the city says."""
    wishes: PictureWishes = field(default_factory=PictureWishes)
    """Incidents whose reopened orders need a picture."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """A film whose last seconds are still to come."""

    incidents: tuple[Incident, ...]
    until: datetime
    at_latest_s: float
    """On the monotonic clock."""


class EvidenceDesk:
    """Keeps pictures of what may become an incident, and files what an incident's order gets."""

    def __init__(self, studio: Studio, stream: Callable[[], CameraStream], deps: DeskDeps) -> None:
        self._studio = studio
        self._camera = studio.camera
        self._policy = studio.camera.evidence
        self._stream = stream
        self._deps = deps
        self._sights = SightMemory(studio)
        self.on_news: Callable[[], None] = lambda: None
        """Called in another thread when there is something to be collected."""
        self._stills = StillRing(self._policy.clip_before_s + self._policy.clip_after_s)
        self._filing = Filing(self._camera, deps.store, deps.seal)
        self._wanted: list[_Wanted] = []
        self._made: queue.SimpleQueue[Clip] = queue.SimpleQueue()
        self._in_work = 0
        self._plates: queue.SimpleQueue[OutboxRequest | None] = queue.SimpleQueue()
        self._plates_asked = 0

    @property
    def pending(self) -> int:
        """Films, and answers of a plate reader, that are still to come."""
        return len(self._wanted) + self._in_work + self._plates_asked

    @property
    def size_bytes(self) -> int:
        """Memory of pictures and packets that are kept, in bytes."""
        packets = self._stream().packets.size_bytes
        pictures = self._sights.size_bytes + self._sights.sealed_bytes
        return pictures + self._stills.size_bytes + packets

    def changed(self, change: IncidentChange, processed: Processed) -> list[OutboxRequest]:
        """Evidence of a change."""
        if change.kind is ChangeKind.UPDATED:
            return []
        files: dict[str, tuple[datetime, bytes]] = {}
        if change.kind is ChangeKind.OPENED:
            files |= self._first(change.incident, processed)
            self._want_clip(change.incident)
        else:
            files |= self._last(change.incident)
        pictures = change_pictures(change, processed, self._studio)
        if not pictures:
            self._failed()
        at = processed.frame.captured_at
        files |= {name: (at, jpeg) for name, jpeg in pictures.items()}
        if change.kind is ChangeKind.OPENED:
            files |= self._original(processed)
            self._ask_for_plate(change, processed)
        requests = self._filing.pictures(change.incident, files)
        if change.kind is ChangeKind.CLEARED:
            self._filing.over(change.incident.incident_id)
        return requests

    def looked(self, processed: Processed, incidents: Collection[Incident]) -> list[OutboxRequest]:
        """Take in a look, after its changes; new pictures of what is still there, if it is time."""
        self._sights.note(processed, incidents)
        self._keep_still(processed)
        requests: list[OutboxRequest] = []
        for incident in seen_now(incidents, processed.look):
            is_wanted = self._deps.wishes.take(incident.incident_id)
            if is_wanted or self._is_due(incident, processed.look.at):
                requests += self._latest(incident, processed)
        return requests

    def committed(self) -> None:
        """All requests given out so far are durable."""
        self._filing.committed()

    def collected(self) -> list[OutboxRequest]:
        """Films made and plates read meanwhile; sends off films whose time has come."""
        self._send_off()
        requests = self._plates_read()
        while not self._made.empty():
            clip = self._made.get()
            self._in_work -= 1
            if not clip.mp4:
                self._failed()
                continue
            for incident in clip.incidents:
                requests += self._filing.film(incident, clip.mp4, clip.first_at, clip.last_at)
        return requests

    def _first(self, incident: Incident, processed: Processed) -> dict[str, tuple[datetime, bytes]]:
        sight = self._sights.first(incident, processed.look)
        if sight is None:
            return {}
        sealed = {} if sight.sealed is None else {FIRST_ORIGINAL: (sight.at, sight.sealed)}
        return self._drawn(sight, incident, "first-wide", "first-close") | sealed

    def _original(self, processed: Processed) -> dict[str, tuple[datetime, bytes]]:
        sealed = opened_original(processed, self._studio)
        if sealed is None:
            self._failed()
            return {}
        return {name: (processed.frame.captured_at, content) for name, content in sealed.items()}

    def _ask_for_plate(self, change: IncidentChange, processed: Processed) -> None:
        plates = self._deps.plates
        if plates is not None and plates.submit(change, processed, self._studio, self._told):
            self._plates_asked += 1

    def _delivered(self, clip: Clip) -> None:
        self._made.put(clip)
        self.on_news()

    def _told(self, reading: OutboxRequest | None) -> None:
        self._plates.put(reading)
        self.on_news()

    def _plates_read(self) -> list[OutboxRequest]:
        requests: list[OutboxRequest] = []
        while not self._plates.empty():
            request = self._plates.get()
            self._plates_asked -= 1
            if request is not None:
                requests.append(request)
        return requests

    def _last(self, incident: Incident) -> dict[str, tuple[datetime, bytes]]:
        sight = self._sights.last(incident.incident_id)
        if sight is None or sight.at <= self._pictured_at(incident):
            return {}
        return self._drawn(sight, incident, *self._latest_names(incident.incident_id))

    def _drawn(
        self, sight: Sight, incident: Incident, wide: str, close: str
    ) -> dict[str, tuple[datetime, bytes]]:
        try:
            pictures = kept_pictures(
                sight.wide_jpeg, sight.close_jpeg, sight.at, incident, self._studio
            )
        except DetectorError as error:
            log.error("no evidence picture", camera=self._camera.camera_id, reason=str(error))
            self._failed()
            return {}
        return {wide: (sight.at, pictures[0]), close: (sight.at, pictures[1])}

    def _latest(self, incident: Incident, processed: Processed) -> list[OutboxRequest]:
        wide, close = self._latest_names(incident.incident_id)
        at = processed.frame.captured_at
        try:
            pictures = sight_pictures(incident, processed, self._studio)
        except DetectorError as error:
            log.error("no evidence picture", camera=self._camera.camera_id, reason=str(error))
            self._failed()
            return []
        return self._filing.pictures(incident, {wide: (at, pictures[0]), close: (at, pictures[1])})

    def _latest_names(self, incident_id: str) -> tuple[str, str]:
        number = self._filing.count(incident_id, LATEST_WIDE) + 1
        return numbered(LATEST_WIDE, number), numbered(LATEST_CLOSE, number)

    def _is_due(self, incident: Incident, at: datetime) -> bool:
        count = self._filing.count(incident.incident_id, LATEST_WIDE)
        wait = timedelta(seconds=self._policy.latest_every_s * 2**count)
        return count < MOST_LATEST and at - self._pictured_at(incident) >= wait

    def _pictured_at(self, incident: Incident) -> datetime:
        """When an incident was last photographed for its order."""
        times = [
            datetime.fromisoformat(note.taken_at)
            for note in self._filing.notes_of(incident.incident_id)
            if note.name == "opened-wide" or number_of(note.name, LATEST_WIDE) is not None
        ]
        return max([incident.opened_at, *times])

    def _want_clip(self, incident: Incident) -> None:
        clips = self._deps.clips
        if not self._policy.clip or clips is None or not clips.can_encode:
            return
        after_s = self._policy.clip_after_s
        wanted = _Wanted(
            incidents=(incident,),
            until=incident.opened_at + timedelta(seconds=after_s),
            at_latest_s=time.monotonic() + after_s + LATE_S,
        )
        for number, other in enumerate(self._wanted):
            if other.until == wanted.until and _same_matter(other.incidents[0], incident):
                both = (*other.incidents, incident)
                self._wanted[number] = replace(other, incidents=both)
                return
        self._wanted.append(wanted)

    def _send_off(self) -> None:
        if not self._wanted:
            return
        newest_at = self._stream().packets.newest_at or self._stills.newest_at
        waiting, self._wanted = self._wanted, []
        for wanted in waiting:
            has_come = newest_at is not None and newest_at >= wanted.until
            is_late = self._stream().ended or time.monotonic() >= wanted.at_latest_s
            if has_come or is_late:
                self._submit(wanted)
            else:
                self._wanted.append(wanted)

    def _submit(self, wanted: _Wanted) -> None:
        since = wanted.incidents[0].opened_at - timedelta(seconds=self._policy.clip_before_s)
        source: PacketRun | Stills | None = self._stream().packets.cut(since, wanted.until)
        source = source or self._stills.cut(since, wanted.until)
        if not source or self._deps.clips is None:
            self._failed()
            return
        job = ClipJob(
            incidents=wanted.incidents,
            studio=self._studio,
            source=source,
            since=since,
            deliver=self._delivered,
        )
        if self._deps.clips.submit(job):
            self._in_work += 1

    def _keep_still(self, processed: Processed) -> None:
        if not self._policy.clip or self._deps.clips is None or self._stream().packets.codec:
            return
        try:
            self._stills.add(processed, self._studio)
        except DetectorError as error:
            log.error("no picture kept", camera=self._camera.camera_id, reason=str(error))
            self._failed()

    def _failed(self) -> None:
        self._deps.metrics.evidence_failures.labels(self._camera.camera_id).inc()


def _same_matter(one: Incident, other: Incident) -> bool:
    """Whether one film, with zone and rule written on it, shows both."""
    return (one.zone_id, one.rule_id) == (other.zone_id, other.rule_id)
