"""What is known, in a picture of another size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zones.case import Case, OpenIncident


def rescaled(
    cases: Iterable[Case], x_factor: float, y_factor: float, width_px: int, height_px: int
) -> tuple[Case, ...]:
    """The same cases in a picture of another size, to be found again by their place.

    Trackers begin anew with another size. What only moved through is not worth finding again.
    """
    return tuple(
        replace(
            case,
            track_ids=frozenset(),
            still_since=None,
            box=case.box.scaled(x_factor, y_factor),
            open=case.open and rescaled_open(case.open, x_factor, y_factor, width_px, height_px),
        )
        for case in cases
        if case.is_standing
    )


def rescaled_open(
    opened: OpenIncident, x_factor: float, y_factor: float, width_px: int, height_px: int
) -> OpenIncident:
    """The same incident in a picture of another size."""
    box = opened.incident.box.scaled(x_factor, y_factor)
    incident = replace(opened.incident, box=box, width_px=width_px, height_px=height_px)
    return replace(opened, incident=incident)
