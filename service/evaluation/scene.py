"""The camera that a recording is judged as: from a city.yaml, or from a file of zones alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from models.city import City
from models.errors import ConfigError, Problem
from models.zone import Camera
from service.config import load_city
from service.config.convert import Surroundings
from service.config.document import Document, read_document
from service.config.loader import FactsOf, city_of

CAMERA_KEYS = ("zones", "resolution", "look_interval")
"""Keys of a zones file that a camera has too."""
_CAMERA_PREFIX = "cameras[0]."


def load_scene(
    path: Path, camera_id: str | None = None, facts_of: FactsOf | None = None
) -> tuple[Camera, City]:
    """A camera with its zones, and the city it is in (for its model).

    A zones file has ``zones`` as in a city.yaml and may have ``resolution``, ``look_interval``,
    ``timezone``, ``model`` and ``schedules``. ``facts_of`` as for a city.yaml. Raises
    :class:`ConfigError` with every problem.
    """
    document = read_document(path)
    data = document.data
    if isinstance(data, Mapping) and "zones" in data and "cameras" not in data:
        city = _city_of_zones(document, path, facts_of)
    else:
        city = load_city(path, facts_of=facts_of)
    return _chosen(city, camera_id, path), city


def _chosen(city: City, camera_id: str | None, path: Path) -> Camera:
    cameras = [c for c in city.cameras if camera_id is None or c.camera_id == camera_id]
    if len(cameras) == 1:
        return cameras[0]
    names = ", ".join(camera.camera_id for camera in city.cameras[:10])
    message = f"has the cameras {names}: choose one of them with --camera"
    raise ConfigError([Problem(file=str(path), line=1, where="cameras", message=message)])


def _city_of_zones(document: Document, path: Path, facts_of: FactsOf | None) -> City:
    wrapped = _wrapped(document)
    surroundings = Surroundings(folder=path.parent.resolve(), environ=os.environ)
    try:
        return city_of(wrapped, surroundings, facts_of)
    except ConfigError as error:
        raise ConfigError(sorted(map(_unwrapped, error.problems))) from None


def _wrapped(document: Document) -> Document:
    """The zones file as the city.yaml that it stands for; its own nodes keep their lines."""
    data = dict(document.data)
    nodes = {key.value: (key, value) for key, value in _pairs(document.root)}
    camera: dict[str, Any] = {
        "id": "recording",
        "name": Path(document.file).stem,
        "source": "recording",
        "legal_basis": "a recording",
        **{key: data.pop(key) for key in CAMERA_KEYS if key in data},
    }
    city = {"name": "recording", "timezone": data.pop("timezone", "UTC")}
    camera_node = _mapping([nodes[key] for key in CAMERA_KEYS if key in nodes])
    cameras_node = yaml.SequenceNode("tag:yaml.org,2002:seq", [camera_node])
    rest = [pair for key, pair in nodes.items() if key not in CAMERA_KEYS]
    root = _mapping([*rest, (_scalar("cameras"), cameras_node)])
    for node in (camera_node, cameras_node, root, root.value[-1][0]):
        node.start_mark, node.end_mark = document.root.start_mark, document.root.end_mark
    # Any other key stays where it was, so that a mistyped one is found.
    whole = {**data, "city": city, "cameras": [camera]}
    return Document(file=document.file, root=root, data=whole, problems=document.problems)


def _pairs(root: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(root.value) if isinstance(root, yaml.MappingNode) else []


def _mapping(pairs: list[tuple[yaml.Node, yaml.Node]]) -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs)


def _scalar(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text)


def _unwrapped(problem: Problem) -> Problem:
    return Problem(
        file=problem.file,
        line=problem.line,
        where=problem.where.removeprefix(_CAMERA_PREFIX),
        message=problem.message,
    )
