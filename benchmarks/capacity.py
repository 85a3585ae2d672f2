"""How many 1080p25 cameras a core carries at one look a second, no look later than 2 s.

The carriers are the script that one writes without Streetwarden (a thread per camera, OpenCV,
ultralytics' ``track``), the same on OpenVINO, and Streetwarden's daemon, which decodes every frame
or key frames only, of the main stream or of the 640x360 that a camera offers beside it (``ratio``
is that of main streams). No look may be later than 2 s, nor at a picture older than that. Each runs
as a process on one core of its own; the RTSP server and the receiver of orders are processes on
another, and are not counted. Needs two cores and GStreamer's RTSP server (Debian: python3-gi
gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad).

    python -m benchmarks.capacity --json [--variants naive,keyframes] [--scenes idle]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.carried import Carried
from benchmarks.streams import MAIN, SCENES, SUB, served, write_scene
from detector.training.latency import machine

WEIGHTS = Path(__file__).resolve().parents[1] / "detector" / "weights"
CARRIERS = {
    "naive": ("benchmarks.carry_naive", str(WEIGHTS / "street-n.pt")),
    "naive-openvino": ("benchmarks.carry_naive", str(WEIGHTS / "street-n_openvino")),
    "full": ("benchmarks.carry_streetwarden", "full"),
    "keyframes": ("benchmarks.carry_streetwarden", "keyframes"),
    "substream": ("benchmarks.carry_streetwarden", "keyframes"),
}
PROFILES = {"substream": SUB}
"""What a carrier watches, if not the main stream of a camera."""
FIRST_GUESS = {
    "naive": {"idle": 5, "busy": 4},
    "naive-openvino": {"idle": 6, "busy": 5},
    "full": {"idle": 7, "busy": 6},
    "keyframes": {"idle": 32, "busy": 20},
    "substream": {"idle": 60, "busy": 30},
}
LATEST_S = 2.0
LEAST_LOOKS = 0.9
"""Of one a second for each camera."""
GROWTH = 1.3
WARM_UP_S, PER_CAMERA_S = 35.0, 0.4
"""Cameras are opened one after the other; the incident's film is made by then: it costs about three
seconds once, and would count as if each tenth camera had an incident every half minute."""
OWN_CORE, OTHER_CORE = 0, 1


class Sink(BaseHTTPRequestHandler):
    """Takes whatever a daemon sends."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_POST  # noqa: N815 - the name that http.server asks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sink() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def carry(variant: str, clip: Path, cameras: int, seconds: float) -> Carried:
    """Let a carrier watch so many cameras."""
    module, argument = CARRIERS[variant]
    with (
        tempfile.TemporaryDirectory() as folder,
        sink() as dispatch_url,
        served(clip, cameras, Path(folder), OTHER_CORE) as urls,
    ):
        order = {
            "urls": urls, "seconds": seconds, "dispatch_url": dispatch_url,
            "warm_up_s": WARM_UP_S + PER_CAMERA_S * cameras,
        }  # fmt: skip
        done = subprocess.run(
            ["taskset", "-c", str(OWN_CORE), sys.executable, "-m", module, argument],
            input=json.dumps(order) + "\n", capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise SystemExit(f"{variant} failed:\n{done.stderr[-2000:]}")
    return Carried(**json.loads(done.stdout.splitlines()[-1]))


def is_carried(run: Carried) -> bool:
    is_in_time = run.worst_gap_s <= LATEST_S and run.worst_age_s <= LATEST_S
    return is_in_time and run.looks_per_s >= LEAST_LOOKS * run.cameras


def capacity(variant: str, clip: Path, guess: int, seconds: float) -> tuple[int, list[Carried]]:
    """The most cameras that were carried, and all runs that it took to find out."""
    runs: list[Carried] = []

    def fits(cameras: int) -> bool:
        run = carry(variant, clip, cameras, seconds)
        runs.append(run)
        print(f"# {variant} {run}", file=sys.stderr, flush=True)
        return is_carried(run)

    low, high = 0, guess
    while fits(high):
        low, high = high, max(high + 1, int(high * GROWTH))
    while high - low > max(1, low // 20):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low, runs


def measured(variants: list[str], scenes: list[str], seconds: float) -> dict[str, Any]:
    cameras: dict[str, dict[str, int]] = {variant: {} for variant in variants}
    runs: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for scene in scenes:
            for variant in variants:
                clip = write_scene(scene, Path(folder), PROFILES.get(variant, MAIN))
                most, tried = capacity(variant, clip, FIRST_GUESS[variant][scene], seconds)
                cameras[variant][scene] = most
                runs[f"{variant} {scene}"] = [vars(run) for run in tried]
    main = [v for v in variants if v not in PROFILES]
    ratio = {
        scene: round(max(cameras[v][scene] for v in main) / max(1, cameras["naive"][scene]), 1)
        for scene in scenes
        if "naive" in variants
    }
    return {"cores": 1, "cameras": cameras, "ratio": ratio, "machine": machine(), "runs": runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--variants", default=",".join(CARRIERS))
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("needs two cores: one to measure on, one for the cameras")
    os.sched_setaffinity(0, {OTHER_CORE})
    variants, scenes = arguments.variants.split(","), arguments.scenes.split(",")
    result = measured(variants, scenes, arguments.seconds)
    if not arguments.json:
        del result["runs"]
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
