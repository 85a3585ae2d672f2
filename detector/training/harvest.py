"""Turns judged orders into a YOLO data set: positives, and regions of false alarms as negatives.

In a picture that people judged only one object is known, so none is labelled throughout. What was
confirmed gives boxes of a set that has ``positives`` only. What was rejected gives pictures of what
is around it alone, in which its class is absent; whatever of that class may really be there is
painted over.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path

from detector.evidence import encode_jpeg
from detector.training.cutting import Cutting, alone, around, painted, read_picture, whole
from detector.training.harvest_tables import Sets, Version, write_tables
from detector.training.judged import (
    Judged,
    Verdict,
    false_places,
    perhaps_real,
    why_unusable,
)
from detector.training.sources import load_sources
from models.errors import ConflictError, SetupError
from models.geometry import Box

FORMAT = 1
"""Counted up when the same orders give other files."""
SHIPPED_TABLE = Path(__file__).parent / "sources.yaml"
VEHICLES = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
"""Numbered after the classes of the shipped table, which learns them from its teacher."""
VERSION_CHARACTERS = 8
QUALITY = 95
CONFIRMED_CONTEXT = 3.0
REJECTED_CONTEXT = 2.5
"""A cutting is so many times as long and as high as the box in its middle."""
PAINTED_MARGIN_RATIO = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Harvest:
    """What was written, or was there already."""

    folder: Path
    version: str
    is_new: bool
    images: int
    confirmed: int
    """Orders, as the other counts."""
    false_alarms: int
    unused: Mapping[str, int]
    """Orders that were judged but teach nothing, by reason."""


def class_numbers() -> tuple[str, ...]:
    """Class names in the order of their numbers in label files."""
    listed = load_sources(SHIPPED_TABLE).label_ids
    return (*listed, *(name for name in VEHICLES if name not in listed))


def harvest(orders: Iterable[Judged], output: Path, name: str | None = None) -> Harvest:
    """Write the data set of all orders that were judged to ``output/VERSION``.

    The version follows from the orders: the same ones give the same version, which is written once.
    ``name`` is used instead; raises :class:`ConflictError` if it has other content already, and
    :class:`SetupError` if nothing was judged that can be learnt from.
    """
    everything = tuple(sorted(orders, key=lambda order: order.number))
    label_ids = class_numbers()
    reasons = {
        order.order_id: why_unusable(order, everything, label_ids)
        for order in everything
        if order.verdict is not Verdict.UNCLEAR
    }
    used = tuple(order for order in everything if reasons.get(order.order_id, "unclear") is None)
    unused = Counter(reason for reason in reasons.values() if reason is not None)
    if not used:
        told = "; ".join(f"{count}: {reason}" for reason, count in unused.items())
        raise SetupError(f"no judged order to learn from{told and f' ({told})'}")
    version = _version(used, everything, name)
    is_new = _place(version, output, used, everything, label_ids)
    counts = Counter(order.verdict for order in used)
    folder = output / version.name
    return Harvest(
        folder=folder,
        version=version.name,
        is_new=is_new,
        images=len(list(folder.glob("*/images/*"))),
        confirmed=counts[Verdict.CONFIRMED],
        false_alarms=counts[Verdict.FALSE_ALARM],
        unused=dict(unused),
    )


def _version(used: Sequence[Judged], everything: tuple[Judged, ...], name: str | None) -> Version:
    """By all that decides about the pictures; who judged, and when, is not among it."""
    said = [
        (o.order_id, o.verdict, o.label, o.place.xyxy, o.picture_sha256, _covers(o, everything))
        for o in used
    ]
    digest = hashlib.sha256(json.dumps([FORMAT, said]).encode()).hexdigest()
    days = [order.judged_at.astimezone(UTC).date() for order in used if order.judged_at]
    day = f"{max(days).isoformat()}-" if days else ""
    return Version(name=name or f"{day}{digest[:VERSION_CHARACTERS]}", digest=digest)


def _covers(order: Judged, everything: tuple[Judged, ...]) -> list[tuple[float, ...]]:
    return [box.xyxy for box in _hidden(order, everything)]


def _hidden(order: Judged, everything: tuple[Judged, ...]) -> tuple[Box, ...]:
    """What must not be seen in an order's pictures, as far as it does not hide the order itself."""
    wrong = order.verdict is Verdict.FALSE_ALARM
    boxes = (perhaps_real if wrong else false_places)(order, everything)
    grown = (box.grown(PAINTED_MARGIN_RATIO) for box in boxes)
    return tuple(box for box in grown if box.intersection(order.place) == 0)


def _place(
    version: Version,
    output: Path,
    used: Sequence[Judged],
    everything: tuple[Judged, ...],
    label_ids: tuple[str, ...],
) -> bool:
    """Write the folder of a version as a whole; False if it is there already."""
    target = output / version.name
    if target.exists():
        if version.is_in(target):
            return False
        raise ConflictError(f"{target} is there with other content: choose another name")
    output.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=output, prefix=".part-"))
    try:
        sets = Sets(version=version.name, label_ids=label_ids)
        for order in used:
            images = [_write(part, sets, cut) for cut in _cuttings(order, everything)]
            sets.note(order, images)
        write_tables(part, sets, version)
        part.chmod(0o755)
        part.rename(target)
    except BaseException:
        shutil.rmtree(part)
        raise
    return True


def _cuttings(order: Judged, everything: tuple[Judged, ...]) -> Iterator[tuple[Judged, Cutting]]:
    """Pictures of an order: one as large as in service, and one enlarged, as in closer looks."""
    if order.picture is None:
        raise SetupError(f"order {order.number} has no clean picture")
    picture = painted(read_picture(order.picture), _hidden(order, everything))
    if order.verdict is Verdict.FALSE_ALARM:
        # Elsewhere in the picture there may be true objects of its class.
        yield order, alone(picture, order.place, REJECTED_CONTEXT, "wide")
        yield order, around(picture, order.place, REJECTED_CONTEXT, "crop")
        return
    yield order, whole(picture, order.place, "wide")
    yield order, around(picture, order.place, CONFIRMED_CONTEXT, "crop")


def _write(part: Path, sets: Sets, pair: tuple[Judged, Cutting]) -> str:
    order, cutting = pair
    rejected = order.verdict is Verdict.FALSE_ALARM
    name = sets.rejected(order.label) if rejected else sets.confirmed(order.label)
    stem = f"{order.number:08d}-{order.order_id[:8]}-{cutting.name}"
    for kind in ("images", "labels"):
        (part / name / kind).mkdir(parents=True, exist_ok=True)
    image = part / name / "images" / f"{stem}.jpg"
    image.write_bytes(encode_jpeg(cutting.image, QUALITY))
    lines = "" if rejected else f"{sets.label_ids.index(order.label)} {cutting.label_line}\n"
    (part / name / "labels" / f"{stem}.txt").write_text(lines, encoding="utf-8")
    return str(image.relative_to(part))
