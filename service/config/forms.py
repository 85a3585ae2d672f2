"""The shape of ``city.yaml``: what may be written, and what holds where nothing is written.

The field names are the keys of the file. References between parts of the file (departments,
schedules, ids) and polygons are checked by ``service.config.checks``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)

from models.evidence import DEFAULT_ORIGINALS_DAYS
from models.parking import LONGEST_RED_S
from models.zone import REDETECT_EVERY_S
from service.config.oidc_forms import OidcForm
from service.config.place_forms import AnyAddressesForm, GroundForm
from service.config.plate_forms import PlateReaderForm
from service.config.rule_forms import (
    AnyRuleForm,
    CalendarForm,
    Form,
    ScheduleChoice,
    ScheduleForm,
)
from service.config.scalars import Duration, Identifier, Positive, Ratio, Text, TimeZone
from service.config.sources import check_dispatch_url, environment_name
from service.config.tracing_forms import TracingForm
from service.config.upkeep_forms import AssetForm, FaultsForm


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
    min_confidence: Ratio | None = None
    """Boxes below it are not even tracked; rules have their own, higher limits. Left out: 0.2, or
    lower where the threshold of a class needs it."""
    thresholds: dict[str, Ratio] = Field(default_factory=dict)
    """Operating threshold by class: from which confidence a box counts where its rule does not say
    so; left out: that of the weights' registry, else 0.25."""
    class_map: dict[str, Annotated[str, Field(max_length=500)]] = Field(default_factory=dict)
    """Renames classes of foreign weights to labels that rules know, or ignores them (''); left out:
    keep names."""


class DispatchForm(Form):
    """Where work orders go."""

    url: Annotated[str, AfterValidator(check_dispatch_url)] = "http://127.0.0.1:8080"
    """Address of the dispatch service, without credentials."""
    api_key_env: Annotated[str, AfterValidator(environment_name)] = "STREETWARDEN_API_KEY"
    """Environment variable that holds the key; the key itself is never in this file."""


class RecordingForm(Form):
    """What rules were fed, kept so that other rules can be tried on it; never pictures."""

    enabled: bool = True
    """Whether the daemon records."""
    keep_days: Annotated[int, Field(ge=1, le=366)] = 14
    """Older days are deleted."""
    max_mb_per_camera: Annotated[float, Field(ge=1, le=100_000, allow_inf_nan=False)] = 200.0
    """Where a camera's days take more, in million bytes, the oldest are deleted."""


class DepartmentForm(Form):
    """Who does the work."""

    id: Identifier
    """Unique; rules and routing refer to it."""
    name: Text
    """Name people read."""
    name_zh: str = ""
    """Name in Chinese."""


class RouteForm(Form):
    """A department, and where and when it is responsible."""

    department: str
    """Id of the department."""
    cameras: list[str] = Field(default_factory=list)
    """Only what these cameras see; left out: all."""
    zones: list[str] = Field(default_factory=list)
    """Only in zones with these ids; left out: all."""
    schedule: ScheduleChoice | None = None
    """Only while it holds, by the time of the incident: a name, or a schedule of its own."""


def _route_tag(value: Any) -> str:
    return "name" if isinstance(value, str) else "inline"


Routes = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[
        list[
            Annotated[
                Annotated[str, Tag("name")] | Annotated[RouteForm, Tag("inline")],
                Discriminator(_route_tag),
            ]
        ],
        Field(min_length=1),
        Tag("inline"),
    ],
    Discriminator(_route_tag),
]
"""A department, or a list of departments with where and when they are responsible."""


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


MOST_SLICES = 64
Coordinate = Annotated[float, Field(allow_inf_nan=False)]
RatioPointForm = Annotated[list[Ratio], Field(min_length=2, max_length=2)]
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
    slices: bool | Annotated[int, Field(ge=0, le=MOST_SLICES)] = False
    """Look at the zone in overlapping parts, each by itself, for small things in large zones. true:
    as many parts as it takes to see every pixel, at most 12; a number: at most so many. Each part
    costs one inference a look."""
    kind: (
        Literal[
            "no_stopping",
            "no_parking",
            "fire_lane",
            "bus_stop",
            "crossing",
            "bike_lane",
            "pavement",
            "loading_bay",
            "double_parking",
        ]
        | None
    ) = None
    """What it is by traffic law: its parking rules have the usual dwell, category and so on."""
    place: Identifier | None = None
    """Zones of several cameras that show the same place name it alike: a thing in it is one order,
    whichever cameras see it."""
    stage: Literal["draft", "shadow", "live"] = "live"
    """draft: checked and drawn, its rules do not run; shadow: incidents are recorded and counted,
    without orders; live."""
    traffic_light: bool = False
    """Vehicles stop here at lights: parking rules wait until the lights have turned green."""
    longest_red: Positive = LONGEST_RED_S
    """Longest red phase of those lights."""
    beside: str | None = None
    """Only double_parking: id of the zone of the parked row; what stands in this zone counts while
    a vehicle stands there beside it."""
    rules: list[AnyRuleForm] = Field(default_factory=list)
    """What must not happen here; may be left out where another zone names this one."""

    @model_validator(mode="after")
    def _has_its_row(self) -> ZoneForm:
        if (self.kind == "double_parking") != (self.beside is not None):
            raise ValueError("'kind: double_parking' and 'beside: ZONE' go together")
        if self.beside == self.id:
            raise ValueError("'beside' should be another zone, that of the parked row")
        return self


