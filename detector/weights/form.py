"""What the registry says about weights: the values behind ``registry.yaml``.

The same form holds for the registry that is shipped and for the one in the user's data folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid")
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"


class WeightsFormat(StrEnum):
    """How a network is stored."""

    OPENVINO = "openvino"
    """An ``.xml`` graph with its ``.bin`` beside it."""
    ONNX = "onnx"
    PYTORCH = "pytorch"
    """An ultralytics ``.pt``. It is a pickle: loading it runs what is in it."""


class Status(StrEnum):
    """How far weights can be relied on."""

    RECOMMENDED = "recommended"
    TRIAL = "trial"
    RETIRED = "retired"
    YOURS = "yours"
    """Put there by this installation's operator; the project knows nothing about them."""


def _inside(path: str) -> str:
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or "\\" in path:
        raise ValueError("must be a path below the registry's folder")
    return path


RelativePath = Annotated[str, Field(min_length=1), AfterValidator(_inside)]
Confidence = Annotated[float, Field(gt=0, le=1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsFile:
    """One file and what it must be."""

    __pydantic_config__ = _STRICT

    path: RelativePath
    """Below the folder of its registry, with forward slashes."""
    sha256: Annotated[str, Field(pattern=SHA256_PATTERN)]
    url: str | None = None
    """Where ``model pull`` fetches it; ``None`` for files that come with the package."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsVariant:
    """The same network in one format. The first file is the one that is opened."""

    __pydantic_config__ = _STRICT

    format: WeightsFormat
    files: Annotated[tuple[WeightsFile, ...], Field(min_length=1)]
    precision: Literal["float32", "float16", "int8"] = "float32"
    """Of the stored numbers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightsEntry:
    """One network in the registry."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    description: str
    status: Status
    licence: str
    """SPDX identifier, or what its owner says."""
    variants: Annotated[tuple[WeightsVariant, ...], Field(min_length=1)]
    """The one to prefer on a CPU comes first."""
    labels: tuple[str, ...] = ()
    """Classes in the order of the network; empty: as the file says."""
    image_size_px: int | None = None
    """Longer side that the figures were measured at."""
    card: str = ""
    """Model card: path in the repository or a link."""
    source: str = ""
    """What it was trained from and on."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Measured values by name, such as ``map50.litter``; the card says on what."""
    thresholds: Mapping[str, Confidence] = field(default_factory=dict)
    """Operating threshold by class: the confidence from which it is worth a look."""
    experimental: tuple[str, ...] = ()
    """Classes without enough evidence on real images; rules refuse them unless told otherwise."""


def _classes_known(entry: WeightsEntry) -> WeightsEntry:
    """Per-class statements must be about classes of the network, each made once."""
    for name, classes in (("thresholds", entry.thresholds), ("experimental", entry.experimental)):
        unknown = [label for label in classes if entry.labels and label not in entry.labels]
        if unknown:
            raise ValueError(f"{name}: {', '.join(unknown)} not among the labels of {entry.name}")
    if len(set(entry.experimental)) < len(entry.experimental):
        raise ValueError(f"experimental: {entry.name} names a class twice")
    return entry


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryForm:
    """A registry file as it is written."""

    __pydantic_config__ = _STRICT

    version: Literal[1]
    weights: tuple[Annotated[WeightsEntry, AfterValidator(_classes_known)], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """An entry together with the folders that its files lie in."""

    entry: WeightsEntry
    folder: Path
    """Of the registry."""
    fetched_folder: Path
    """Of files with a URL: what is installed may be read-only."""
    shipped: bool
    """Whether it comes with the package, not from this installation's operator."""

    def path(self, file: WeightsFile) -> Path:
        """Where a file lies, or would."""
        return (self.fetched_folder if file.url else self.folder) / file.path


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedWeights:
    """Weights that can be loaded now."""

    name: str
    """Name in the registry, or the path as it was given."""
    path: Path
    """The file to open: ``.xml``, ``.onnx`` or ``.pt``, or what ultralytics loads."""
    format: WeightsFormat | None
    """``None``: a kind that only ultralytics knows."""
    labels: tuple[str, ...] = ()
    """Empty: as the file says."""
    image_size_px: int | None = None
    verified: bool = False
    """Whether the registry vouched for the content; a path that was given is taken as it is."""
