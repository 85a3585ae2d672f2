"""Asks a city's own licence-plate reader: one thread, a short queue, beside the looks.

None is configured unless a camera's file names one with its legal basis. An order never waits for
an answer. Neither pictures nor plates are logged, and nothing is written but the outbox's request.
"""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

import httpx
import structlog

from detector.evidence import crop, encode_jpeg
from detector.redaction import Seen, masked, released
from models.errors import DetectorError, PlateReaderError
from models.evidence import PlateReader
from models.incident import ChangeKind, IncidentChange
from models.zone import RuleKind
from service.daemon.edge import OutboxRequest
from service.daemon.metrics import DaemonMetrics
from service.daemon.pictures import Studio
from service.daemon.requests import JPEG_TYPE, JSON_TYPE, to_json
from service.pipeline import Processed

MOST_WAITING = 16
POLL_S = 0.5
QUALITY = 92
"""Characters are small: they suffer first from compression."""
MARGIN_RATIO = 0.05
"""Of the vehicle's box: no more of the street than it takes not to cut off a bumper."""
MOST_ANSWER_BYTES = 4096
MOST_PLATE_CHARACTERS = 20
HTTP_OK, HTTP_NO_CONTENT = 200, 204

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateRead:
    """What a reader made of a picture."""

    plate: str
    confidence: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateJob:
    """A close-up that a reader is to see."""

    incident_id: str
    camera_id: str
    reader: PlateReader
    jpeg: bytes
    deliver: Callable[[OutboxRequest | None], None]
    """Called once: ``None`` where nothing was read."""


def plate_picture(change: IncidentChange, processed: Processed, studio: Studio) -> bytes | None:
    """The close-up with a readable plate, or ``None`` where none is wanted.

    Of the confirming frame: pictures from before it are kept redacted only. Heads of persons and
    masks are as unrecognisable as everywhere else. Raises :class:`DetectorError`.
    """
    privacy, incident = studio.camera.privacy, change.incident
    is_wanted = change.kind is ChangeKind.OPENED and incident.kind is RuleKind.ILLEGAL_PARKING
    if not is_wanted or incident.is_shadow or privacy.plate_reader is None:
        return None
    image = masked(processed.frame.image, privacy.masks)
    seen: tuple[Seen, ...] = (*processed.detections, *processed.look.tracks)
    shown = released(studio.redactor, image, seen, replace(privacy, blur_plates=False))
    height, width = image.shape[:2]
    box = incident.box.scaled(width / incident.width_px, height / incident.height_px)
    return encode_jpeg(crop(shown, box, MARGIN_RATIO), QUALITY)


def ask(reader: PlateReader, jpeg: bytes) -> PlateRead | None:
    """What a reader makes of a picture; ``None``: nothing. Raises :class:`PlateReaderError`.

    Neither proxies nor redirections are followed: the picture goes to that address only.
    """
    deadline_s = time.monotonic() + reader.timeout_s
    headers = {"Content-Type": JPEG_TYPE, "Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(trust_env=False, timeout=reader.timeout_s) as client,
            client.stream("POST", reader.url, content=jpeg, headers=headers) as answer,
        ):
            if answer.status_code == HTTP_NO_CONTENT:
                return None
            if answer.status_code != HTTP_OK:
                raise PlateReaderError(f"it answered {answer.status_code}")
            body = _body(answer, deadline_s)
    except httpx.HTTPError as error:
        raise PlateReaderError(type(error).__name__) from error
    return parsed(body)


def parsed(body: bytes) -> PlateRead:
    """A reader's answer; raises :class:`PlateReaderError`, which never repeats it."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise PlateReaderError("its answer is no JSON") from None
    if not isinstance(answer, dict):
        raise PlateReaderError("its answer is no object")
    plate, confidence = answer.get("plate"), answer.get("confidence")
    if not isinstance(plate, str) or not plate.strip() or not plate.strip().isprintable():
        raise PlateReaderError("'plate' should be text")
    if len(plate.strip()) > MOST_PLATE_CHARACTERS:
        raise PlateReaderError(f"'plate' is longer than {MOST_PLATE_CHARACTERS} characters")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float):
        raise PlateReaderError("'confidence' should be a number")
    if not (math.isfinite(confidence) and 0 <= confidence <= 1):
        raise PlateReaderError("'confidence' should be 0 to 1")
    return PlateRead(plate=plate.strip(), confidence=float(confidence))


def plate_request(incident_id: str, read: PlateRead) -> OutboxRequest:
    """What the dispatch service is told of a plate."""
    return OutboxRequest(
        incident_id=incident_id,
        method="PUT",
        path=f"/api/v1/incidents/{quote(incident_id, safe='')}/plate",
        content_type=JSON_TYPE,
        body=to_json({"plate": read.plate, "confidence": round(read.confidence, 4)}),
    )


class PlateAsker:
    """A thread that asks readers, one picture after the other."""

    def __init__(self, metrics: DaemonMetrics) -> None:
        self._metrics = metrics
        self._jobs: queue.Queue[PlateJob] = queue.Queue(MOST_WAITING)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plates", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop after the question under way; those that wait are not asked."""
        self._stopping.set()
        self._thread.join(timeout_s)

    def submit(
        self,
        change: IncidentChange,
        processed: Processed,
        studio: Studio,
        deliver: Callable[[OutboxRequest | None], None],
    ) -> bool:
        """Put a change's vehicle in line, if a reader is to see it; whether ``deliver`` is called.

        Never raises for a picture that cannot be made, and never waits.
        """
        reader, camera_id = studio.camera.privacy.plate_reader, studio.camera.camera_id
        try:
            jpeg = plate_picture(change, processed, studio)
        except DetectorError as error:
            self._count("failed")
            log.error("no picture for the plate reader", camera=camera_id, reason=str(error))
            return False
        if jpeg is None or reader is None:
            return False
        job = PlateJob(
            incident_id=change.incident.incident_id,
            camera_id=camera_id,
            reader=reader,
            jpeg=jpeg,
            deliver=deliver,
        )
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self._count("dropped")
            log.warning("plate not asked for, too many wait", incident=job.incident_id)
            return False
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._jobs.get(timeout=POLL_S)
            except queue.Empty:
                continue
            job.deliver(self._asked(job))

    def _asked(self, job: PlateJob) -> OutboxRequest | None:
        read, outcome = None, "failed"
        try:
            read = ask(job.reader, job.jpeg)
            outcome = "none" if read is None else "read"
        except PlateReaderError as error:
            log.error("plate reader failed", camera=job.camera_id, reason=str(error))
        except Exception as error:  # noqa: BLE001 - one answer is not worth the thread
            # Without a traceback: it could show what was read.
            log.error("plate reader failed", camera=job.camera_id, reason=type(error).__name__)
        self._count(outcome)
        return None if read is None else plate_request(job.incident_id, read)

    def _count(self, outcome: str) -> None:
        self._metrics.plate_readings.labels(outcome).inc()


def _body(answer: httpx.Response, deadline_s: float) -> bytes:
    body = b""
    for part in answer.iter_raw():
        body += part
        if len(body) > MOST_ANSWER_BYTES:
            raise PlateReaderError(f"its answer is longer than {MOST_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline_s:
            raise PlateReaderError("its answer did not end in time")
    return body
