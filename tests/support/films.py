"""Small real films and signed manifests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from detector.clip import Moment, encode_mp4
from service.daemon.signing import Signer
from service.decisions.evidence_kinds import kind_of_name
from service.decisions.manifest import FORMAT, FileNote, sealed

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@cache
def small_film(seconds: int = 2, width: int = 128, height: int = 96) -> bytes:
    """An MP4 in which a light square wanders over a dark street."""
    moments = []
    for index in range(seconds * 5):
        image = np.full((height, width, 3), 60, np.uint8)
        image[20:60, 10 + 4 * index : 50 + 4 * index] = 200
        moments.append(Moment(at=START + timedelta(seconds=index / 5), image=image))
    return encode_mp4(moments)


def manifest_of(
    incident_id: str,
    files: Mapping[str, bytes],
    signer: Signer,
    *,
    revision: int = 1,
    previous_sha256: str = "",
) -> bytes:
    """A signed list of these files."""
    notes = [
        FileNote.of(name, kind_of_name(name).content_type, content, START.isoformat(), "")
        for name, content in files.items()
    ]
    values = {
        "format": FORMAT,
        "revision": revision,
        "previous_sha256": previous_sha256,
        "incident": {"incident_id": incident_id},
        "files": [
            {field: getattr(note, field) for field in note.__dataclass_fields__} for note in notes
        ],
    }
    return sealed(values, signer.sign, signer.public_key)
