"""What an operator draws and tunes: cameras, zones, rules, schedules, departments.

These are the validated values the program works with; the YAML form with its checks is in
``service.config``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import TYPE_CHECKING

from models.address import Addresses
from models.calendar import BY_WEEKDAY, Calendar, DayKind
from models.evidence import EvidencePolicy, Privacy
from models.geometry import Points
from models.ground import GroundPlane
from models.litter import Accumulation
from models.parking import LONGEST_QUEUE_S, AlreadyThere, QueuePolicy, ZoneKind

if TYPE_CHECKING:  # built upon this module
    from models.upkeep import Asset, FaultSettings
    from models.urgency import PriorityStep


class RuleKind(StrEnum):
    """Which logic judges a zone."""

    ILLEGAL_PARKING = "illegal_parking"
    LITTER = "litter"
    LITTERING = "littering"
    DAMAGED_FACILITY = "damaged_facility"
    CAMERA_FAULT = "camera_fault"


class Priority(StrEnum):
    """How urgent a work order is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class CloserLook(StrEnum):
    """What a look at a candidate by itself, enlarged, is for, when it is about to be confirmed."""

    REQUIRE = "require"
    """What is not found there is not confirmed; it is looked at again later."""
    RECORD = "record"
    """The incident says how it went."""
    OFF = "off"


DEFAULT_THRESHOLD = 0.25
"""Confidence that counts, for labels of which neither configuration nor weights say anything."""


