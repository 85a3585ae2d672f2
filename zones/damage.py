"""Damaged facilities: potholes, cracks, graffiti, whatever the weights know.

One incident for each damaged thing, known by its place and label, however many tracks it has had.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.zone import DamagedFacilityRule
from zones.case import Case
from zones.incidents import Site
from zones.objects import ObjectJudge
from zones.places import PlaceWatcher


class DamageJudge(ObjectJudge):
    """Judges ``damaged_facility`` in one zone."""

    def __init__(self, site: Site, rule: DamagedFacilityRule, cases: Sequence[Case] = ()) -> None:
        super().__init__(site, rule, PlaceWatcher(rule, cases, by_label=True))
