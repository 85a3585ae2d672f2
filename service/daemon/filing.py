"""What was filed of each incident's evidence: requests for files, and the signed list of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from models.incident import Incident
from models.zone import Camera
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.ntp import clock_statement
from service.daemon.requests import JSON_TYPE, MP4_TYPE, evidence_request
from service.daemon.sealing import Chain, Provenance, manifest_values
from service.daemon.signing import Signer
from service.decisions.evidence_kinds import kind_of_name
from service.decisions.manifest import MANIFEST, FileNote, number_of, numbered, sealed

CLIP = "clip"

Pictures = Mapping[str, tuple[datetime, bytes]]
"""Name → when it was taken, and the JPEG, or the encrypted original."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seal:
    """With what manifests are signed, and what they say of how it was seen."""

    signer: Signer
    provenance: Provenance = field(default_factory=Provenance)


class Filing:
    """Notes what is filed, so that each manifest lists everything and continues the one before it.

    Notes become durable with the requests they come from; what was filed before a restart is read
    from the store.
    """

    def __init__(self, camera: Camera, store: EdgeStore, seal: Seal) -> None:
        self._camera, self._store, self._seal = camera, store, seal
        self._notes: dict[str, list[FileNote]] = {}
        self._over: set[str] = set()

    def notes_of(self, incident_id: str) -> list[FileNote]:
        """What was filed of an incident, in order."""
        if incident_id not in self._notes:
            kept = self._store.ledger_of(incident_id)
            self._notes[incident_id] = [FileNote(**json.loads(text)) for text in kept]
        return self._notes[incident_id]

    def count(self, incident_id: str, stem: str) -> int:
        """How many files of a kind there are, such as ``latest-wide``, ``latest-wide-2``."""
        return sum(number_of(note.name, stem) is not None for note in self.notes_of(incident_id))

    def pictures(self, incident: Incident, files: Pictures) -> list[OutboxRequest]:
        """Requests for pictures, and for the manifest that lists them; none without pictures."""
        requests = [
            self._noted(incident, _note(name, at, content), content)
            for name, (at, content) in files.items()
        ]
        return [*requests, self._manifest(incident)] if requests else []

    def film(
        self, incident: Incident, mp4: bytes, first_at: datetime, last_at: datetime
    ) -> list[OutboxRequest]:
        """Requests for a film and its manifest."""
        times = (first_at.isoformat(), last_at.isoformat())
        filed = self._noted(incident, FileNote.of(CLIP, MP4_TYPE, mp4, *times), mp4)
        return [filed, self._manifest(incident)]

    def over(self, incident_id: str) -> None:
        """An incident has ended: its notes are let go once they are durable."""
        self._over.add(incident_id)

    def committed(self) -> None:
        """All requests given out so far are durable."""
        for incident_id in self._over:
            self._notes.pop(incident_id, None)
        self._over.clear()

    def _manifest(self, incident: Incident) -> OutboxRequest:
        notes = self.notes_of(incident.incident_id)
        before = [note for note in notes if number_of(note.name, MANIFEST) is not None]
        previous = before[-1].sha256 if before else ""
        chain = Chain(revision=len(before) + 1, previous_sha256=previous)
        now = datetime.now(UTC)
        values = manifest_values(
            incident,
            self._camera,
            [note for note in notes if number_of(note.name, MANIFEST) is None],
            chain=chain,
            provenance=self._seal.provenance,
            clock=clock_statement(),
            made_at=now,
        )
        content = sealed(values, self._seal.signer.sign, self._seal.signer.public_key)
        name = numbered(MANIFEST, chain.revision)
        return self._noted(
            incident, FileNote.of(name, JSON_TYPE, content, now.isoformat(), ""), content
        )

    def _noted(self, incident: Incident, note: FileNote, content: bytes) -> OutboxRequest:
        self.notes_of(incident.incident_id).append(note)
        text = json.dumps(asdict(note), ensure_ascii=False)
        return evidence_request(incident.incident_id, note.name, note.content_type, content, text)


def _note(name: str, at: datetime, content: bytes) -> FileNote:
    return FileNote.of(name, kind_of_name(name).content_type, content, at.isoformat(), "")