REDETECT_EVERY_S = 15.0
"""What a city gets that does not say; small litter that a look at the whole picture does not notice
waits no longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeWindow:
    """A part of the day on some days of the week, in local time.

    ``end <= start`` means that the window goes on past midnight; it belongs to its first day.
    """

    days: frozenset[int] = frozenset(range(7))
    """Days of the week, Monday is 0."""
    kinds: frozenset[DayKind] = frozenset()
    """Days besides those, by what they are in the schedule's calendar."""
    start: time = time(0, 0)
    end: time = time(0, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """When a rule holds; without windows it always does."""

    timezone: str = "UTC"
    """IANA name, such as ``Asia/Shanghai``."""
    windows: tuple[TimeWindow, ...] = ()
    calendar: Calendar = BY_WEEKDAY
    """Tells working days from holidays; an empty one goes by the days of the week."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """What all rules share. ``dwell_s`` is presence that was seen, in seconds of capture time."""

    rule_id: str
    """Unique within its zone."""
    labels: frozenset[str]
    dwell_s: float
    grace_s: float = 5.0
    """Absence tolerated before a candidate is forgotten."""
    clear_after_s: float = 30.0
    """Absence, while the place could be seen, that ends an incident."""
    min_confidence: float | None = None
    """Boxes below it do not count; ``None``: as ``thresholds`` says for their label."""
    thresholds: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Operating thresholds of the model by label."""
    closer_look: CloserLook = CloserLook.OFF
    """Whether a candidate is looked at by itself before it is confirmed."""
    min_seen_ratio: float = 0.5
    """Share of the looks during the dwell at which the object must really have been seen."""
    schedule: Schedule = Schedule()
    category: str = ""
    """Key of the category table, such as ``illegal_parking``."""
    department_id: str | None = None
    priority: Priority = Priority.NORMAL
    priority_when: tuple[PriorityStep, ...] = ()
    """Priorities of orders to which more applies; the first that fits."""

    def threshold(self, label: str) -> float:
        """The confidence from which a box of this label counts."""
        if self.min_confidence is not None:
            return self.min_confidence
        return self.thresholds.get(label, DEFAULT_THRESHOLD)

    @property
    def kind(self) -> RuleKind:
        """Which logic judges this rule."""
        raise TypeError("a bare Rule has no kind: use one of its subclasses")


@dataclass(frozen=True, kw_only=True, slots=True)
class IllegalParkingRule(Rule):
    """A vehicle that stands still in the zone for ``dwell_s``; one incident for each vehicle."""

    min_coverage_ratio: float = 0.5
    """Share of the vehicle's foot strip (lowest fifth of its box) that must lie in the zone."""
    queue: QueuePolicy = QueuePolicy.COUNT
    """Whether a vehicle that stands in a queue is taken for parked."""
    queue_zone_id: str | None = None
    """Zone of the lane whose vehicles are part of the queue too; ``None``: the rule's own alone."""
    longest_queue_s: float = LONGEST_QUEUE_S
    """What stands together for longer is no queue."""
    longest_red_s: float | None = None
    """The zone lies in front of lights with red phases so long; ``None``: it does not."""
    alert_after_s: float | None = None
    """Dwell after which people on watch are told, without an order; ``None``: they are not."""
    already_there: AlreadyThere = AlreadyThere.COUNT
    """What a vehicle is taken for that stood there when the camera came up."""
    loading_s: float | None = None
    """Dwell allowed while somebody works at the vehicle; ``None``: as always."""
    beside_zone_id: str | None = None
    """Zone of the parked row: a vehicle counts only while another stands there beside it."""

    @property
    def kind(self) -> RuleKind:
        """Always ``illegal_parking``."""
        return RuleKind.ILLEGAL_PARKING


@dataclass(frozen=True, kw_only=True, slots=True)
class LitterRule(Rule):
    """Litter that lies in the zone for ``dwell_s``; one incident for a zone however many pieces."""

    min_count: int = 1
    """Fewest pieces; met together with ``min_area_ratio``."""
    min_area_ratio: float = 0.0
    """Smallest share of the zone that the pieces' boxes cover together."""
    accumulated: Accumulation | None = None
    """How much must have gathered, instead of what single pieces do; ``None``: each piece counts
    that has itself lain there for ``dwell_s``."""

    @property
    def kind(self) -> RuleKind:
        """Always ``litter``."""
        return RuleKind.LITTER


@dataclass(frozen=True, kw_only=True, slots=True)
class LitteringRule(Rule):
    """Something that was dropped while somebody was there, and lies alone for ``dwell_s``."""

    @property
    def kind(self) -> RuleKind:
        """Always ``littering``."""
        return RuleKind.LITTERING


@dataclass(frozen=True, kw_only=True, slots=True)
class DamagedFacilityRule(Rule):
    """Damage seen at the same place for ``dwell_s``; one incident for each damaged thing."""

    @property
    def kind(self) -> RuleKind:
        """Always ``damaged_facility``."""
        return RuleKind.DAMAGED_FACILITY


class Stage(StrEnum):
    """How far a zone has come on its way into service."""

    DRAFT = "draft"
    """Checked and drawn; its rules do not run."""
    SHADOW = "shadow"
    """Its incidents are judged, recorded and counted, and make no orders."""
    LIVE = "live"


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """A polygon in one camera's picture and the rules that hold in it."""

    zone_id: str
    name: str
    polygon: Points
    """At least three corners, simple (no self-crossing), in any direction."""
    in_pixels: bool
    """True: corners are pixels of ``Camera.resolution``; False: ratios 0 to 1 of the sides."""
    rules: tuple[Rule, ...]
    stage: Stage = Stage.LIVE
    kind: ZoneKind | None = None
    """What it is by traffic law; its rules have been told already."""
    place_id: str = ""
    """What it shows, where zones of several cameras show the same; empty: nothing is said."""
    slices: int = 0
    """At most so many overlapping parts of the zone are looked at by themselves; 0: none."""

    def corners_px(
        self, resolution: tuple[int, int] | None, width_px: int, height_px: int
    ) -> Points:
        """The corners in a picture of this size; ``resolution`` is that of the camera's pixels."""
        whole = (resolution or (width_px, height_px)) if self.in_pixels else (1, 1)
        x_factor, y_factor = width_px / whole[0], height_px / whole[1]
        return tuple((x * x_factor, y * y_factor) for x, y in self.polygon)


class DecodeMode(StrEnum):
    """How a stream is decoded."""

    AUTO = "auto"
    """Key frames only if they come often enough for the cadence, else every frame."""
    FULL = "full"
    KEYFRAMES = "keyframes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """Where a camera looks."""

    latitude: float | None = None
    longitude: float | None = None
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Camera:
    """One video source and its zones."""

    camera_id: str
    name: str
    source: str = field(repr=False)
    """RTSP or HTTP URL, file, folder of images, or the index of a USB camera. May carry
    credentials: show it only through ``models.urls.redact_url``."""
    legal_basis: str
    """Why this camera may watch this place; required, see the administrator guide."""
    zones: tuple[Zone, ...]
    resolution: tuple[int, int] | None = None
    """(width, height) that pixel polygons refer to; ``None``: whatever the stream delivers."""
    look_interval_s: float = 1.0
    redetect_every_s: float = 0.0
    """While the picture does not change, the detector looks again after so long; 0: each time."""
    decode: DecodeMode = DecodeMode.AUTO
    rtsp_transport: str = "tcp"
    paced: bool = True
    """A file is read at the speed at which it was taken, as a camera would give it."""
    loop: bool = False
    """A file starts again when it ends."""
    location: Location = field(default_factory=Location)
    ground: GroundPlane | None = None
    """Where on the map the ground in its picture is; ``None``: it is not calibrated."""
    addresses: Addresses | None = None
    """Street addresses of what it sees; ``None``: there is no list."""
    closer_looks: bool = True
    """Small zones are also looked at by themselves; costs up to three more inferences a look."""
    faults: FaultSettings | None = None
    """Which faults of the camera itself are looked for; ``None``: none."""
    assets: tuple[Asset, ...] = ()
    """Things whose look is learnt and whose change is reported."""
    privacy: Privacy = field(default_factory=Privacy)
    evidence: EvidencePolicy = field(default_factory=EvidencePolicy)

    @property
    def run_zones(self) -> tuple[Zone, ...]:
        """Zones whose rules run: all but drafts."""
        return tuple(zone for zone in self.zones if zone.stage is not Stage.DRAFT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Department:
    """Who does the work."""

    department_id: str
    name: str
    name_zh: str = ""
