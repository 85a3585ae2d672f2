"""The files beside a harvest's pictures: sources, data YAML, manifest."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from detector.training.judged import Judged

DIGEST_FILE = "digest.txt"
MANIFEST_FILE = "manifest.jsonl"
SOURCES_FILE = "sources.yaml"
ORIGIN = "work orders that people judged"
LICENCE = "own pictures of the operator"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A harvest's name, and the hash of what is in it."""

    name: str
    digest: str

    def is_in(self, folder: Path) -> bool:
        """Whether a folder holds just this harvest."""
        path = folder / DIGEST_FILE
        return path.is_file() and path.read_text(encoding="utf-8").strip() == self.digest


@dataclass(kw_only=True, slots=True)
class Sets:
    """The sets of a harvest while it is written: one of each class and verdict."""

    version: str
    label_ids: tuple[str, ...]
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What ``sources.yaml`` says of each set."""
    images: Counter[str] = field(default_factory=Counter)
    lines: list[Mapping[str, Any]] = field(default_factory=list)

    def confirmed(self, label: str) -> str:
        """Name of the set of confirmed objects; it has one more picture now."""
        name = f"harvest_{self.version}_confirmed"
        known = self.fields.setdefault(name, {"labels": [], "positives": []})
        if label not in known["positives"]:
            known["positives"] = sorted((*known["positives"], label))
        self.images[name] += 1
        return name

    def rejected(self, label: str) -> str:
        """Name of the set of a class's false alarms; it has one more picture now."""
        name = f"harvest_{self.version}_rejected_{label}"
        self.fields.setdefault(name, {"labels": [], "absent": [label]})
        self.images[name] += 1
        return name

    def note(self, order: Judged, images: Sequence[str]) -> None:
        """Remember for the manifest what an order became."""
        self.lines.append(
            {
                "order_id": order.order_id,
                "number": order.number,
                "verdict": order.verdict,
                "judged_at": order.judged_at and order.judged_at.isoformat(),
                "judged_by": order.judged_by,
                "camera_id": order.camera_id,
                "label": order.label,
                "box_ratios": [round(value, 6) for value in order.place.xyxy],
                "model": order.model,
                "config_version": order.config_version,
                "picture_sha256": order.picture_sha256,
                "images": list(images),
            }
        )


def write_tables(folder: Path, sets: Sets, version: Version) -> None:
    """Write everything but the pictures; the digest, which makes it whole, last."""
    _write_sources(folder, sets)
    _write_data(folder, sets)
    lines = (json.dumps(line, ensure_ascii=False) for line in sets.lines)
    text = "".join(f"{line}\n" for line in lines)
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")
    (folder / DIGEST_FILE).write_text(f"{version.digest}\n", encoding="utf-8")


def _write_sources(folder: Path, sets: Sets) -> None:
    common = {"origin": ORIGIN, "licence": LICENCE, "licence_stated": True, "role": "train"}
    # By the root of their size: many verdicts count for more, but drown no other class.
    described = {
        name: {**common, **fields, "weight": round(math.sqrt(sets.images[name]), 2)}
        for name, fields in sorted(sets.fields.items())
    }
    document = {"label_ids": list(sets.label_ids), "sets": described}
    _dump(folder / SOURCES_FILE, document)


def _write_data(folder: Path, sets: Sets) -> None:
    listed = [f"{name}/images" for name in sorted(sets.fields)]
    judged = {label for fields in sets.fields.values() for label in _labels(fields)}
    document = {
        "path": ".",
        "train": listed,
        "val": listed,
        "names": dict(enumerate(sets.label_ids)),
        "score": [label for label in sets.label_ids if label in judged],
    }
    _dump(folder / "data.yaml", document)


def _labels(fields: Mapping[str, Any]) -> Sequence[str]:
    return [*fields.get("positives", ()), *fields.get("absent", ())]


def _dump(path: Path, document: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")
