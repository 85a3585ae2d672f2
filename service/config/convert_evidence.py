"""What the file says of evidence and privacy, as the values that the program works with."""

from __future__ import annotations

from models.evidence import EvidencePolicy, Privacy, Retention
from service.config.forms import EvidenceForm, PrivacyForm
from service.config.plate_forms import to_plate_reader


def to_policy(form: EvidenceForm) -> EvidencePolicy:
    """What every camera keeps as proof."""
    return EvidencePolicy(
        clip=form.clip,
        clip_before_s=form.clip_before,
        clip_after_s=form.clip_after,
        latest_every_s=form.latest_every,
    )


def to_retention(form: EvidenceForm) -> Retention:
    """How long the dispatch service keeps it."""
    return Retention(days=dict(form.retention_days), originals_days=form.originals_days)


def to_privacy(form: PrivacyForm) -> Privacy:
    """What must not be seen in a camera's pictures."""
    return Privacy(
        blur_faces=form.faces == "blur",
        blur_plates=form.plates == "blur",
        masks=tuple(tuple((x, y) for x, y in corners) for corners in form.masks),
        original_recipient="" if form.originals is None else form.originals.recipient,
        plate_reader=to_plate_reader(form.plate_reader),
    )
