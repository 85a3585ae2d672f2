"""Films that a soak run loops, and the city that watches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from benchmarks.soak_truth import is_always_there, is_plain, things_of
from models.zone import RuleKind
from service.demo.clip import load_clip
from service.evaluation.truth import ClipTruth, Thing, ZoneTruth

FPS, LARGEST_PX = 10, 1280
CLEAR_S, GRACE_S = 4.0, 3.0
"""Where things come anew in each pass: else what comes back to its very place within seconds, as on
no street, would be one thing that has been there all the time."""
SHORTEST_CLIP_S = 25.0
"""Looks come a second apart, on a busy machine several. At films of few seconds, looks of several
passes would show the very same picture, in which what drives stands."""


@dataclass(kw_only=True)
class Street:
    """A film that is looped, and what its zones must yield."""

    clip: ClipTruth
    video: Path
    seconds: float
    zones: list[tuple[ZoneTruth, list[Thing]]] = field(default_factory=list)
    conditions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.video.stem


def street_of(clip: ClipTruth, folder: Path, dwell_s: float) -> Street | None:
    """The clip as it can be looped; ``None`` where nothing can be said of loops of it."""
    zones = [(zone, things_of(clip, zone, dwell_s)) for zone in clip.zones]
    known = [(zone, things) for zone, things in zones if things is not None]
    if not known or clip.upkeep or clip.starts_at or clip.outages:
        return None
    video = as_served(clip.video, folder)
    seconds = load_clip(video).duration_s
    if seconds < SHORTEST_CLIP_S:
        return None
    plain = [
        (zone, things)
        for zone, things in known
        if all(is_plain(thing, seconds, CLEAR_S) for thing in things)
    ]
    return Street(clip=clip, video=video, seconds=seconds, zones=plain) if plain else None


def as_served(video: Path, folder: Path) -> Path:
    """The film as cameras send it: H.264 without B frames, a key frame each second."""
    path = folder / f"{video.stem}.mp4"
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        pictures = source.streams.video[0]
        shrink = min(1.0, LARGEST_PX / max(pictures.width, pictures.height))
        fps = min(FPS, round(float(pictures.average_rate)))
        stream = target.add_stream("libx264", rate=fps)
        stream.width = round(pictures.width * shrink) // 2 * 2
        stream.height = round(pictures.height * shrink) // 2 * 2
        stream.pix_fmt, stream.gop_size = "yuv420p", fps
        stream.options = {"bf": "0", "sc_threshold": "0", "preset": "veryfast", "crf": "20"}
        written = 0
        for picture in source.decode(pictures):
            if picture.time is None or picture.time * fps < written:
                continue
            shown = picture.reformat(stream.width, stream.height, "yuv420p")
            shown.pts, shown.time_base, shown.pict_type = written, Fraction(1, fps), 0
            target.mux(stream.encode(shown))
            written += 1
        target.mux(stream.encode())
    return path


def city_of(streets: Sequence[Street], port: int, dwell_s: float) -> dict[str, Any]:
    """The city.yaml of these streets."""
    return {
        "city": {"name": "Soak", "timezone": "UTC"},
        "dispatch": {"url": "http://127.0.0.1:1", "api_key_env": "STREETWARDEN_API_KEY"},
        "departments": [{"id": "all", "name": "All"}],
        "routing": {"default": "all"},
        "cameras": [_camera(street, port, dwell_s) for street in streets],
    }


def _camera(street: Street, port: int, dwell_s: float) -> dict[str, Any]:
    return {
        "id": street.name,
        "name": street.name,
        "source": f"rtsp://127.0.0.1:{port}/{street.name}",
        "legal_basis": "a film with ground truth",
        "resolution": list(street.clip.size_px or ()),
        "zones": [_zone(street, zone, things, dwell_s) for zone, things in street.zones],
    }


def _zone(
    street: Street, zone: ZoneTruth, things: Sequence[Thing], dwell_s: float
) -> dict[str, Any]:
    settings = dict(zone.settings)
    more = settings.pop("rule", {})
    rule: dict[str, Any] = {"kind": zone.kind.value, "dwell": f"{dwell_s}s"}
    if not things or not all(is_always_there(thing, street.seconds) for thing in things):
        rule |= {"clear_after": f"{CLEAR_S}s", "grace": f"{GRACE_S}s"}
    if zone.kind is RuleKind.ILLEGAL_PARKING:
        rule["queue"] = "count"  # the truth tells what stands, whyever it stands
    return {
        "id": zone.name,
        "polygon": [list(corner) for corner in zone.polygon],
        "units": "pixels",
        **settings,
        "rules": [rule | more],
    }
