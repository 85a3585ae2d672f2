"""``python -m sample_videos.render CLIP``: renders a clip, or a still of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_videos.render.records import read_boxes, write_boxes, write_truth
from sample_videos.render.spec import SceneSpec, load_scene

_HOME = Path(__file__).parents[1]
_WORK = _HOME.parent / "runs" / "render" / "clips"


def main() -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m sample_videos.render", description=__doc__)
    parser.add_argument("clip", choices=sorted(p.stem for p in (_HOME / "scenes").glob("*.yaml")))
    parser.add_argument("--still", type=float, metavar="S", help="only the picture at this time")
    parser.add_argument(
        "--truth", action="store_true", help="only the ground truth, from the boxes that are there"
    )
    parser.add_argument("--draft", action="store_true", help="few samples: quick and rough")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=_WORK, help="keeps what has been rendered")
    args = parser.parse_args()
    spec = load_scene(_HOME / "scenes" / f"{args.clip}.yaml")
    boxes_path = _HOME / "boxes" / f"{spec.clip}.csv"
    if not args.truth and not _film(spec, args, boxes_path):
        return
    write_truth(_HOME / f"{spec.clip}.yaml", spec, read_boxes(boxes_path))


def _film(spec: SceneSpec, args: argparse.Namespace, boxes_path: Path) -> bool:
    """Render a still and return False, or the clip and its boxes and return True."""
    from PIL import Image

    from sample_videos.render.film import Film

    film = Film(spec, args.work, threads=args.threads, draft=args.draft)
    if args.still is not None:
        path = args.work / f"{spec.clip}-{args.still:g}s.png"
        Image.fromarray(film.still(args.still)).save(path)
        print(path)
        return False
    film.render()
    crf = film.encode(_HOME / f"{spec.clip}.mp4")
    labels = {a.name: a.label for a in spec.actors} | {h.name: "pothole" for h in spec.potholes}
    write_boxes(boxes_path, film.boxes, labels)
    print(f"{spec.clip}: {spec.frames} frames, rate factor {crf}")
    return True


if __name__ == "__main__":
    main()
