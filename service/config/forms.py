"""The shape of ``city.yaml``: what may be written, and what holds where nothing is written.

The field names are the keys of the file. References between parts of the file (departments,
schedules, ids) and polygons are checked by ``service.config.checks``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from service.config.scalars import (
    MINUTES_A_DAY,
    Clock,
    Days,
    Duration,
    Identifier,
    Positive,
    Ratio,
    Text,
    TimeZone,
)
from service.config.sources import check_dispatch_url


class Form(BaseModel):
    """Base of all parts: no unknown keys, no silent conversion, no values in error messages."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class CityForm(Form):
    """The city this file is for."""

    name: Text
    """Name of the city, shown in the console."""
    name_zh: str = ""
    """Name in Chinese, shown where the console speaks Chinese."""
    timezone: TimeZone
    """IANA name; the default of schedules and of the times that people are shown."""


class ModelForm(Form):
    """Which network looks, and how."""

    weights: Text = "street-n"
    """Name in the registry, or path of a .pt, .onnx or OpenVINO model (relative to this file)."""
    backend: Literal["auto", "openvino", "ultralytics"] = "auto"
    """Library that runs it; auto: whichever the weights are for."""
    device: Text = "cpu"
    """cpu, cuda, cuda:1, or a device name of OpenVINO."""
    image_size: Annotated[int, Field(ge=32, le=4096, multiple_of=32)] = 640
    """Longer side, in pixels, of what the network sees; a multiple of 32."""
    min_confidence: Ratio = 0.2
    """Boxes below it are not even tracked; rules have their own, higher limits."""
    class_map: dict[str, Text] = {}
    """Renames classes of foreign weights to labels that rules know; empty: keep names."""


def _environment_name(name: str) -> str:
    if not (name.isascii() and name.isidentifier()):
        # The value is not shown: it may be a key that was written here by mistake.
        raise ValueError("should be the name of an environment variable, never the key itself")
    return name


class DispatchForm(Form):
    """Where work orders go."""

    url: Annotated[str, AfterValidator(check_dispatch_url)] = "http://127.0.0.1:8080"
    """Address of the dispatch service, without credentials."""
    api_key_env: Annotated[str, AfterValidator(_environment_name)] = "STREETWARDEN_API_KEY"
    """Environment variable that holds the key; the key itself is never in this file."""


class DepartmentForm(Form):
    """Who does the work."""

    id: Identifier
    """Unique; rules and routing refer to it."""
    name: Text
    """Name people read."""
    name_zh: str = ""
    """Name in Chinese."""


class WindowForm(Form):
    """A part of the day on some days of the week, in local time."""

    days: Days = frozenset(range(7))
    """Names, ranges such as mon-fri, or a list of both; left out: every day."""
    start: Clock = 0
    """HH:MM."""
    end: Clock = MINUTES_A_DAY
    """HH:MM, up to 24:00; earlier than start: goes on past midnight, as part of its first day."""

    @model_validator(mode="after")
    def _is_clear(self) -> WindowForm:
        if self.start == MINUTES_A_DAY:
            raise ValueError("start should be earlier than 24:00")
        if self.start == self.end:
            raise ValueError(
                "start and end are the same; for the whole day write start: '00:00', end: '24:00'"
            )
        return self


class ScheduleForm(Form):
    """When a rule holds."""

    timezone: TimeZone | None = None
    """IANA name; left out: the city's."""
    windows: Annotated[list[WindowForm], Field(min_length=1)]
    """The rule holds in each of them."""


class LocationForm(Form):
    """Where a camera looks."""

    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    """Degrees, WGS 84."""
    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None
    """Degrees, WGS 84."""
    address: str = ""
    """What people call the place."""

    @model_validator(mode="after")
    def _is_whole(self) -> LocationForm:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude go together")
        return self


def _schedule_tag(value: Any) -> str:
    return "name" if isinstance(value, str) else "inline"


ScheduleChoice = Annotated[
    Annotated[str, Tag("name")] | Annotated[ScheduleForm, Tag("inline")],
    Discriminator(_schedule_tag),
]
"""Name of one of the file's schedules, or a schedule of the rule's own."""


