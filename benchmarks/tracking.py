"""What tracking costs a look, in processor time: parked vehicles in pictures of 1920 x 1080.

python -m benchmarks.tracking --json [--parked 0,4,10,20]
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from detector.tracking import CameraTracker
from detector.training.latency import machine
from models.geometry import Box
from models.seeing import Detection, Frame, Image

SIZE = (1920, 1080)
LOOKS, WARM_UP = 60, 15
CAR_PX = (190, 110)
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def pictures(count: int = 8) -> list[Image]:
    """A street with a sensor's noise."""
    rng = np.random.default_rng(1)
    coarse = rng.normal(120, 40, (SIZE[1] // 12, SIZE[0] // 12, 3)).astype(np.float32)
    street = cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
    noisy = (street + rng.normal(0, 2, street.shape) for _ in range(count))
    return [np.clip(image, 0, 255).astype(np.uint8) for image in noisy]


def boxes(parked: int, rng: np.random.Generator) -> list[Detection]:
    found = []
    for number in range(parked):
        x, y = 60 + (number % 8) * 230, 300 + (number // 8) * 200
        left, top, right, bottom = (
            np.array([x, y, x + CAR_PX[0], y + CAR_PX[1]]) + rng.normal(0, 1, 4)
        ).tolist()
        found.append(Detection(label="car", confidence=0.8, box=Box(left, top, right, bottom)))
    return found


def ms_per_look(parked: int, *, is_still: bool) -> float:
    tracker, rng, images = CameraTracker("street"), np.random.default_rng(2), pictures()
    began = 0.0
    for number in range(WARM_UP + LOOKS):
        if number == WARM_UP:
            began = time.process_time()
        frame = Frame(
            camera_id="street",
            sequence=number,
            image=images[number % len(images)],
            captured_at=START + timedelta(seconds=number),
            stream_s=float(number),
        )
        tracker.update(frame, boxes(parked, rng), is_still=is_still and number >= WARM_UP)
    return 1000 * (time.process_time() - began) / LOOKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parked", default="0,4,10,20")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    costs = {
        name: {
            parked: round(min(ms_per_look(parked, is_still=is_still) for _ in range(3)), 2)
            for parked in map(int, arguments.parked.split(","))
        }
        for name, is_still in (("changing", False), ("still", True))
    }
    if arguments.json:
        print(json.dumps({"ms_per_look": costs, "machine": machine()}, indent=2))
    else:
        print(costs)


if __name__ == "__main__":
    main()
