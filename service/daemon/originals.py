"""Unblurred originals: only where a camera's file allows them, and only for their holder's eyes.

The picture is encrypted in memory, before anything is written: neither this machine nor the
dispatch service can read it. Privacy masks stay painted over.
"""

from __future__ import annotations

import structlog

from detector.evidence import encode_jpeg
from detector.redaction import masked
from models.errors import DetectorError, EvidenceError
from service.daemon.pictures import Studio
from service.decisions.envelope import encrypt
from service.decisions.evidence_kinds import OPENED_ORIGINAL
from service.pipeline import Processed

QUALITY = 90

log = structlog.get_logger(__name__)


def opened_original(processed: Processed, studio: Studio) -> dict[str, bytes] | None:
    """The encrypted wide picture by its name; nothing where none is wanted; ``None``: it failed."""
    if not studio.camera.privacy.original_recipient:
        return {}
    sealed = sealed_original(processed, studio)
    return None if sealed is None else {OPENED_ORIGINAL: sealed}


def sealed_original(processed: Processed, studio: Studio) -> bytes | None:
    """The encrypted wide picture; ``None`` where none is wanted, or it failed."""
    privacy = studio.camera.privacy
    if not privacy.original_recipient:
        return None
    try:
        jpeg = encode_jpeg(masked(processed.frame.image, privacy.masks), QUALITY)
        return encrypt(jpeg, privacy.original_recipient)
    except (DetectorError, EvidenceError) as error:
        log.error("no original kept", camera=studio.camera.camera_id, reason=str(error))
        return None
