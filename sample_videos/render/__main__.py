"""``python -m sample_videos.render CLIP``: renders a clip, or a still of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from sample_videos.render.records import read_boxes, write_boxes, write_truth
from sample_videos.render.spec import SceneSpec, load_scene

_HOME = Path(__file__).parents[1]
_FOLDERS = (_HOME, _HOME / "rules")
_WORK = _HOME.parent / "runs" / "render" / "clips"


def main() -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m sample_videos.render", description=__doc__)
    homes = {path.stem: home for home in _FOLDERS for path in (home / "scenes").glob("*.yaml")}
    parser.add_argument("clip", choices=sorted(homes))
    parser.add_argument("--still", type=float, metavar="S", help="only the picture at this time")
    parser.add_argument(
        "--truth", action="store_true", help="only the ground truth, from the boxes that are there"
    )
    parser.add_argument("--draft", action="store_true", help="few samples: quick and rough")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=_WORK, help="keeps what has been rendered")
    args = parser.parse_args()
    home = homes[args.clip]
    spec = load_scene(home / "scenes" / f"{args.clip}.yaml")
    if not args.truth and not _film(spec, args, home):
        return
    boxes = read_boxes(home / "boxes" / f"{spec.clip}.csv")
    write_truth(home / f"{spec.clip}.yaml", spec, boxes)


def _film(spec: SceneSpec, args: argparse.Namespace, home: Path) -> bool:
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
    crf = film.encode(home / f"{spec.clip}.mp4")
    labels = {a.name: a.label for a in spec.actors} | {h.name: "pothole" for h in spec.potholes}
    write_boxes(home / "boxes" / f"{spec.clip}.csv", film.boxes, labels)
    print(f"{spec.clip}: {spec.frames} frames, rate factor {crf}")
    return True


if __name__ == "__main__":
    main()
