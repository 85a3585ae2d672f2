"""Pictures to H.264, small enough to be kept in a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 1_000_000
_WORST_CRF = 40


def encode(
    path: Path, pictures: Callable[[], Iterable[NDArray[np.uint8]]], *, fps: int, crf: int
) -> int:
    """Write the clip with the lowest rate factor from ``crf`` that fits; return that factor."""
    for factor in range(crf, _WORST_CRF + 1):
        _write(path, pictures(), fps, factor)
        if path.stat().st_size <= MAX_BYTES:
            return factor
    raise ValueError(f"{path.name} does not fit into {MAX_BYTES} bytes")


def _write(path: Path, pictures: Iterable[NDArray[np.uint8]], fps: int, crf: int) -> None:
    """One key frame a second and no B-frames, as cameras send."""
    options = {
        "crf": str(crf),
        "preset": "slow",
        "g": str(fps),
        "keyint_min": str(fps),
        "sc_threshold": "0",
        "bf": "0",
        "threads": "1",
    }
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
