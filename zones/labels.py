"""Which labels may name one and the same object.

Detectors waver between neighbouring classes; an object that is a car at one look and a truck at the
next has not been replaced.
"""

from __future__ import annotations

FAMILIES: tuple[frozenset[str], ...] = (
    frozenset({"car", "truck", "bus", "van"}),
    frozenset({"motorcycle", "bicycle"}),
)

_FAMILY_OF = {label: min(family) for family in FAMILIES for label in family}


def family(label: str) -> str:
    """Name of the label's family; a label without one is its own."""
    return _FAMILY_OF.get(label, label)