class RuleForm(Form):
    """What all rules share."""

    id: Identifier | None = None
    """Unique in its zone; left out: the kind."""
    labels: Annotated[list[str], Field(min_length=1)] | None = None
    """Classes it looks for; left out: those that its kind is about."""
    dwell: Positive | None = None
    """How long something must have been there; left out: what is usual for the category."""
    grace: Duration | None = None
    """Absence tolerated before a candidate is forgotten; left out: 5 s, at least two looks."""
    clear_after: Positive | None = None
    """Absence that ends an incident; left out: 30 s, at least four looks."""
    min_confidence: Ratio = 0.25
    """Boxes below it do not count."""
    min_seen_ratio: Ratio = 0.5
    """Share of the looks during the dwell at which it must really have been seen."""
    schedule: ScheduleChoice | None = None
    """Name of a schedule, or one written here; left out: always."""
    category: Identifier | None = None
    """Key of the category table; left out: the kind."""
    department: str | None = None
    """Id of the department; left out: what routing says."""
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    """How urgent its work orders are."""


class IllegalParkingForm(RuleForm):
    """A vehicle that stands still in the zone; one incident for each vehicle."""

    kind: Literal["illegal_parking"]
    """Which logic judges the zone."""
    min_coverage: Ratio = 0.5
    """Share of the vehicle's foot strip (lowest fifth of its box) that must lie in the zone."""


class LitterForm(RuleForm):
    """Litter that lies in the zone; one incident for a zone however many pieces."""

    kind: Literal["litter"]
    """Which logic judges the zone."""
    min_count: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Fewest pieces; must be met together with min_area."""
    min_area: Ratio = 0.0
    """Smallest share of the zone that the pieces' boxes cover together."""


class DamagedFacilityForm(RuleForm):
    """Damage seen at the same place; one incident for each damaged thing."""

    kind: Literal["damaged_facility"]
    """Which logic judges the zone."""


AnyRuleForm = Annotated[
    IllegalParkingForm | LitterForm | DamagedFacilityForm, Field(discriminator="kind")
]

Coordinate = Annotated[float, Field(allow_inf_nan=False)]
PointForm = Annotated[list[Coordinate], Field(min_length=2, max_length=2)]
Side = Annotated[int, Field(ge=16, le=32_768)]


class ZoneForm(Form):
    """A polygon in one camera's picture and the rules that hold in it."""

    id: Identifier
    """Unique in its camera."""
    name: Text | None = None
    """Name people read; left out: the id."""
    polygon: Annotated[list[PointForm], Field(min_length=3)]
    """Corners [x, y] in order, from the picture's top left; the last one joins the first."""
    units: Literal["ratio", "pixels"] | None = None
    """ratio: 0 to 1 of the sides; pixels: of the camera's resolution; left out: by the numbers."""
    rules: Annotated[list[AnyRuleForm], Field(min_length=1)]
    """What must not happen here."""


def _usb_index_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Source = Annotated[
    Text,
    BeforeValidator(_usb_index_as_text),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}],
            "examples": ["rtsp://viewer:${CAMERA_PASSWORD}@192.0.2.10/stream1", "clips/a.mp4", 0],
        }
    ),
]


class CameraForm(Form):
    """One video source and its zones."""

    id: Identifier
    """Unique in the file."""
    name: Text | None = None
    """Name people read; left out: the id."""
    source: Annotated[Source, Field(repr=False)]
    """RTSP or HTTP address, file or folder of images (relative to this file), or USB index.
    ${NAME} is replaced by that environment variable: no password needs to be in this file."""
    legal_basis: Text
    """Why this camera may watch this place, for example a decision or an agreement."""
    resolution: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None
    """[width, height] that polygons in pixels refer to."""
    look_interval: Positive = 1.0
    """Time between two analysed frames."""
    decode: Literal["auto", "full", "keyframes"] = "auto"
    """keyframes: only whole pictures, much cheaper; auto: if they come often enough."""
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries the video."""
    paced: bool = True
    """A file is read at the speed at which it was taken, as a camera would give it."""
    loop: bool = False
    """A file starts again when it ends."""
    location: LocationForm = LocationForm()
    """Where it looks."""
    zones: list[ZoneForm] = []
    """Parts of the picture, with their rules."""


class CityFile(Form):
    """The whole of a city.yaml: cameras with their zones and rules, departments, schedules."""

    city: CityForm
    """The city this file is for."""
    model: ModelForm = ModelForm()
    """Which network looks, and how."""
    dispatch: DispatchForm = DispatchForm()
    """Where work orders go."""
    departments: list[DepartmentForm] = []
    """Who does the work."""
    routing: dict[str, str] = {}
    """Category or kind of rule to department id; 'default' for everything else."""
    schedules: dict[str, ScheduleForm] = {}
    """Schedules that rules refer to by name."""
    cameras: Annotated[list[CameraForm], Field(min_length=1)]
    """The video sources."""