class OriginalsForm(Form):
    """Unblurred pictures, kept encrypted for one holder of a key; only where the law allows it."""

    recipient: Annotated[str, Field(pattern=r"^x25519:[0-9a-f]{64}$")]
    """The holder's public key, as `streetwarden evidence keygen` prints it."""
    legal_basis: Text
    """Why unblurred pictures of this place may be kept, for example a decision."""


class PrivacyForm(Form):
    """What must not be seen in a camera's pictures."""

    faces: Literal["blur", "off"] = "blur"
    """Heads of persons in everything that leaves the machine; off only where the law allows it."""
    plates: Literal["blur", "off"] = "blur"
    """Where vehicles have their plates; off only where plates are needed and the law allows it."""
    masks: list[Annotated[list[RatioPointForm], Field(min_length=3)]] = Field(default_factory=list)
    """Polygons [x, y] as ratios (windows, gardens), painted over before anything looks at them."""
    originals: OriginalsForm | None = None
    """Keep the unblurred picture of each incident, encrypted; left out: none is kept."""
    plate_reader: PlateReaderForm | None = None
    """The city's own licence-plate reader, asked at illegal parking; left out: none is asked."""


class EvidenceForm(Form):
    """What is kept as proof of an incident."""

    clip: bool = True
    """A short redacted film with each order."""
    clip_before: Annotated[Positive, Field(le=30)] = 10.0
    """How much of it is from before the confirmation."""
    clip_after: Annotated[Positive, Field(le=30)] = 5.0
    """How much of it is from after the confirmation."""
    latest_every: Annotated[Positive, Field(ge=10)] = 300.0
    """New pictures while it is still there: the first after this time, the next after twice it."""
    retention_days: dict[str, Annotated[int, Field(ge=1, le=36_500)]] = Field(default_factory=dict)
    """Category (or 'default') to the days after closing that evidence is kept; none: for good."""
    originals_days: Annotated[int, Field(ge=1, le=3650)] = DEFAULT_ORIGINALS_DAYS
    """Days after which unblurred originals are deleted, counted from when they came."""


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
    look_interval: Positive | None = None
    """Time between two analysed frames; left out: what its rules need, 1 s for parking and
    littering, up to 10 s where there is only litter, damage, watched assets and camera faults."""
    redetect_every: Duration = REDETECT_EVERY_S
    """While the picture does not change, the detector looks again only after so long; 0s: it looks
    each time."""
    decode: Literal["auto", "full", "keyframes"] = "auto"
    """keyframes: only whole pictures, much cheaper; auto: if they come often enough."""
    rtsp_transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries the video."""
    paced: bool = True
    """A file is read at the speed at which it was taken, as a camera would give it."""
    loop: bool = False
    """A file starts again when it ends."""
    closer_looks: bool = True
    """Small zones are also looked at by themselves, enlarged; costs up to three more inferences."""
    location: LocationForm = LocationForm()
    """Where it looks."""
    ground: GroundForm | None = None
    """Four or more points on the ground, in the picture and on the map: things get coordinates."""
    privacy: PrivacyForm = PrivacyForm()
    """What must not be seen in its pictures."""
    faults: FaultsForm = FaultsForm()
    """Faults of the camera itself."""
    assets: list[AssetForm] = Field(default_factory=list)
    """Things whose look is learnt and whose change is reported."""
    zones: list[ZoneForm] = Field(default_factory=list)
    """Parts of the picture, with their rules."""


class CityFile(Form):
    """The whole of a city.yaml: cameras with their zones and rules, departments, schedules."""

    city: CityForm
    """The city this file is for."""
    model: ModelForm = ModelForm()
    """Which network looks, and how."""
    dispatch: DispatchForm = DispatchForm()
    """Where work orders go."""
    recording: RecordingForm = RecordingForm()
    """What rules were fed, kept so that other rules can be tried on it."""
    oidc: OidcForm | None = None
    """Where people sign in besides the service itself; left out: nowhere."""
    tracing: TracingForm | None = None
    """Where traces of requests are sent; left out: nowhere."""
    evidence: EvidenceForm = EvidenceForm()
    """What is kept as proof of an incident."""
    departments: list[DepartmentForm] = Field(default_factory=list)
    """Who does the work."""
    routing: dict[str, Routes] = Field(default_factory=dict)
    """Category or kind of rule to department id, or to a list of which the first entry that holds
    counts; 'default' for everything else."""
    calendars: dict[str, CalendarForm] = Field(default_factory=dict)
    """Holidays and make-up working days that schedules refer to by name."""
    schedules: dict[str, ScheduleForm] = Field(default_factory=dict)
    """Schedules that rules refer to by name."""
    addresses: AnyAddressesForm | None = None
    """File of street addresses: the nearest to a thing is its order's."""
    cameras: Annotated[list[CameraForm], Field(min_length=1)]
    """The video sources."""
