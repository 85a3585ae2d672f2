"""Adds weights to this installation: listed ones from their URL, others from a file or a URL."""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from detector.weights.fetch import FetchOrder, Progress, fetch, is_url
from detector.weights.form import (
    NAME_PATTERN,
    SHA256_PATTERN,
    Listed,
    RegistryForm,
    Status,
    WeightsEntry,
    WeightsFile,
    WeightsFormat,
    WeightsVariant,
)
from detector.weights.registry import (
    BUNDLED_FOLDER,
    FORMAT_OF_SUFFIX,
    REGISTRY_NAME,
    graph_in,
    load_registry,
    read_registry_file,
    verify,
    weights_folder,
    write_registry_file,
)
from models.errors import WeightsError
from models.urls import redact_url

METADATA_NAME = "metadata.yaml"
UNKNOWN_LICENCE = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class PullOrder:
    """Which weights to add, and from where."""

    name: str
    source: str | None = None
    """File, folder of an OpenVINO model, or URL; ``None``: as the registry lists."""
    sha256: str | None = None
    """Of the file; required for a URL that the registry does not list."""
    licence: str = UNKNOWN_LICENCE
    replace: bool = False
    """Whether weights of this name that were pulled before may be replaced."""


def pull(
    order: PullOrder,
    progress: Progress = lambda _there, _total: None,
    *,
    bundled_folder: Path = BUNDLED_FOLDER,
    user_folder: Path | None = None,
) -> Listed:
    """Bring weights into the user's data folder, verified; raises :class:`WeightsError`."""
    folder = weights_folder() if user_folder is None else user_folder
    _check(order)
    with _exclusive(folder):
        registry = load_registry(bundled_folder, folder)
        if order.name not in registry.names():
            _add(order, folder, progress)
        elif order.source is None or registry.find(order.name).shipped:
            _complete(registry.find(order.name), order, progress)
        else:
            _replace(order, folder, progress)
        listed = load_registry(bundled_folder, folder).find(order.name)
    for variant in listed.entry.variants:
        verify(listed, variant)
    return listed


def _check(order: PullOrder) -> None:
    if not re.fullmatch(NAME_PATTERN, order.name):
        raise WeightsError(
            f"{order.name!r} cannot be a name: use lower-case letters, digits, '.', '_' and '-'"
        )
    if order.sha256 is not None and not re.fullmatch(SHA256_PATTERN, order.sha256):
        raise WeightsError("--sha256 must be 64 hexadecimal digits in lower case")


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """One pull at a time: each rewrites the user's registry."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _complete(listed: Listed, order: PullOrder, progress: Progress) -> None:
    """Bring the files of a listed entry that are fetched from somewhere."""
    fetched = [f for variant in listed.entry.variants for f in variant.files if f.url]
    if order.source is not None and not fetched:
        raise WeightsError(
            f"{order.name} comes with Streetwarden and cannot be replaced: choose another name"
        )
    for file in fetched:
        source = _source_of(file, order.source)
        target = listed.path(file)
        fetch(FetchOrder(source=source, target=target, sha256=file.sha256, progress=progress))


def _source_of(file: WeightsFile, source: str | None) -> str:
    if source is None:
        return file.url or ""
    if not is_url(source) and Path(source).is_dir():
        return str(Path(source) / PurePosixPath(file.path).name)
    return source


def _replace(order: PullOrder, folder: Path, progress: Progress) -> None:
    if not order.replace:
        raise WeightsError(
            f"there are weights named {order.name} already: choose another name, or give"
            " --replace (daemons that run keep the old ones until they are restarted)"
        )
    _add(order, folder, progress)


def _add(order: PullOrder, folder: Path, progress: Progress) -> None:
    """Bring weights that no registry lists, and list them."""
    if order.source is None:
        raise WeightsError(
            f"no weights named {order.name!r} are listed: say where they are with"
            " --from FILE, FOLDER or URL"
        )
    if is_url(order.source) and order.sha256 is None:
        raise WeightsError(
            "weights from a URL need --sha256 from their publisher: what is fetched is run here"
        )
    sources = _sources(order.source)
    files = []
    for index, source in enumerate(sources):
        path = f"{order.name}/{_stored_name(order.name, source)}"
        expected = order.sha256 if index == 0 else None
        found = fetch(
            FetchOrder(source=source, target=folder / path, sha256=expected, progress=progress)
        )
        files.append(WeightsFile(path=path, sha256=found, url=_public_url(source)))
    _list(_entry(order, tuple(files)), folder)


def _public_url(source: str) -> str | None:
    """The URL to fetch it from again; one with credentials is not kept."""
    return source if is_url(source) and redact_url(source) == source else None


def _sources(source: str) -> list[str]:
    """All files that belong to a source, the one to open first."""
    if is_url(source):
        if _format(source) is WeightsFormat.OPENVINO:
            raise WeightsError(
                "an OpenVINO model is several files: fetch its folder and give --from FOLDER"
            )
        return [source]
    path = Path(source).expanduser()
    if not path.exists():
        raise WeightsError(f"there is nothing at {path}")
    path = graph_in(path) if path.is_dir() else path
    if _format(path.name) is not WeightsFormat.OPENVINO:
        return [str(path)]
    beside = [path.with_suffix(".bin"), path.parent / METADATA_NAME]
    if not beside[0].is_file():
        raise WeightsError(f"{path} has no {beside[0].name} beside it")
    return [str(path), *(str(other) for other in beside if other.is_file())]


def _file_name(source: str) -> str:
    return PurePosixPath(urlsplit(source).path).name if is_url(source) else Path(source).name


def _stored_name(name: str, source: str) -> str:
    """Safe whatever the source is called; a graph and its numbers share their stem."""
    original = _file_name(source)
    return original if original == METADATA_NAME else name + PurePosixPath(original).suffix


def _format(source: str) -> WeightsFormat:
    suffix = PurePosixPath(_file_name(source)).suffix
    if suffix not in FORMAT_OF_SUFFIX:
        raise WeightsError(
            f"{redact_url(source)} does not end in .pt, .onnx or .xml: not known how to load it"
        )
    return FORMAT_OF_SUFFIX[suffix]


def _entry(order: PullOrder, files: tuple[WeightsFile, ...]) -> WeightsEntry:
    return WeightsEntry(
        name=order.name,
        description="added on this machine",
        status=Status.YOURS,
        licence=order.licence,
        source=redact_url(order.source or ""),
        variants=(WeightsVariant(format=_format(files[0].path), files=files),),
    )


def _list(entry: WeightsEntry, folder: Path) -> None:
    path = folder / REGISTRY_NAME
    form = read_registry_file(path) if path.exists() else RegistryForm(version=1)
    others = tuple(other for other in form.weights if other.name != entry.name)
    write_registry_file(path, replace(form, weights=(*others, entry)))
