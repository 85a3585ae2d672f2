"""Footage as a camera would send it: H.264 without B frames, a key frame each second."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av


def as_camera_sends(clip: Path, target: Path) -> Path:
    """Write a clip again in the form that RTSP cameras use."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as container:
        taken = source.streams.video[0]
        fps = round(taken.average_rate)
        sent = container.add_stream("libx264", rate=fps)
        sent.width, sent.height, sent.pix_fmt = taken.width, taken.height, "yuv420p"
        sent.gop_size = fps
        sent.options = {"bf": "0", "sc_threshold": "0", "preset": "ultrafast", "crf": "20"}
        for number, frame in enumerate(source.decode(taken)):
            picture = frame.reformat(format="yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, fps)
            picture.pict_type = av.video.frame.PictureType.NONE
            container.mux(sent.encode(picture))
        container.mux(sent.encode())
    return target
