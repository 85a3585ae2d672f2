"""All that one daemon is told: the validated form of a ``city.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.evidence import Retention
from models.zone import Camera, Department, Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """Which network looks, and how."""

    weights: str = "street-n"
    """Name in the registry, or path of a ``.pt``, ``.onnx`` or OpenVINO model."""
    backend: str = "auto"
    """``openvino``, ``ultralytics``, or ``auto``: whichever the weights are for."""
    device: str = "cpu"
    """``cpu``, ``cuda``, ``cuda:1``, or a device name of OpenVINO."""
    image_size_px: int = 640
    """Longer side of what the network sees, a multiple of 32."""
    min_confidence: float = 0.2
    """Boxes below it are not even tracked; rules have their own, higher limits."""
    class_map: Mapping[str, str] = field(default_factory=dict)
    """Renames classes of foreign weights to labels that rules know; empty: keep names."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """The city's own operating thresholds by label, before those of the weights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """What is known of the network that will look; labels are those after ``class_map``."""

    name: str
    """As the configuration names it."""
    labels: tuple[str, ...] = ()
    """Every label it can give; empty: known only once it is loaded."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Operating threshold by label, where the registry states one."""
    experimental: frozenset[str] = frozenset()
    """Labels with too little evidence on real pictures."""
    card: str = ""
    """Where its figures are; empty: nowhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DispatchTarget:
    """Where work orders go."""

    url: str = "http://127.0.0.1:8080"
    api_key_env: str = "STREETWARDEN_API_KEY"
    """Environment variable that holds the key; the key itself is never in the YAML."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SingleSignOn:
    """An OpenID Connect provider, and what its claims give."""

    issuer: str
    client_id: str
    roles: Mapping[str, str]
    """Value of the claim → role."""
    role_claim: str = "roles"
    department_claim: str | None = None
    """``None``: everybody sees the whole city."""
    secret_env: str = "STREETWARDEN_OIDC_SECRET"  # noqa: S105 - a name
    """Environment variable of the client's secret; a public client has none."""
    label: str = "Single sign-on"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingChoice:
    """How long the daemon keeps what rules were fed: boxes and classes, never pictures."""

    enabled: bool = True
    keep_days: int = 14
    """Days by UTC, today included."""
    max_mb_per_camera: float = 200.0
    """Million bytes; the oldest days go first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A department, and where and when it is responsible; empty conditions always hold."""

    department_id: str
    camera_ids: tuple[str, ...] = ()
    zone_ids: tuple[str, ...] = ()
    schedule: Schedule | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class City:
    """Cameras with their zones and rules, departments, and who is responsible for what."""

    name: str
    timezone: str
    """IANA name; the default of schedules and of the times that people are shown."""
    cameras: tuple[Camera, ...]
    departments: tuple[Department, ...]
    routing: Mapping[str, str | tuple[Route, ...]] = field(default_factory=dict)
    """Category key → department id, or routes of which the first that holds counts; a rule's own
    department comes first, ``default`` last."""
    model: ModelChoice = field(default_factory=ModelChoice)
    dispatch: DispatchTarget = field(default_factory=DispatchTarget)
    recording: RecordingChoice = field(default_factory=RecordingChoice)
    single_sign_on: SingleSignOn | None = None
    """Where people may sign in besides here."""
    traces_to: str | None = None
    """OTLP/HTTP endpoint that traces are sent to; ``None``: there are none."""
    retention: Retention = field(default_factory=Retention)
    address_file: Path | None = field(default=None, compare=False)
    """Where the street addresses of its cameras came from."""
    file_sha256: str = field(default="", compare=False)
    """Hash of the YAML file, which manifests of evidence name; empty where there was no file."""
    name_zh: str = ""
