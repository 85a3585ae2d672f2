"""What clients send, validated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from models.work_order import RejectReason, Status, WorkOrderRequest
from models.zone import Priority


def _in_utc(time: datetime) -> datetime:
    # In a query string a plus sign arrives as a space and zones get lost: without one it is UTC.
    aware = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("too far away") from error


UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with its offset, turned to UTC, so that all answers and events speak of one zone."""
QueryTime = Annotated[datetime, AfterValidator(_in_utc)]
"""A time in a query; UTC if it has no offset."""
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL stores no NUL character."""
Ident = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
Text = Annotated[str, Field(max_length=2000, pattern=NO_NUL)]
Pixels = Annotated[int, Field(gt=0, le=100_000)]
Count = Annotated[int, Field(ge=0, le=2**62)]
Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]
Metres = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e5)]
Seconds = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e10)]

EXAMPLE_ORDER: dict[str, JsonValue] = {
    "incident_id": "0d9fd2f5-6c7f-5b0e-9a51-3a3f7f6e8f10",
    "camera_id": "main-street-3",
    "camera_name": "Main Street 3",
    "zone_id": "double-yellow",
    "zone_name": "Double yellow lines",
    "rule_id": "parking",
    "rule_kind": "illegal_parking",
    "category": "illegal_parking",
    "label": "car",
    "confidence": 0.91,
    "box_xyxy": [412.0, 233.5, 598.0, 342.0],
    "width_px": 960,
    "height_px": 540,
    "started_at": "2026-11-24T09:00:12+08:00",
    "opened_at": "2026-11-24T09:05:12+08:00",
    "observed_s": 300.0,
    "dwell_s": 300.0,
    "priority": "normal",
    "latitude": 31.2304,
    "longitude": 121.4737,
    "address": "Main Street 3",
    "description": "Main Street 3, Double yellow lines: car standing for 300 s",
}


class WorkOrderIn(BaseModel):
    """A confirmed incident, as a detector posts it. Unknown fields of newer detectors pass."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_ORDER})

    incident_id: UUID = Field(description="Makes the request idempotent: one order an incident.")
    camera_id: Ident
    camera_name: Ident
    zone_id: Ident
    zone_name: Ident
    rule_id: Ident
    rule_kind: Annotated[str, Field(min_length=1, max_length=50, pattern=NO_NUL)]
    category: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    label: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    confidence: float = Field(ge=0, le=1)
    box_xyxy: tuple[Coordinate, Coordinate, Coordinate, Coordinate] = Field(
        description="Left, top, right, bottom in pixels of a picture of width_px × height_px."
    )
    width_px: Pixels
    height_px: Pixels
    started_at: UtcTime = Field(description="When the object began to stand or lie there.")
    opened_at: UtcTime = Field(description="When the dwell was reached.")
    observed_s: Seconds = Field(description="Seconds it was watched.")
    inferred_s: Seconds = Field(
        0.0, description="Of those, out of sight for a moment, there before and after."
    )
    dwell_s: Seconds = Field(description="Seconds that the rule asks for.")
    object_count: int = Field(1, ge=1, le=100_000)
    department_id: Ident | None = Field(None, description="Department that the rule names.")
    priority: Priority = Priority.NORMAL
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    address: Text = ""
    located_by: Literal["", "ground", "camera"] = Field(
        "",
        description="ground: latitude and longitude are the thing's own, by the camera's"
        " calibration; camera: they are the camera's.",
    )
    place_id: Annotated[str, Field(max_length=200, pattern=NO_NUL)] = Field(
        "", description="What zones of several cameras show together: one order for one thing."
    )
    width_m: Metres | None = Field(None, description="Across the line of sight, at its foot.")
    length_m: Metres | None = Field(
        None, description="Along the line of sight, of what lies flat on the ground."
    )
    description: Text = ""
    model: Annotated[str, Field(max_length=200, pattern=NO_NUL)] = Field(
        "", description="Detector that saw it: its name and the start of its hash."
    )
    config_version: Annotated[str, Field(max_length=64, pattern=NO_NUL)] = Field(
        "", description="Fingerprint of the zones and rules by which it was judged."
    )

    def to_request(self) -> WorkOrderRequest:
        """The value that the program works with."""
        # Not dict(self), which asks pydantic for methods that it does not have: that takes longer.
        return WorkOrderRequest(**{**vars(self), "incident_id": str(self.incident_id)})


