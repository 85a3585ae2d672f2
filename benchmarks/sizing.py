"""What ``streetwarden doctor --capacity`` estimates, against what the daemon then takes.

The doctor measures a film alone on a core; then the daemon watches some cameras that show it over
RTSP, on the same core. Compared is processor time for one look, which depends less on what else the
machine does than looks a second do. Needs two cores and GStreamer's RTSP server, as
benchmarks.capacity does.

    python -m benchmarks.sizing [--cameras 12] [--scenes idle,busy] [--seconds 30] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.capacity import OWN_CORE, carry
from benchmarks.streams import SCENES, write_scene
from detector.training.latency import machine

FEWER = 4
"""How many times fewer cameras the other run has."""
RESULTS = Path(__file__).with_name("results")


def estimated(film: Path) -> dict[str, Any]:
    """What the doctor says of a film on one core."""
    command = ["taskset", "-c", str(OWN_CORE), sys.executable, "-m", "service"]
    command += ["doctor", "--capacity", "--json", "--source", str(film)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    streams: list[dict[str, Any]] = json.loads(done.stdout)["streams"]
    return streams[0]


def compared(scene: str, cameras: int, seconds: float) -> dict[str, Any]:
    """Estimate and reality of one scene: CPU-seconds a look, one look a second."""
    with tempfile.TemporaryDirectory() as folder:
        film = write_scene(scene, Path(folder))
        estimate = estimated(film)
        few = carry("keyframes", film, max(1, cameras // FEWER), seconds)
        run = carry("keyframes", film, cameras, seconds)
    # The difference: what a daemon takes without cameras, and what watches it here, fall out.
    real = (run.cpu_s_per_s - few.cpu_s_per_s) / (run.looks_per_s - few.looks_per_s)
    return {
        "cameras": cameras,
        "estimated_cpu_s": round(estimate["cpu_ratio"][scene], 4),
        "real_cpu_s": round(real, 4),
        "real_to_estimated": round(real / estimate["cpu_ratio"][scene], 2),
        "estimated_cameras_a_core": estimate["cameras"][scene],
        "worst_gap_s": run.worst_gap_s,
        "looks_per_s": run.looks_per_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cameras", type=int, default=12)
    parser.add_argument("--scenes", default=",".join(SCENES))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--out", type=Path, default=RESULTS / "sizing.json")
    parser.add_argument("--note", default="", help="kept with the figures")
    parser.add_argument("--json", action="store_true", help="print all of it")
    arguments = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("needs two cores: one to measure on, one for the cameras")
    scenes = arguments.scenes.split(",")
    found = {}
    for scene in scenes:
        found[scene] = compared(scene, arguments.cameras, arguments.seconds)
        print(f"# {scene} {found[scene]}", file=sys.stderr, flush=True)
    result = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": 1,
        "machine": machine(),
        "note": arguments.note,
        "scenes": found,
    }
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if arguments.json:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
