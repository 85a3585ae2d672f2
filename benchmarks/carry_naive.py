"""What one writes without Streetwarden: a thread per camera, OpenCV, ultralytics' ``track()``.

Needs ultralytics with its trackers (``pip install lap``).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any

import cv2

from benchmarks.carried import DWELL_S, EACH_NTH, FAR_ZONE, ZONE, Looks, measure, order
from benchmarks.streams import FPS

NAMES = ("car", "motorcycle", "bus", "truck")
STANDS_IOU = 0.7


def iou(one: Any, other: Any) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return float(width * height / (areas - width * height))


class Script:
    """One camera's thread."""

    def __init__(self, number: int, url: str, weights: str, looks: Looks) -> None:
        self.number, self.url, self.weights, self.looks = number, url, weights, looks
        self.incident = False
        self._since: dict[int, tuple[float, Any]] = {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        import numpy as np
        import ultralytics

        model = ultralytics.YOLO(self.weights, task="detect")
        capture = cv2.VideoCapture(self.url, cv2.CAP_FFMPEG)
        polygon = np.array(ZONE if self.number % EACH_NTH == 0 else FAR_ZONE, np.float32) * 2
        next_s, began_s, frames = 0.0, 0.0, 0
        while True:
            ok, image = capture.read()
            if not ok:
                capture.open(self.url, cv2.CAP_FFMPEG)
                frames = 0
                continue
            now = time.monotonic()
            began_s = now if frames == 0 else began_s
            frames += 1
            if now < next_s:
                continue
            next_s = max(next_s + 1.0, now + 0.5)
            found = model.track(image, persist=True, verbose=False, imgsz=(384, 640))[0]
            self.judge(found, polygon, now)
            # Frames that have been sent since the first, and were not read yet.
            self.looks.add(self.number, now - began_s - (frames - 1) / FPS)

    def judge(self, found: Any, polygon: Any, now: float) -> None:
        boxes = found.boxes
        if boxes is None or boxes.id is None:
            return
        for name, number, box in zip(
            boxes.cls.tolist(), boxes.id.tolist(), boxes.xyxy.tolist(), strict=True
        ):
            foot = ((box[0] + box[2]) / 2, box[3])
            inside = cv2.pointPolygonTest(polygon, foot, False) >= 0
            if found.names[int(name)] not in NAMES or not inside:
                continue
            since, first = self._since.setdefault(int(number), (now, box))
            if iou(first, box) < STANDS_IOU:
                self._since[int(number)] = (now, box)
            elif now - since >= DWELL_S:
                self.incident = True


def main() -> None:
    os.environ |= {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "false"}
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    wanted = order()
    looks = Looks(len(wanted["urls"]))
    scripts = [Script(n, url, sys.argv[1], looks) for n, url in enumerate(wanted["urls"])]
    measure(wanted, looks, lambda: sum(script.incident for script in scripts))
    os._exit(0)  # its threads never end


if __name__ == "__main__":
    main()