class WorkOrderPatch(BaseModel):
    """What to change of an order; at least one field."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"status": "accepted", "note": "Crew 4 is on its way"}},
    )

    status: Status | None = None
    department_id: Ident | None = Field(None, description="Hand the order to this department.")
    reason: Text = Field(
        "", description="In words; a rejection needs it, or a `reason_code` other than `other`."
    )
    reason_code: RejectReason | None = Field(
        None,
        description="Why the order is rejected. Models learn from `false_alarm`, and only from it.",
    )
    duplicate_of: UUID | None = Field(
        None, description="With status `duplicate`: the order that this one repeats."
    )
    note: Text = Field("", description="Goes into the history.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.department_id is None and not self.note.strip():
            raise ValueError("give status, department_id or note")
        if self.reason_code is not None and self.status is not Status.REJECTED:
            raise ValueError("reason_code belongs to status rejected")
        if (self.duplicate_of is not None) is not (self.status is Status.DUPLICATE):
            raise ValueError("status duplicate needs duplicate_of, and no other status has it")
        return self

    @property
    def is_explained(self) -> bool:
        """Whether a rejection says why."""
        return bool(self.reason.strip()) or self.reason_code not in {None, RejectReason.OTHER}


class ObservationIn(BaseModel):
    """What a detector sees of an incident later on."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "state": "present",
                "last_seen_at": "2026-11-24T09:10:00+08:00",
                "observed_s": 600.0,
            }
        }
    )

    state: Literal["present", "cleared"]
    last_seen_at: UtcTime
    observed_s: Seconds
    inferred_s: Seconds | None = None
    object_count: int = Field(1, ge=0, le=100_000)
    cleared_at: UtcTime | None = None

    @model_validator(mode="after")
    def _cleared_has_a_time(self) -> Self:
        if self.state == "cleared" and self.cleared_at is None:
            raise ValueError("cleared_at is needed when state is cleared")
        return self


class CameraIn(BaseModel):
    """How a camera is, as its daemon reports it every few seconds."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "Main St 1",
                "state": "online",
                "last_frame_at": "2026-11-24T09:10:00+08:00",
                "width_px": 1920,
                "height_px": 1080,
            }
        }
    )

    name: Ident
    state: Literal["connecting", "online", "fault", "offline", "ended"]
    last_frame_at: UtcTime | None = None
    width_px: Pixels | None = None
    height_px: Pixels | None = None
    drops: Count = 0
    reconnects: Count = 0
    last_error: Text | None = None
    looks: Count = 0
    model: Annotated[str, Field(max_length=500, pattern=NO_NUL)] | None = None


class SessionIn(BaseModel):
    """Sign-in of the browser page: `name` and `password`, or `api_key`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"name": "li", "password": "…"}}
    )

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    api_key: Annotated[str, Field(min_length=1, max_length=500)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        given = (self.name is not None, self.password is not None, self.api_key is not None)
        if given not in {(True, True, False), (False, False, True)}:
            raise ValueError("give name and password, or api_key")
        return self


class OrderFilterQuery(BaseModel):
    """Filters of orders; each may be given several times."""

    model_config = ConfigDict(extra="forbid")

    status: list[Status] = Field([], description="At one of these statuses.")
    category: list[Ident] = []
    camera_id: list[Ident] = Field([], description="Of the camera that told of it first.")
    seen_by: list[Ident] = Field([], description="Told of by this camera, first or later.")
    zone_id: list[Ident] = []
    department_id: list[Ident] = []
    priority: list[Priority] = []
    created_since: QueryTime | None = Field(None, description="Created at or after this time.")
    created_until: QueryTime | None = Field(None, description="Created before this time.")


class OrderQuery(OrderFilterQuery):
    """Filters and paging of the list of orders; a filter may be given several times."""

    updated_since: QueryTime | None = Field(
        None,
        description=(
            "Lists by latest change, oldest change first, what changed at or after this time; "
            "go on with the cursor of each answer and nothing is missed."
        ),
    )
    cursor: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="`next_cursor` of an earlier page; repeat the filters with it."
    )
    wait: float = Field(
        0.0,
        ge=0,
        le=60,
        allow_inf_nan=False,
        description="Seconds to wait for orders where there are none yet; by latest change only.",
    )
    limit: int = Field(50, ge=1, le=200)
