"""What kinds of evidence there are, by the name under which it is posted."""

from __future__ import annotations

from dataclasses import dataclass

from service.decisions.manifest import MANIFEST, number_of


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceKind:
    """A kind of file."""

    content_type: str
    suffix: str
    """Of its file on disk."""
    is_told: bool = True
    """Whether its arrival is a change of the order; a manifest only lists what was told of."""


PICTURE = EvidenceKind(content_type="image/jpeg", suffix=".jpg")
FILM = EvidenceKind(content_type="video/mp4", suffix=".mp4")
LIST = EvidenceKind(content_type="application/json", suffix=".json", is_told=False)
ORIGINAL = EvidenceKind(content_type="application/octet-stream", suffix=".bin", is_told=False)
"""Unblurred and encrypted: nobody is told of it, and it has a permission of its own."""
FILM_NAME = "clip"
OPENED_ORIGINAL = "opened-original"
FIRST_ORIGINAL = "first-original"
ORIGINALS = (FIRST_ORIGINAL, OPENED_ORIGINAL)


def kind_of_name(name: str) -> EvidenceKind:
    """The kind that a name stands for: ``clip``, ``manifest``, numbered or not; else a picture."""
    if number_of(name, MANIFEST) is not None:
        return LIST
    if name in ORIGINALS:
        return ORIGINAL
    return FILM if number_of(name, FILM_NAME) is not None else PICTURE
