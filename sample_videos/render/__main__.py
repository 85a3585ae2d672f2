"""``python -m sample_videos.render CLIP``: renders a clip, or a still of it."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import yaml

from sample_videos.render.spec import SceneSpec, load_scene
from sample_videos.render.truth import ground_truth

_HOME = Path(__file__).parents[1]
_WORK = _HOME.parent / "runs" / "render" / "clips"


def main() -> None:
    """Parse the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m sample_videos.render", description=__doc__)
    parser.add_argument("clip", choices=sorted(p.stem for p in (_HOME / "scenes").glob("*.yaml")))
    parser.add_argument("--still", type=float, metavar="S", help="only the picture at this time")
    parser.add_argument("--draft", action="store_true", help="few samples: quick and rough")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=_WORK, help="keeps what has been rendered")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    spec = load_scene(_HOME / "scenes" / f"{args.clip}.yaml")
    _work(spec, args)


def _work(spec: SceneSpec, args: argparse.Namespace) -> None:
    from PIL import Image

    from sample_videos.render.film import Film, write_boxes

    film = Film(spec, args.work, threads=args.threads, draft=args.draft)
    if args.still is not None:
        path = args.work / f"{spec.clip}-{args.still:g}s.png"
        Image.fromarray(film.still(args.still)).save(path)
        print(path)
        return
    film.render()
    crf = film.encode(_HOME / f"{spec.clip}.mp4")
    labels = {a.name: a.label for a in spec.actors} | {h.name: "pothole" for h in spec.potholes}
    write_boxes(_HOME / "boxes" / f"{spec.clip}.csv", film.boxes, labels)
    truth = yaml.safe_dump(
        ground_truth(spec, film.boxes),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=110,
    )
    (_HOME / f"{spec.clip}.yaml").write_text(truth, encoding="utf-8")
    print(f"{spec.clip}: {spec.frames} frames, rate factor {crf}")


if __name__ == "__main__":
    main()
