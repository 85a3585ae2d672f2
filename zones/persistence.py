"""Whether something that a look says or denies has lasted: dwell, grace and clearing.

Pure and exact: a :class:`Spell` is a value, so that a restart at any look changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from models.zone import Rule
from zones.clock import CLOCK_GRAIN_S, ZERO, longest_gap

_GRAIN = timedelta(seconds=CLOCK_GRAIN_S)
MIN_LOOKS = 3
"""However long a dwell, fewer looks than this prove nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long something must last."""

    dwell: timedelta
    grace: timedelta
    """Absence without a break after which what is not yet confirmed is forgotten."""
    clear_after: timedelta
    """Absence without a break that ends what was confirmed."""
    min_seen_ratio: float
    """Share of the watched time since it began in which it must have been seen."""
    longest_gap: timedelta
    """Looks further apart than this have not watched what lies between."""


def limits_of(rule: Rule, look_interval_s: float) -> Limits:
    """The limits that a rule sets at a camera's look interval."""
    return Limits(
        dwell=timedelta(seconds=rule.dwell_s),
        grace=timedelta(seconds=rule.grace_s),
        clear_after=timedelta(seconds=rule.clear_after_s),
        min_seen_ratio=rule.min_seen_ratio,
        longest_gap=longest_gap(look_interval_s),
    )


class Turn(StrEnum):
    """What a look has changed."""

    NONE = "none"
    CONFIRMED = "confirmed"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spell:
    """How long something has been seen, in watched time."""

    last_at: datetime | None = None
    """The last look, if that could tell."""
    since: datetime | None = None
    """The first look that saw it; ``None``: it is not seen."""
    last_seen_at: datetime | None = None
    present: timedelta = ZERO
    absent: timedelta = ZERO
    """Without a break, since it was last seen."""
    missed: timedelta = ZERO
    """Altogether, since it began."""
    looks: int = 0
    """Looks that saw it."""
    is_confirmed: bool = False


def advance(spell: Spell, at: datetime, seen: bool | None, limits: Limits) -> tuple[Spell, Turn]:
    """Take in one look. ``seen`` is ``None`` where it could not tell: then time stands still.

    Watched time between two looks counts for what the second one saw, if both could tell.
    """
    if seen is None:
        return replace(spell, last_at=None), Turn.NONE
    elapsed = ZERO if spell.last_at is None else at - spell.last_at
    if not ZERO < elapsed <= limits.longest_gap:
        elapsed = ZERO
    spell = replace(spell, last_at=at)
    return _seen(spell, at, elapsed, limits) if seen else _unseen(spell, elapsed, limits)


def _seen(spell: Spell, at: datetime, elapsed: timedelta, limits: Limits) -> tuple[Spell, Turn]:
    since = spell.since or at
    spell = replace(
        spell,
        since=since,
        last_seen_at=at,
        present=spell.present + (elapsed if spell.since is not None else ZERO),
        absent=ZERO,
        looks=spell.looks + 1,
    )
    if spell.is_confirmed or not _lasts(spell, limits):
        return spell, Turn.NONE
    return replace(spell, is_confirmed=True), Turn.CONFIRMED


def _unseen(spell: Spell, elapsed: timedelta, limits: Limits) -> tuple[Spell, Turn]:
    if spell.since is None:
        return spell, Turn.NONE
    spell = replace(spell, absent=spell.absent + elapsed, missed=spell.missed + elapsed)
    limit = limits.clear_after if spell.is_confirmed else limits.grace
    if spell.absent < limit:
        return spell, Turn.NONE
    turn = Turn.CLEARED if spell.is_confirmed else Turn.NONE
    return Spell(last_at=spell.last_at), turn


def _lasts(spell: Spell, limits: Limits) -> bool:
    watched = spell.present + spell.missed
    return (
        spell.looks >= MIN_LOOKS
        and spell.present >= limits.dwell - _GRAIN
        and spell.present >= limits.min_seen_ratio * watched
    )
