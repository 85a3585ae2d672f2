"""Weights for tests that need a real YOLO network but no training, and streets to show it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detector.backends.torch_runtime import load_ultralytics
from models.seeing import Detection, Image

LOGIT_MEAN = -3.0
LOGIT_SPREAD = 1.5
"""About one anchor in ten is then above a confidence of 0.25."""
SETTLED_RATIO = 0.84
"""Fully settled, an untrained network is so chaotic that the last bit of a weight moves boxes."""
NAMES = ("person", "car", "litter")


def make_weights(path: Path, seed: int = 1) -> Path:
    """An untrained YOLO11n as ``.pt`` that answers differently to different places.

    Fresh weights answer the same everywhere; settling the normalisation on pictures and sharpening
    the class branch makes boxes of many confidences, which is what a comparison needs.
    """
    load_ultralytics()
    import torch
    from ultralytics import YOLO
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(seed)
    network = DetectionModel("yolo11n.yaml", nc=len(NAMES), verbose=False)
    network.train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = SETTLED_RATIO
    pictures = np.stack([street(index, 320, 320) for index in range(8)])
    batch = torch.from_numpy(pictures[..., ::-1].transpose(0, 3, 1, 2).copy()).float() / 255
    with torch.no_grad():
        network(batch)
        network.eval()
        last = [branch[-1] for branch in network.model[-1].cv3]
        for layer in last:
            layer.bias.zero_()
        scores = network(batch)[0][:, 4:].logit()
        spread = LOGIT_SPREAD / float(scores.std())
        for layer in last:
            layer.weight.mul_(spread)
            layer.bias.fill_(LOGIT_MEAN - spread * float(scores.mean()))
    network.names = dict(enumerate(NAMES))
    network.args = {"imgsz": 640, "task": "detect"}
    yolo = YOLO("yolo11n.yaml", task="detect")
    yolo.model, yolo.ckpt = network, {}
    yolo.save(str(path))
    return path


def street(seed: int, width: int, height: int) -> Image:
    """A drawn street: sky, houses, road, markings, cars, with noise; the same for the same seed."""
    random = np.random.default_rng(seed)
    image = np.full((height, width, 3), (200, 170, 140), dtype=np.uint8)
    image[height // 2 :] = 90
    for x in range(0, width, max(20, width // 6)):
        colour = [int(c) for c in random.integers(60, 220, 3)]
        top = int(random.integers(height // 8, height // 2))
        cv2.rectangle(image, (x, top), (x + width // 8, height // 2), colour, -1)
    for _ in range(6):
        colour = [int(c) for c in random.integers(0, 256, 3)]
        x, y = int(random.integers(0, width)), int(random.integers(height // 2, height))
        w, h = width // 6, height // 10
        cv2.rectangle(image, (x, y - h), (x + w, y), colour, -1)
        for wheel in (x + w // 5, x + 4 * w // 5):
            cv2.circle(image, (wheel, y), max(2, h // 3), (20, 20, 20), -1)
    noise = random.normal(0, 6, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def disagreement(
    ours: list[tuple[Detection, ...]], theirs: list[tuple[Detection, ...]], least: float
) -> tuple[int, float, float, list[Detection]]:
    """(boxes compared, worst IoU, worst confidence gap, boxes without a partner).

    Compared are the boxes of at least this confidence; a partner may be slightly below it.
    """
    compared, worst_iou, worst_gap = 0, 1.0, 0.0
    alone: list[Detection] = []
    for mine, yours in zip(ours, theirs, strict=True):
        for one, others in [*((d, yours) for d in mine), *((d, mine) for d in yours)]:
            if one.confidence < least:
                continue
            same = [other for other in others if other.label == one.label]
            best = max(same, key=lambda other: other.box.iou(one.box), default=None)
            if best is None or best.box.iou(one.box) < 0.5:
                alone.append(one)
                continue
            compared += 1
            worst_iou = min(worst_iou, best.box.iou(one.box))
            worst_gap = max(worst_gap, abs(best.confidence - one.confidence))
    return compared, worst_iou, worst_gap, alone
