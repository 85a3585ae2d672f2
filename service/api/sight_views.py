"""What clients get of pictures and of the sights of several cameras."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from service.decisions.evidence_kinds import ORIGINAL, kind_of_name
from service.store.records import Evidence, Sighting


class EvidenceOut(BaseModel):
    """A picture, film or manifest that belongs to an order."""

    name: str = Field(examples=["opened-wide"])
    content_type: str = Field(description="image/jpeg, video/mp4 or application/json.")
    url: str = Field(description="Where to get it, with the same API key.")
    sha256: str
    size_bytes: int
    width_px: int
    height_px: int
    created_at: datetime


class SightingOut(BaseModel):
    """What one of several cameras saw of an order's thing."""

    incident_id: str
    camera_id: str
    camera_name: str
    zone_id: str
    zone_name: str
    rule_id: str
    rule_kind: str
    label: str
    confidence: float
    box_xyxy: tuple[float, float, float, float]
    width_px: int
    height_px: int
    started_at: datetime
    opened_at: datetime
    last_seen_at: datetime
    cleared_at: datetime | None = Field(description="When this camera saw the place free.")
    evidence: list[EvidenceOut]


def files_out(files: Iterable[Evidence], base_url: str) -> list[dict[str, Any]]:
    """Files as clients get them, without unblurred originals; ``base_url`` makes links absolute."""
    return [
        asdict(file)
        | {
            "url": f"{base_url}{evidence_path(file.incident_id, file.name)}",
            "content_type": kind_of_name(file.name).content_type,
        }
        for file in files
        if kind_of_name(file.name) is not ORIGINAL
    ]


def sighting_out(seen: Sighting, base_url: str) -> dict[str, Any]:
    """A sighting as clients get it."""
    files = files_out(seen.evidence, base_url)
    times = {"last_seen_at": seen.last_seen_at, "cleared_at": seen.cleared_at}
    return asdict(seen.report) | times | {"evidence": files}


def evidence_path(incident_id: str, name: str) -> str:
    """Where a picture is served."""
    return f"/api/v1/incidents/{incident_id}/evidence/{name}"
