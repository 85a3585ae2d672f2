"""Looks at the photos of citizens' reports: what they show, and pictures in which nobody is known.

The dispatch service does no vision. It keeps each photo until a detector has asked for it, told
what it saw, and sent a picture with heads and plates made unrecognisable. A photo for which that
cannot be done is not shown to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from detector.backends import Detector
from detector.closer import look_closer, slices
from detector.evidence import decode_jpeg, encode_jpeg
from detector.redaction import PERSON, BlockRedactor, Redactor, released
from models.errors import DetectorError, DispatchError, DispatchRejected
from models.evidence import Privacy
from models.seeing import Detection, Image
from models.zone import DEFAULT_THRESHOLD
from service.daemon.client import DispatchClient
from service.periodic import Periodic

PATH: Final = "/api/v1/reports"
EVERY_S: Final = 5.0
MOST_SLICES: Final = 12
"""Closer looks at one photo: of 2560 × 1920 px, parts that the network sees nearly in full. A face
that can be made out is found there, where the whole picture is too small a view."""
MOST_TOLD: Final = 100
REASON_CHARACTERS: Final = 300
JPEG: Final = "image/jpeg"
JSON: Final = "application/json"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportInspector:
    """Asks for photos and tells what they show."""

    detector: Detector
    client: DispatchClient
    model: str
    """Name and version, as orders tell it."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """By label, from where on a box is told of; hidden is whatever was seen at all."""
    redactor: Redactor = field(default_factory=BlockRedactor)

    def inspect_waiting(self) -> int:
        """Look at the photos that wait; how many there were.

        Raises :class:`DispatchError` if the service cannot be asked, or not be told.
        """
        waiting = self._ask("/uninspected")["items"]
        for report in waiting:
            self._inspect(report)
        return len(waiting)

    def _inspect(self, report: Mapping[str, Any]) -> None:
        order_id = report["order_id"]
        try:
            photo = self.client.send("GET", report["photo_url"], JSON, b"")
            found, picture = self._look(photo)
            self._show(report["incident_id"], picture)
            self._tell(order_id, {"detections": self._told(found)})
        except (DetectorError, DispatchRejected) as error:
            # Told in any case, or it would be asked for again and again. Where another detector
            # was faster, the service has its findings already and keeps them.
            log.error("a photo was not inspected", order=order_id, reason=str(error))
            self._tell(order_id, {"failure": str(error)[:REASON_CHARACTERS]})
        else:
            log.info("a photo was inspected", order=order_id, boxes=len(found))

    def _look(self, photo: bytes) -> tuple[Sequence[Detection], bytes]:
        """Boxes, and the picture in which nobody is known; raises :class:`DetectorError`."""
        image = decode_jpeg(photo)
        found = look_closer(self.detector, image, _parts(image, self.detector.image_size_px))
        return found, encode_jpeg(released(self.redactor, image, found, Privacy()))

    def _told(self, found: Sequence[Detection]) -> list[dict[str, Any]]:
        """Boxes that are sure enough; persons are not what a report is about."""
        sure = [
            item
            for item in found
            if item.label != PERSON
            and item.confidence >= self.thresholds.get(item.label, DEFAULT_THRESHOLD)
        ]
        return [
            {
                "label": item.label,
                "confidence": round(item.confidence, 4),
                "box_xyxy": [round(edge, 1) for edge in item.box.xyxy],
            }
            for item in sure[:MOST_TOLD]
        ]

    def _show(self, incident_id: str, picture: bytes) -> None:
        path = f"/api/v1/incidents/{incident_id}/evidence/report"
        try:
            self.client.send("PUT", path, JPEG, picture)
        except DispatchRejected as error:
            # There is one from an earlier try: evidence is never replaced. Without one the service
            # refuses what is told next.
            log.info("the picture was not taken", incident=incident_id, reason=str(error))

    def _tell(self, order_id: str, findings: Mapping[str, Any]) -> None:
        body = json.dumps({"model": self.model, **findings}).encode()
        self.client.send("PUT", f"{PATH}/{order_id}/inspection", JSON, body)

    def _ask(self, path: str) -> Any:
        return json.loads(self.client.send("GET", PATH + path, JSON, b""))


def _parts(image: Image, image_size_px: int) -> Sequence[Any]:
    height, width = image.shape[:2]
    whole = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    return slices(whole, width, height, image_size_px, MOST_SLICES)


class InspectorThread(Periodic):
    """Inspects what waits, again and again; a service that does not answer is asked again."""

    def __init__(self, inspector: ReportInspector, every_s: float = EVERY_S) -> None:
        super().__init__(
            "reports", lambda: bool(inspector.inspect_waiting()), every_s, passes=DispatchError
        )
