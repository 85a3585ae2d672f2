"""Memory of cameras over a simulated day, beyond the model's: it must not grow.

One camera, then twenty, run through the daemon's own runtime as fast as they can
(:mod:`benchmarks.simulated`); the process' resident memory is read at simulated hours. Twenty
cameras are looked at every 10 s, so that their day takes no more looks than ten cameras' hour.

    python -m benchmarks.memory --json [--hours 24] [--cameras 1,20]
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import tempfile
from pathlib import Path
from typing import Any

import structlog

from benchmarks.simulated import simulation
from detector.training.latency import machine

MEASURED_AT_H = (0.25, 1.0, 6.0, 12.0, 24.0)
MB = 1_000_000
LOOK_INTERVAL_S = {1: 1.0}
OTHER_INTERVAL_S = 10.0
WARM_UP_S = 600.0


def rss_bytes() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def warm_up() -> None:
    """What is loaded and reserved once, however many cameras there are, is none of theirs."""
    with tempfile.TemporaryDirectory() as folder, simulation(Path(folder), 1, 1.0) as running:
        running.run(WARM_UP_S)
    gc.collect()


def day(cameras: int, hours: float) -> dict[str, Any]:
    """Memory at simulated hours, in a process that has done nothing else."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    look_interval_s = LOOK_INTERVAL_S.get(cameras, OTHER_INTERVAL_S)
    times = sorted({*(h for h in MEASURED_AT_H if h < hours), hours})
    rows: list[dict[str, Any]] = []
    warm_up()
    before = rss_bytes()
    with (
        tempfile.TemporaryDirectory() as folder,
        simulation(Path(folder), cameras, look_interval_s) as running,
    ):
        for hour in times:
            running.run(hour * 3600)
            gc.collect()
            rss = rss_bytes()
            rows.append(
                {
                    "hour": hour,
                    "rss_mb": round(rss / MB, 1),
                    "mb_per_camera": round((rss - before) / MB / cameras, 2),
                    "python_objects": len(gc.get_objects()),
                    "kept_evidence_mb": round(running.kept_bytes() / MB / cameras, 2),
                    "posted": running.sent,
                }
            )
    first = next((row for row in rows if row["hour"] >= 1.0), rows[0])
    return {
        "cameras": cameras,
        "look_interval_s": look_interval_s,
        "rows": rows,
        "growth_mb_per_camera": round(rows[-1]["mb_per_camera"] - first["mb_per_camera"], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--cameras", default="1,20")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = []
    for cameras in map(int, arguments.cameras.split(",")):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found.append(pool.apply(day, (cameras, arguments.hours)))
        if not arguments.json:
            print(found[-1], flush=True)
    if arguments.json:
        print(json.dumps({"machine": machine(), "memory": found}, indent=2))


if __name__ == "__main__":
    main()
