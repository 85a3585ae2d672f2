"""The shape of camera faults and watched assets in ``city.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from service.config.rule_forms import Form
from service.config.scalars import Duration, Identifier, Positive, Text

FaultName = Literal[
    "moved", "covered", "sprayed", "defocused", "black", "overexposed", "frozen", "offline"
]


class FaultTimesForm(Form):
    """How long each fault must last before it is reported."""

    moved: Positive = 60.0
    """Rules are suspended at once; a tour of presets that returns sooner is not reported."""
    covered: Positive = 60.0
    """The lens is covered."""
    sprayed: Positive = 600.0
    """A part of the view is smeared."""
    defocused: Positive = 300.0
    """Out of focus."""
    black: Positive = 60.0
    """Nothing but black."""
    overexposed: Positive = 120.0
    """Nearly all white."""
    frozen: Positive = 120.0
    """The same picture; must be longer than the stream's time between two whole pictures."""
    offline: Positive = 120.0
    """No stream."""


def _usual_faults() -> list[FaultName]:
    return ["frozen", "offline"]


class FaultsForm(Form):
    """Faults of the camera itself: what is looked for, and what is done about it."""

    look_for: list[FaultName] = Field(default_factory=_usual_faults)
    """Kinds that are looked for; []: none."""
    report_after: FaultTimesForm = FaultTimesForm()
    """How long each fault must last."""
    clear_after: Positive = 30.0
    """How long it must be gone before its order is cleared; at least four looks."""
    department: str | None = None
    """Id of the department; left out: what routing says of camera_fault."""
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    """How urgent its work orders are."""


Coordinate = Annotated[float, Field(allow_inf_nan=False)]
CornerForm = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]


class AssetForm(Form):
    """A thing that is watched: how it looks is learnt, and a lasting change of it reported."""

    id: Identifier
    """Unique among the assets and zones of its camera."""
    name: Text | None = None
    """Name people read; left out: the id."""
    kind: Literal["bench", "sign", "lamp", "manhole_cover", "rail", "bin", "other"]
    """What it is."""
    box: Annotated[list[Coordinate], Field(min_length=4, max_length=4)] | None = None
    """[left, top, right, bottom] of the thing in the picture; this or a polygon."""
    polygon: Annotated[list[CornerForm], Field(min_length=3)] | None = None
    """Its outline, corner by corner, where a box would hold too much else."""
    units: Literal["ratio", "pixels"] | None = None
    """ratio: 0 to 1 of the sides; pixels: of the camera's resolution; left out: by the numbers."""
    dwell: Positive = 600.0
    """How long it must have been seen changed, with nobody in front of it."""
    clear_after: Positive = 120.0
    """How long it must look as learnt again before its order is cleared."""
    grace: Duration = 30.0
    """So long it may look as learnt in between without the time starting anew."""
    category: Identifier = "damaged_facility"
    """Key of the category table."""
    department: str | None = None
    """Id of the department; left out: what routing says."""
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    """How urgent its work orders are."""

    @model_validator(mode="after")
    def _has_one_place(self) -> AssetForm:
        if (self.box is None) == (self.polygon is None):
            raise ValueError("give either a box or a polygon")
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError("the box should be [left, top, right, bottom]")
        return self
