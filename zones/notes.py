"""What some rules remember besides their cases, and its form as JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.geometry import Box
from zones.persistence import Spell
from zones.presence import Passer, Presence

Json = Any
"""What ``json`` reads and writes."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Notes:
    """What a rule remembers besides its cases; most kinds of rules: nothing."""

    presence: Presence | None = None
    """Who was there of late (littering)."""
    level: Spell | None = None
    """For how long there was too much, or little enough again (accumulated litter)."""


def notes_out(notes: Notes) -> Json:
    """The notes as JSON values."""
    return {
        "presence": None if notes.presence is None else _presence_out(notes.presence),
        "level": None if notes.level is None else spell_out(notes.level),
    }


def notes_in(data: Json) -> Notes:
    """Read what :func:`notes_out` gave; nothing is known where there is none."""
    if data is None:
        return Notes()
    presence, level = data["presence"], data["level"]
    return Notes(
        presence=None if presence is None else _presence_in(presence),
        level=None if level is None else spell_in(level),
    )


def spell_out(spell: Spell) -> Json:
    """A spell as JSON values, exact to the microsecond."""
    return {
        "last_at": _time_out(spell.last_at),
        "since": _time_out(spell.since),
        "last_seen_at": _time_out(spell.last_seen_at),
        "present_us": spell.present // _MICROSECOND,
        "absent_us": spell.absent // _MICROSECOND,
        "missed_us": spell.missed // _MICROSECOND,
        "looks": spell.looks,
        "is_confirmed": spell.is_confirmed,
    }


def spell_in(data: Json) -> Spell:
    """Read what :func:`spell_out` gave."""
    return Spell(
        last_at=_time_in(data["last_at"]),
        since=_time_in(data["since"]),
        last_seen_at=_time_in(data["last_seen_at"]),
        present=int(data["present_us"]) * _MICROSECOND,
        absent=int(data["absent_us"]) * _MICROSECOND,
        missed=int(data["missed_us"]) * _MICROSECOND,
        looks=int(data["looks"]),
        is_confirmed=bool(data["is_confirmed"]),
    )


def _presence_out(presence: Presence) -> Json:
    return {
        "watched_since": _time_out(presence.watched_since),
        "passers": [_passer_out(passer) for passer in presence.passers],
    }


def _passer_out(passer: Passer) -> Json:
    return [passer.at.isoformat(), passer.is_person, *(float(side) for side in passer.box.xyxy)]


def _presence_in(data: Json) -> Presence:
    passers = []
    for at, is_person, *sides in data["passers"]:
        x1, y1, x2, y2 = (float(side) for side in sides)
        passer = Passer(at=_aware(at), box=Box(x1, y1, x2, y2), is_person=bool(is_person))
        passers.append(passer)
    return Presence(watched_since=_time_in(data["watched_since"]), passers=tuple(passers))


def _time_out(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time_in(text: Json) -> datetime | None:
    return None if text is None else _aware(text)


def _aware(text: Json) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without its zone: {text!r}")
    return at
