"""What closer looks at candidates found, so that a replay, which has no pictures, can ask again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.geometry import Box
from models.zone import Rule
from zones.case import CloserLooker

SAME_PLACE_IOU = 0.5
"""An answer holds for another box that overlaps so much with the one that was looked at ..."""
HOLDS_FOR = timedelta(hours=1)
"""... and for this time before and after: what lies or stands there seldom changes sooner."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CloserAnswer:
    """One closer look that a rule asked for."""

    at: datetime
    rule_id: str
    labels: frozenset[str]
    box: Box
    confidence: float | None
    """What it gave: 0 for nothing found, ``None`` for nothing to be seen closer."""


class KnownAnswers:
    """Stands for the closer look in a replay.

    Asked as the live rule was, it gives the same answer; asked at another time or place, the
    nearest one in time that was given for that place. Where none was given nothing is known, and
    the candidate is confirmed without one.
    """

    def __init__(self, answers: Sequence[CloserAnswer]) -> None:
        self._answers = sorted(answers, key=lambda answer: answer.at)
        self._times = [answer.at for answer in self._answers]

    def __len__(self) -> int:
        return len(self._answers)

    def at(self, at: datetime) -> CloserLooker | None:
        """What looks closer at this time; ``None`` if no answer is known for it."""
        first = bisect_left(self._times, at - HOLDS_FOR)
        last = bisect_left(self._times, at + HOLDS_FOR)
        near = self._answers[first:last]
        if not near:
            return None

        def look(rule: Rule, box: Box) -> float | None:
            fitting = [answer for answer in near if _fits(answer, rule, box)]
            if not fitting:
                return None
            return min(fitting, key=lambda answer: _distance(answer, rule, box, at)).confidence

        return look


def _fits(answer: CloserAnswer, rule: Rule, box: Box) -> bool:
    return bool(answer.labels & rule.labels) and answer.box.iou(box) >= SAME_PLACE_IOU


def _distance(answer: CloserAnswer, rule: Rule, box: Box, at: datetime) -> tuple[float, bool, bool]:
    apart_s = abs((answer.at - at).total_seconds())
    return (apart_s, answer.box != box, answer.rule_id != rule.rule_id)
