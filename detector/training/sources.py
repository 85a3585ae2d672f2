"""Where training images come from, and what their labels say: the table ``sources.yaml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from models.errors import ConfigError, Problem

Role = Literal["train", "validation", "split"]
SEPARATOR = "__"
"""Between source and stem in the name of an assembled image."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One set of images, or one clip, and what its labels say."""

    name: str
    role: Role
    labels: tuple[str, ...]
    """Classes that are labelled throughout."""
    absent: tuple[str, ...]
    """Classes that were looked for and are nowhere in it."""
    positives: tuple[str, ...] = ()
    """Classes with boxes to learn from, though other objects of them may be unmarked."""
    group: str = ""
    weight: float = 1.0
    licence: str = ""
    licence_stated: bool = False
    clip: str = ""
    """File name, if it is a clip."""
    generated: bool = False
    """Rendered or pasted by us, not photographed."""
    folder: Path | None = None
    """Where its set lies, if not below the run's folder of images."""

    @property
    def known(self) -> tuple[str, ...]:
        """Classes for which a place without a box is a negative."""
        return (*self.labels, *self.absent)


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceTable:
    """All sources of a run."""

    label_ids: tuple[str, ...]
    """Class names in the order of the numbers in the sets' label files."""
    sources: Mapping[str, Source]

    def known_mask(self, classes: Sequence[str]) -> dict[str, np.ndarray]:
        """For each source and class: is a place without a box a negative there."""
        return {
            name: np.array([c in source.known for c in classes])
            for name, source in self.sources.items()
        }


def source_of(image: str | Path) -> str:
    """Name of the source that an assembled image came from."""
    return Path(image).name.split(SEPARATOR, 1)[0]


def load_sources(
    path: Path,
    *,
    licensed_only: bool = False,
    generated: bool = True,
    held_out: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> SourceTable:
    """Read the table of sources.

    ``licensed_only`` leaves out those without a stated licence; without ``generated`` those that
    were rendered or pasted are; ``held_out`` names sources to validate on as a whole and
    ``left_out`` those to ignore.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        sets = [_image_source(name, fields) for name, fields in document["sets"].items()]
        clips = document.get("clips") or {}
        share = float(document.get("clip_weight", 1.0)) / max(1, len(clips))
        sets += [_clip_source(name, fields, share) for name, fields in clips.items()]
        label_ids = tuple(document["label_ids"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        problem = Problem(file=str(path), line=1, where="", message=f"no table of sources: {error}")
        raise ConfigError([problem]) from error
    unknown = {*held_out, *left_out} - {s.name for s in sets}
    if unknown:
        message = f"held_out or left_out name no source: {', '.join(sorted(unknown))}"
        raise ConfigError([Problem(file=str(path), line=1, where="", message=message)])
    kept = {
        s.name: replace(s, role="validation") if s.name in held_out else s
        for s in sets
        if (s.licence_stated or not licensed_only)
        and (generated or not s.generated)
        and s.name not in left_out
    }
    return SourceTable(label_ids=label_ids, sources=kept)


def with_extra(table: SourceTable, paths: Sequence[Path]) -> SourceTable:
    """The table and those of ``paths``, whose sets lie beside their files.

    All must number classes alike, as far as they go; a set of the same name is a mistake.
    """
    sources, label_ids = dict(table.sources), table.label_ids
    for path in paths:
        extra = load_sources(path)
        shorter, longer = sorted((label_ids, extra.label_ids), key=len)
        twice = sources.keys() & extra.sources.keys()
        if longer[: len(shorter)] != shorter or twice:
            names = ", ".join(sorted(twice))
            message = (
                f"sets given twice: {names}" if twice else "label_ids differ from other tables"
            )
            raise ConfigError([Problem(file=str(path), line=1, where="", message=message)])
        label_ids = longer
        sources |= {s.name: replace(s, folder=path.parent) for s in extra.sources.values()}
    return SourceTable(label_ids=label_ids, sources=sources)


def _image_source(name: str, fields: Mapping[str, Any]) -> Source:
    return Source(
        name=name,
        role=fields["role"],
        labels=tuple(fields["labels"]),
        absent=tuple(fields.get("absent", ())),
        positives=tuple(fields.get("positives", ())),
        group=fields.get("group", ""),
        weight=float(fields.get("weight", 1.0)),
        licence=fields["licence"],
        licence_stated=bool(fields["licence_stated"]),
        generated=bool(fields.get("generated", False)),
    )


def _clip_source(name: str, fields: Mapping[str, Any], weight: float) -> Source:
    return Source(
        name="clip_" + Path(name).stem.replace(SEPARATOR, "_"),
        role=fields["role"],
        labels=(),
        absent=tuple(fields.get("absent", ())),
        weight=weight,
        licence=fields["licence"],
        licence_stated=bool(fields["licence_stated"]),
        clip=name,
    )
