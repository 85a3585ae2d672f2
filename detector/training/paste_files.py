"""A pasted set on disk: pictures, labels, and the manifest that traces every object."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import cv2

from detector.training.data import Sample
from detector.training.paste_compose import Pasted

QUALITY = 90
"""Of the pictures' WebP, which smooths pasted and real pixels alike."""
MANIFEST_FILE = "manifest.jsonl"


def make_folders(folder: Path) -> None:
    """The folders of a set; training wants them even where the set stays empty."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def stem_of(index: int) -> str:
    """Name of a set's picture without its suffix."""
    return f"{index:05d}"


def write_picture(
    folder: Path,
    stem: str,
    sample: Sample,
    pasted: Pasted,
    label_ids: Sequence[str],
    stated: Collection[str],
) -> None:
    """Write picture, label and manifest line; of the background's boxes those of ``stated``.

    The manifest comes last: only what is in it counts as done.
    """
    height, width = pasted.picture.shape[:2]
    boxes = [box for box in sample.boxes if label_ids[box[0]] in stated]
    boxes += [item.label_line(label_ids, width, height) for item in pasted.items]
    text = "".join(f"{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for c, x, y, w, h in boxes)
    (folder / "labels" / f"{stem}.txt").write_text(text, encoding="utf-8")
    target = folder / "images" / f"{stem}.webp"
    cv2.imwrite(str(target), pasted.picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    entry = {
        "image": target.name,
        "background": {"source": sample.source, "image": sample.image.name},
        "objects": [item.trace() for item in pasted.items],
    }
    with (folder / MANIFEST_FILE).open("a", encoding="utf-8") as manifest:
        manifest.write(json.dumps(entry) + "\n")


def read_manifest(folder: Path) -> list[dict[str, Any]]:
    """Entries of a set's manifest whose pictures are there.

    Others, and a last line that a stop cut off, are taken out of the file.
    """
    path = folder / MANIFEST_FILE
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    lines = text[: text.rfind("\n") + 1].splitlines()
    entries = [json.loads(line) for line in lines]
    entries = [entry for entry in entries if (folder / "images" / entry["image"]).exists()]
    whole = "".join(json.dumps(entry) + "\n" for entry in entries)
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return entries


def stems_done(folder: Path) -> set[str]:
    """Pictures of a set that need not be made again."""
    return {Path(entry["image"]).stem for entry in read_manifest(folder)}
