"""From when a thing can be seen that somebody stands before at first; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sample_videos.render.crops import Box

HIDDEN_SHARE = 0.5
"""A thing is hidden while something nearer covers so much of its box."""


def in_sight_from(
    box: Box, others: Iterable[Mapping[int, Box]], frames: range, lasts: int
) -> int | None:
    """The first of these frames from which on a thing is not hidden for ``lasts`` frames.

    ``others``: boxes by frame of those who may be in front; nearer is what stands lower in the
    picture. ``None``: it is never in sight for so long.
    """
    known = list(others)
    since: int | None = None
    for frame in frames:
        here = [boxes[frame] for boxes in known if frame in boxes]
        if any(_is_nearer(other, box) and _covered(box, other) >= HIDDEN_SHARE for other in here):
            since = None
        elif since is None:
            since = frame
        if since is not None and frame - since + 1 >= lasts:
            return since
    return None


def _is_nearer(other: Box, box: Box) -> bool:
    return other[3] >= box[3]


def _covered(box: Box, other: Box) -> float:
    """Share of a box that another one covers."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0, width) * max(0, height) / area if area else 0.0
