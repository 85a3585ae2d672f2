"""Draws latencies: for each load, which share of the webhooks had come after how long."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PERCENTS = 100


def write_plot(result: Mapping[str, Any], path: Path) -> None:
    """An SVG, one panel a scene."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    scenes = list(result["levels"])
    figure, panels = plt.subplots(1, len(scenes), figsize=(5 * len(scenes), 3.6), squeeze=False)
    for panel, scene in zip(panels[0], scenes, strict=True):
        for level, samples in zip(result["levels"][scene], result["samples"][scene], strict=True):
            values = sorted(sample["latency_s"] for sample in samples)
            shares = [PERCENTS * (rank + 1) / len(values) for rank in range(len(values))]
            label = f"{level['share']:.0%} of capacity, {level['cameras']} cameras"
            panel.step(values, shares, where="post", label=label)
        panel.axvline(result["target_p95_s"], color="grey", linestyle=":", linewidth=1)
        panel.axhline(95, color="grey", linestyle=":", linewidth=1)
        panel.set_title(f"{scene} scene")
        panel.set_xlabel("seconds from the end of the dwell to the webhook")
        panel.set_ylabel("% of webhooks")
        panel.set_xlim(left=0)
        panel.legend(fontsize="small", loc="lower right")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
