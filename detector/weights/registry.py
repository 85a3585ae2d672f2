"""Finds weights by name or path and makes sure that they are what they should be."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import yaml
from pydantic import TypeAdapter, ValidationError

from detector.weights.form import (
    Listed,
    RegistryForm,
    ResolvedWeights,
    WeightsEntry,
    WeightsFile,
    WeightsFormat,
    WeightsVariant,
)
from models.errors import WeightsError

BUNDLED_FOLDER = Path(__file__).resolve().parent
REGISTRY_NAME = "registry.yaml"
DATA_ENV = "STREETWARDEN_DATA_DIR"
"""Environment variable with the folder of this installation's data; weights lie below it."""
ANY_FORMAT = (WeightsFormat.OPENVINO, WeightsFormat.ONNX, WeightsFormat.PYTORCH)
FORMAT_OF_SUFFIX = {
    ".xml": WeightsFormat.OPENVINO,
    ".onnx": WeightsFormat.ONNX,
    ".pt": WeightsFormat.PYTORCH,
}
ULTRALYTICS_SUFFIXES = frozenset({".engine", ".torchscript"})
"""Other files that are clearly weights, for the ultralytics backend alone."""

_FORM = TypeAdapter(RegistryForm)


@dataclass(frozen=True, kw_only=True, slots=True)
class Registry:
    """All weights that are known by name, the shipped ones first."""

    listed: tuple[Listed, ...]

    def names(self) -> tuple[str, ...]:
        """Every name, in order."""
        return tuple(item.entry.name for item in self.listed)

    def find(self, name: str) -> Listed:
        """The weights of this name; :class:`WeightsError` if there are none."""
        for item in self.listed:
            if item.entry.name == name:
                return item
        known = ", ".join(self.names()) or "none"
        raise WeightsError(
            f"no weights named {name!r} (known: {known}); give one of these names or the path of"
            " a .pt, .onnx or OpenVINO model, or add it with `streetwarden model pull`"
        )


def weights_folder() -> Path:
    """Folder of the weights that this installation pulled; it may not exist yet."""
    named = os.environ.get(DATA_ENV)
    data = Path(named) if named else platformdirs.user_data_path("streetwarden")
    return data / "weights"


def load_registry(
    bundled_folder: Path = BUNDLED_FOLDER, user_folder: Path | None = None
) -> Registry:
    """Read the shipped registry and the user's one; a shipped name is never replaced."""
    own_folder = weights_folder() if user_folder is None else user_folder
    shipped = read_registry_file(bundled_folder / REGISTRY_NAME)
    own_path = own_folder / REGISTRY_NAME
    own = read_registry_file(own_path) if own_path.exists() else RegistryForm(version=1)
    taken = {entry.name for entry in shipped.weights}
    entries = [(entry, bundled_folder) for entry in shipped.weights]
    entries += [(entry, own_folder) for entry in own.weights if entry.name not in taken]
    listed = tuple(
        Listed(
            entry=entry,
            folder=folder,
            fetched_folder=own_folder,
            shipped=folder is bundled_folder,
        )
        for entry, folder in entries
    )
    return Registry(listed=listed)


def write_registry_file(path: Path, form: RegistryForm) -> None:
    """Write a registry file at once: a reader finds the old one or the new one."""
    content = _FORM.dump_python(form, mode="json", exclude_defaults=True)
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    fresh = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise WeightsError(f"the weights registry {path} cannot be written: {error}") from error


