"""Incidents as the recording keeps them."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from models.geometry import Box
from models.incident import Incident
from models.zone import RuleKind

_TIMES = ("started_at", "opened_at", "last_seen_at", "cleared_at")
_KNOWN = frozenset(field.name for field in fields(Incident))


def incident_values(incident: Incident) -> dict[str, Any]:
    """An incident as plain values for JSON, times as ISO 8601 with offset."""
    values = asdict(incident) | {"box": list(incident.box.xyxy)}
    for name in _TIMES:
        values[name] = values[name] and values[name].isoformat()
    return values


def incident_to_json(incident: Incident) -> str:
    """An incident as JSON text."""
    return json.dumps(incident_values(incident), ensure_ascii=False, separators=(",", ":"))


def incident_from_json(text: str) -> Incident:
    """What :func:`incident_to_json` wrote; raises :class:`ValueError` if it is anything else.

    Fields that a later version added are left out.
    """
    try:
        values = {name: value for name, value in json.loads(text).items() if name in _KNOWN}
        for name in _TIMES:
            given = values.get(name)
            values[name] = None if given is None else datetime.fromisoformat(given)
        values["box"] = Box(*(float(side) for side in values["box"]))
        values["kind"] = RuleKind(values["kind"])
        return Incident(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an incident: {error!r}") from error
