"""What the manifest of an incident's evidence says. Pure: times and clocks are handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from models.incident import Incident
from models.zone import Camera
from service.daemon.ntp import ClockStatement
from service.daemon.requests import config_version
from service.decisions.manifest import FORMAT, FileNote

DISTRIBUTION = "streetwarden"


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """With what it was seen."""

    model_version: str = ""
    """Name of the weights and the start of their hash."""
    model_sha256: str = ""
    """Hash over the hashes of all files of the network."""
    config_sha256: str = ""
    """Of the YAML file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Where a manifest stands among those of its incident."""

    revision: int = 1
    previous_sha256: str = ""


def manifest_values(
    incident: Incident,
    camera: Camera,
    files: Sequence[FileNote],
    *,
    chain: Chain,
    provenance: Provenance,
    clock: ClockStatement,
    made_at: datetime,
) -> dict[str, Any]:
    """Everything a reader needs to judge the files, as plain values."""
    return {
        "format": FORMAT,
        "revision": chain.revision,
        "previous_sha256": chain.previous_sha256,
        "made_at": made_at.isoformat(),
        "incident": _incident(incident),
        "camera": {
            "camera_id": camera.camera_id,
            "name": camera.name,
            "address": camera.location.address,
            "legal_basis": camera.legal_basis,
            "zone": next((z.name for z in camera.zones if z.zone_id == incident.zone_id), ""),
        },
        "files": [asdict(note) for note in files],
        "clock": {
            "times_are": "when the daemon's host received the picture, by its clock",
            "host_synchronised": clock.synchronised,
            "host_maximum_error_s": clock.maximum_error_s,
        },
        "made_with": asdict(provenance)
        | {"config_version": config_version(camera), "software": f"streetwarden {_version()}"},
        "redaction": {
            "faces": camera.privacy.blur_faces,
            "plates": camera.privacy.blur_plates,
            "masks": len(camera.privacy.masks),
        },
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "incident_id": incident.incident_id,
        "zone_id": incident.zone_id,
        "rule_id": incident.rule_id,
        "kind": incident.kind.value,
        "category": incident.category,
        "label": incident.label,
        "confidence": round(incident.confidence, 4),
        "box_xyxy": [round(side, 2) for side in incident.box.xyxy],
        "size_px": [incident.width_px, incident.height_px],
        "started_at": incident.started_at.isoformat(),
        "opened_at": incident.opened_at.isoformat(),
        "last_seen_at": incident.last_seen_at.isoformat(),
        "cleared_at": None if incident.cleared_at is None else incident.cleared_at.isoformat(),
        "observed_s": round(incident.observed_s, 3),
    }


def _version() -> str:
    return version(DISTRIBUTION)
