"""Streetwarden's own daemon on the same cameras; its argument is the camera's ``decode``."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.carried import DWELL_S, EACH_NTH, FAR_ZONE, ZONE, Looks, measure, order
from detector.backends import load_detector, model_facts
from service.cli.run import _daemon
from service.config import load_city
from service.daemon.daemon import Daemon
from service.logs import configure_logs

KEY_ENV = "STREETWARDEN_API_KEY"
POLL_S = 0.05


def camera(number: int, url: str, decode: str) -> dict[str, Any]:
    polygon = ZONE if number % EACH_NTH == 0 else FAR_ZONE
    rule = {"kind": "illegal_parking", "dwell": f"{DWELL_S:g}s"}
    zone = {"id": "zone", "name": "Zone", "polygon": polygon, "rules": [rule]}
    return {
        "id": f"camera-{number}", "name": f"Camera {number}", "source": url, "decode": decode,
        "legal_basis": "a benchmark", "resolution": [960, 540], "zones": [zone],
    }  # fmt: skip


def city_file(wanted: dict[str, Any], decode: str, folder: Path) -> Path:
    document = {
        "city": {"name": "Benchmark", "timezone": "UTC"},
        "model": {"weights": "street-n"},
        "dispatch": {"url": wanted["dispatch_url"], "api_key_env": KEY_ENV},
        "cameras": [camera(n, url, decode) for n, url in enumerate(wanted["urls"])],
    }
    path = folder / "city.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@contextmanager
def daemon(wanted: dict[str, Any], decode: str) -> Iterator[Daemon]:
    with tempfile.TemporaryDirectory() as folder:
        city = load_city(city_file(wanted, decode, Path(folder)), facts_of=model_facts)
        detector = load_detector(city.model)
        with _daemon(city, detector, Path(folder), None) as running:
            yield running
        detector.close()


def watch(running: Daemon, looks: Looks) -> None:
    """Note each look soon after it was made."""
    counts: dict[str, int] = {}
    while True:
        for number, runtime in enumerate(running.runtimes()):
            count = runtime.status.looks
            if count != counts.get(runtime.camera.camera_id):
                counts[runtime.camera.camera_id] = count
                taken = runtime.status.last_look_at
                age = datetime.now(UTC) - taken if taken else timedelta(0)
                looks.add(number, age.total_seconds())
        time.sleep(POLL_S)


def incidents(running: Daemon) -> int:
    name = "streetwarden_incidents_total"
    labels = {"kind": "illegal_parking", "change": "opened"}
    cameras = [runtime.camera.camera_id for runtime in running.runtimes()]
    value = running.metrics.registry.get_sample_value
    return sum(bool(value(name, labels | {"camera": each})) for each in cameras)


def main() -> None:
    os.environ.setdefault(KEY_ENV, "benchmark-benchmark-benchmark")
    configure_logs(verbose=False)
    wanted = order()
    looks = Looks(len(wanted["urls"]))
    with daemon(wanted, sys.argv[1]) as running:
        threading.Thread(target=watch, args=(running, looks), daemon=True).start()
        measure(wanted, looks, lambda: incidents(running))


if __name__ == "__main__":
    main()
