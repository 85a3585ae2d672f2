"""What an exported network says about itself: the task and the names of its classes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from models.errors import WeightsError

METADATA_NAME = "metadata.yaml"
"""Ultralytics puts it beside an OpenVINO graph."""
ONNX_SECTION = "framework"
"""Where OpenVINO keeps the metadata of an ONNX file."""
MODEL_API_LABELS = ["model_info", "labels"]
"""Names as Intel's Model API writes them: one word each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphMetadata:
    """What is known without running the network; empty where it says nothing."""

    names: tuple[str, ...] = ()
    task: str = ""


def read_metadata(network: Any, path: Path) -> GraphMetadata:
    """Metadata beside the graph, in it, or nothing; :class:`WeightsError` if it is broken."""
    beside = path.parent / METADATA_NAME
    if path.suffix == ".xml" and beside.is_file():
        return _from_mapping(_load(beside), str(beside))
    if network.has_rt_info([ONNX_SECTION, "names"]):
        section = {
            key: network.get_rt_info([ONNX_SECTION, key]).astype(str)
            for key in ("names", "task")
            if network.has_rt_info([ONNX_SECTION, key])
        }
        return _from_mapping(section, str(path))
    if network.has_rt_info(MODEL_API_LABELS):
        words = network.get_rt_info(MODEL_API_LABELS).astype(str)
        return GraphMetadata(names=tuple(words.split()))
    return GraphMetadata()


def names_of(value: object) -> tuple[str, ...]:
    """Names in the order of the classes, from ``{0: name}``, a list, or either written as text."""
    if isinstance(value, str):
        value = ast.literal_eval(value)
    if isinstance(value, Mapping):
        value = [value[index] for index in range(len(value))]
    if not isinstance(value, list):
        raise TypeError("names must be a list or a mapping from 0")
    return tuple(str(name) for name in value)


def _load(path: Path) -> Mapping[str, object]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WeightsError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} is not a mapping with `names:`")
    return content


def _from_mapping(content: Mapping[str, object], where: str) -> GraphMetadata:
    try:
        names = names_of(content.get("names", []))
    except (ValueError, SyntaxError, TypeError, KeyError) as error:
        raise WeightsError(f"{where}: the names of the classes cannot be read: {error}") from error
    return GraphMetadata(names=names, task=str(content.get("task") or ""))
