"""What a rule saw: candidate → open (confirmed once) → cleared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.geometry import Box
from models.zone import RuleKind


class ChangeKind(StrEnum):
    """What happened to an incident at a look."""

    ALERTED = "alerted"
    """It may be opened before long; told once, nothing is filed, and no end of it is told."""
    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """A confirmed incident; its id depends only on what was seen, so a replay gives the same."""

    incident_id: str
    """UUID string."""
    camera_id: str
    zone_id: str
    rule_id: str
    kind: RuleKind
    category: str
    label: str
    """Class of the object, or of the most confident one of several."""
    box: Box
    """Latest place, in pixels of the analysed picture."""
    width_px: int
    height_px: int
    """Size of the analysed picture, so that ``box`` can be placed in another one."""
    confidence: float
    """Highest confidence seen."""
    started_at: datetime
    """When the object began to stand or lie there, as far as it was seen."""
    opened_at: datetime
    """When the dwell was reached."""
    last_seen_at: datetime
    observed_s: float
    """Seconds it was watched; time in which nobody could look does not count."""
    inferred_s: float = 0.0
    """Of those, seconds in which it was out of sight for a moment and must have been there, since
    it was seen at the same place before and after."""
    object_count: int = 1
    closer_look: float | None = None
    """Confidence with which a closer look found it when it was confirmed; 0: that did not find it;
    ``None``: there was none."""
    cleared_at: datetime | None = None
    is_shadow: bool = False
    """Opened by a zone on trial: recorded and counted, but no order, also when the zone is live."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentChange:
    """A step in an incident's life, to be acted on once."""

    kind: ChangeKind
    at: datetime
    incident: Incident
