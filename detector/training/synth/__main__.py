"""``python -m detector.training.synth``: renders pictures and their labels into a folder."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from detector.training.synth.labels import label_text
from detector.training.synth.layout import TEST_SET, TRAIN_SET, sample_scene

if TYPE_CHECKING:
    from detector.training.synth.blender.picture import Rendered

_QUALITY = 82
"""Of the WebP files."""


def main() -> None:
    """Parse the command line and render what is not there yet."""
    parser = argparse.ArgumentParser(prog="python -m detector.training.synth", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--count", type=int, required=True, help="how many pictures")
    parser.add_argument("--seed", type=int, default=0, help="of the first picture; counts up")
    parser.add_argument("--set", choices=(TRAIN_SET, TEST_SET), default=TRAIN_SET, dest="set_name")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    render_all(
        args.out / args.set_name,
        range(args.seed, args.seed + args.count),
        set_name=args.set_name,
        threads=args.threads,
    )


def render_all(folder: Path, seeds: range, *, set_name: str, threads: int = 1) -> None:
    """Render a picture for each seed; one whose files are there is not rendered again."""
    wanted = [seed for seed in seeds if not all(p.exists() for p in paths(folder, seed))]
    if not wanted:
        return
    from detector.training.synth.blender.picture import Studio

    studio = Studio(threads=threads)
    for seed in wanted:
        began_s = time.monotonic()
        rendered = studio.render(sample_scene(seed, set_name))
        save(folder, seed, rendered)
        took_s = time.monotonic() - began_s
        sys.stderr.write(f"{set_name} {seed}: {took_s:.1f} s, {' '.join(rendered.kinds) or '-'}\n")


def paths(folder: Path, seed: int) -> tuple[Path, Path]:
    """Where the picture and its labels are."""
    name = f"synth_{seed:06d}"
    return folder / "images" / f"{name}.webp", folder / "labels" / f"{name}.txt"


def save(folder: Path, seed: int, rendered: Rendered) -> None:
    """Write the picture, then its labels, each complete or not at all."""
    from PIL import Image

    image, label = paths(folder, seed)
    for path in (image, label):
        path.parent.mkdir(parents=True, exist_ok=True)
    part = image.with_suffix(".part")
    Image.fromarray(rendered.picture).save(part, "WEBP", quality=_QUALITY)
    part.replace(image)
    part = label.with_suffix(".part")
    part.write_text(label_text(rendered.boxes), encoding="utf-8")
    part.replace(label)


if __name__ == "__main__":
    main()