def read_registry_file(path: Path) -> RegistryForm:
    """Read one registry file; :class:`WeightsError` if it is not of the form."""
    try:
        form = _FORM.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WeightsError(f"the weights registry {path} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WeightsError(f"the weights registry {path}: {where}: {first['msg']}") from error
    names = [entry.name for entry in form.weights]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise WeightsError(f"the weights registry {path} lists {', '.join(repeated)} twice")
    return form


def resolve(
    weights: str,
    formats: Sequence[WeightsFormat] = ANY_FORMAT,
    registry: Registry | None = None,
) -> ResolvedWeights:
    """Find weights by registry name or by path; those of the registry are verified.

    ``formats`` are those that the caller can use, the best first. Raises :class:`WeightsError`
    for an unknown name, a missing file, an altered file, or a format that is not among them.
    """
    known = load_registry() if registry is None else registry
    if weights in known.names() or not _looks_like_path(weights):
        return _resolve_listed(known.find(weights), formats)
    return _resolve_path(weights, formats)


def verify(listed: Listed, variant: WeightsVariant) -> None:
    """Check that each file of a variant is there and unaltered."""
    for file in variant.files:
        _verify_file(listed.entry, file, listed.path(file))


def sha256_of(path: Path) -> str:
    """Hash of a file as the registry writes it."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error


def find_variant(entry: WeightsEntry, formats: Sequence[WeightsFormat]) -> WeightsVariant:
    """The variant in the best of these formats; :class:`WeightsError` if there is none."""
    for wanted in formats:
        for variant in entry.variants:
            if variant.format == wanted:
                return variant
    offered = ", ".join(variant.format for variant in entry.variants)
    raise WeightsError(
        f"{entry.name} comes as {offered}, but {' or '.join(formats)} is needed here;"
        " choose another model.backend, or make the format with `streetwarden model export`"
    )


def _verify_file(entry: WeightsEntry, file: WeightsFile, path: Path) -> None:
    if not path.is_file():
        advice = (
            f"fetch it with `streetwarden model pull {entry.name}`"
            if file.url
            else "install Streetwarden again, or pull the weights again"
        )
        raise WeightsError(f"{path} of {entry.name} is missing: {advice}")
    found = sha256_of(path)
    if found != file.sha256:
        raise WeightsError(
            f"{path} of {entry.name} is not what the registry lists: its sha256 is {found},"
            f" {file.sha256} is expected. It is damaged or was replaced: delete it and"
            f" install or pull {entry.name} again, or give the path of your own weights instead"
        )


def _resolve_listed(listed: Listed, formats: Sequence[WeightsFormat]) -> ResolvedWeights:
    variant = find_variant(listed.entry, formats)
    verify(listed, variant)
    return ResolvedWeights(
        name=listed.entry.name,
        path=listed.path(variant.files[0]),
        format=variant.format,
        labels=listed.entry.labels,
        image_size_px=listed.entry.image_size_px,
        verified=True,
    )


def _looks_like_path(weights: str) -> bool:
    path = Path(weights)
    known = path.suffix in FORMAT_OF_SUFFIX or path.suffix in ULTRALYTICS_SUFFIXES
    return known or len(path.parts) > 1 or path.exists()


def _resolve_path(weights: str, formats: Sequence[WeightsFormat]) -> ResolvedWeights:
    path = Path(weights).expanduser()
    if not path.exists():
        raise WeightsError(f"there are no weights at {path} (looked in {Path.cwd()})")
    path = graph_in(path) if path.is_dir() else path
    found = FORMAT_OF_SUFFIX.get(path.suffix)
    if found is None and path.suffix not in ULTRALYTICS_SUFFIXES:
        raise WeightsError(
            f"{path} is not a model that can be loaded: a .pt, .onnx or .xml (OpenVINO) file, or"
            " the folder of an OpenVINO model, is needed"
        )
    if found is not None and found not in formats:
        raise WeightsError(
            f"{path} is a {found} model, but {' or '.join(formats)} is needed here;"
            " choose another model.backend, or convert it with `streetwarden model export`"
        )
    if found is WeightsFormat.OPENVINO and not path.with_suffix(".bin").is_file():
        raise WeightsError(f"{path} has no {path.with_suffix('.bin').name} beside it")
    return ResolvedWeights(name=weights, path=path, format=found)


def graph_in(folder: Path) -> Path:
    """The one ``.xml`` in the folder of an OpenVINO model."""
    graphs = sorted(folder.glob("*.xml"))
    if len(graphs) != 1:
        raise WeightsError(
            f"{folder} holds {len(graphs)} .xml files; the folder of an OpenVINO model has one"
        )
    return graphs[0]
