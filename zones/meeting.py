"""Whether a case meets its rule, and when it is over."""

from __future__ import annotations

from models.zone import Rule
from zones.case import Case
from zones.clock import CLOCK_GRAIN_S

LONGEST_RETRY_S = 3600.0
"""What a closer look refused gets another one after so much more watched time at the latest."""
_ROUNDING = 1e-9


def meets(case: Case, rule: Rule) -> bool:
    """Whether it has been there long enough, and surely enough, for the rule."""
    return reaches(case, rule, needed_s(case, rule))


def reaches(case: Case, rule: Rule, dwell_s: float) -> bool:
    """Whether it has been there for so long, and surely enough for the rule."""
    called = sum(count for label, count in case.votes.items() if label in rule.labels)
    return (
        case.is_standing
        and (case.observed - case.waived).total_seconds() >= dwell_s - CLOCK_GRAIN_S
        and _seen_enough(case, rule)
        and case.confidence >= rule.threshold(case.label)
        and 2 * called >= sum(case.votes.values())
    )


def is_over(case: Case, rule: Rule) -> bool:
    """Whether it was away so long that it is forgotten or, once ripe, gone."""
    absent_s = case.absent.total_seconds()
    return absent_s >= rule.clear_after_s if case.is_ripe else absent_s > rule.grace_s


def needed_s(case: Case, rule: Rule) -> float:
    """Dwell that confirms it: after a refusal twice as long, but no more than an hour longer."""
    again_s = min(2 * case.refused_s, case.refused_s + LONGEST_RETRY_S)
    return max(rule.dwell_s, again_s, case.allowance_s)


def _seen_enough(case: Case, rule: Rule) -> bool:
    least_s = rule.min_seen_ratio * case.window.total_seconds()
    return case.sighted.total_seconds() + _ROUNDING >= least_s
