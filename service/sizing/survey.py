"""Which streams are measured, one after the other, and what a whole city would take."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import av
import cv2
import numpy as np
import yaml

from detector.backends import Detector, model_facts
from models.city import ModelChoice
from models.errors import SetupError, SourceError
from models.seeing import Image
from models.urls import redact_url
from models.zone import Camera
from service.config.convert import Surroundings
from service.config.document import document_of
from service.config.loader import city_of
from service.sizing.costs import key_decode_s, stream_cost
from service.sizing.estimate import (
    HEVC,
    USABLE_RATIO,
    Estimate,
    Machine,
    StreamCost,
    estimate,
    with_sub_stream,
)
from service.sizing.film import SUB_STREAM_PX, Film, key_pictures, made, record

SAMPLE = Path(__file__).resolve().parents[2] / "sample_videos" / "traffic_and_queue.mp4"
MAIN_STREAM_PX = (1920, 1080)
PICTURES, FEW_PICTURES = 5, 2
SECONDS = 5.0
"""Of each stream, each with and without change in its pictures."""
CITY_SECONDS = 40.0
"""For all cameras of a city together."""
MOST_CAMERAS = 24
"""Of a city are measured, spread over all of it."""
RECORDERS = 8
SUB_STREAM_HELPS = 2.0
"""A source with so many times the pixels of a sub-stream is measured as one too."""

Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sized:
    """A stream, what it costs and what follows."""

    cost: StreamCost
    estimate: Estimate
    is_made: bool = False
    """It was made here, not sent by a camera."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CitySize:
    """What a city's cameras take of this machine."""

    cameras: int
    measured: int
    unreached: tuple[str, ...]
    """Cameras that were tried and did not answer, with the reason."""
    idle_load: float
    """Share of what may be used, while nothing changes in any picture; 1: all of it."""
    busy_load: float
    memory_load: float


def survey_streams(
    sources: Sequence[Camera], detector: Detector, machine: Machine, tell: Tell
) -> list[Sized]:
    """Measure the streams of these cameras; for one without a source, streams that are made here.

    Raises :class:`~models.errors.SourceError` for a source that cannot be read.
    """
    sized = []
    for camera in sources:
        films = _films(camera, tell)
        costs = []
        for film in films:
            tell(f"measuring {film.name}")
            cost = stream_cost(film, camera, detector, _threads(machine), SECONDS)
            costs.append(_against_h264(cost, film))
        found = [estimate(cost, machine) for cost in costs]
        if camera.source and len(found) > 1:
            found[0] = with_sub_stream(*found)
        sized += [
            Sized(cost=cost, estimate=each, is_made=number > 0 or not camera.source)
            for number, (cost, each) in enumerate(zip(costs, found, strict=True))
        ]
    return sized


def survey_city(
    cameras: Sequence[Camera], detector: Detector, machine: Machine, tell: Tell
) -> tuple[list[Sized], CitySize]:
    """Measure the cameras of a city, or of a large one some of them."""
    chosen = _spread(cameras)
    tell(f"opening {len(chosen)} cameras")
    with ThreadPoolExecutor(RECORDERS) as pool:
        tried = list(pool.map(_recorded, chosen))
    films = [(film, camera) for camera, film in zip(chosen, tried, strict=True) if film.packets]
    unreached = tuple(film.name for film in tried if not film.packets)
    if not films:
        raise SetupError(f"no camera could be read: {'; '.join(unreached)}")
    seconds = min(SECONDS, CITY_SECONDS / (2 * len(films)))
    sized = []
    for film, camera in films:
        tell(f"measuring {camera.camera_id}")
        named = replace(film, name=camera.camera_id)
        cost = stream_cost(named, camera, detector, _threads(machine), seconds)
        sized.append(Sized(cost=cost, estimate=estimate(cost, machine)))
    return sized, _city_size(len(cameras), sized, unreached, machine)


def usual_camera(source: str, model: ModelChoice, detector: Detector, interval_s: float) -> Camera:
    """A camera as a city.yaml gives it that sets nothing but a zone with one parking rule."""
    zone = {
        "id": "street",
        "name": "street",
        "units": "ratio",
        "polygon": [[0.2, 0.3], [0.8, 0.3], [0.8, 0.95], [0.2, 0.95]],
        "rules": [{"kind": "illegal_parking"}],
    }
    camera = {
        "id": "capacity",
        "name": "capacity",
        "source": "0",
        "legal_basis": "a measurement, no picture is kept",
        "zones": [zone],
    }
    city = {"city": {"name": "capacity", "timezone": "UTC"}, "cameras": [camera]}
    document = document_of("doctor", yaml.safe_dump(city))
    surroundings = Surroundings(folder=Path.cwd(), environ={})
    made_camera = city_of(document, surroundings, lambda _: model_facts(model, detector))
    return replace(made_camera.cameras[0], source=source, look_interval_s=interval_s)


def _films(camera: Camera, tell: Tell) -> list[Film]:
    """What a camera sends, and that as a sub-stream; without a source, both are made."""
    if not camera.source:
        return _made_streams(tell)
    tell(f"watching {redact_url(camera.source)}")
    film = record(camera)
    sub = _as_sub_stream(film)
    return [film] if sub is None else [film, sub]


def _against_h264(cost: StreamCost, film: Film) -> StreamCost:
    """Of a stream in H.265, also what its pictures would cost in H.264."""
    if cost.codec != HEVC:
        return cost
    pictures = key_pictures(film, FEW_PICTURES)
    other = made(film.name, pictures, (cost.width_px // 2 * 2, cost.height_px // 2 * 2))
    return cost if other is None else replace(cost, h264_decode_s=key_decode_s(other))


def _made_streams(tell: Tell) -> list[Film]:
    tell("making a stream to measure with")
    pictures = _sample_pictures()
    films = [
        made("1080p, 4 Mbit/s (made here)", pictures, MAIN_STREAM_PX),
        made("640×360 sub-stream (made here)", pictures, SUB_STREAM_PX),
    ]
    there = [film for film in films if film is not None]
    if not there:
        raise SetupError("PyAV has no H.264 encoder here to make a stream: give --source")
    return there


def _as_sub_stream(film: Film) -> Film | None:
    """The same pictures as a sub-stream would bring them; ``None`` if it is small already."""
    pictures = key_pictures(film, PICTURES)
    height_px, width_px = pictures[0].shape[:2]
    if width_px * height_px < SUB_STREAM_HELPS * SUB_STREAM_PX[0] * SUB_STREAM_PX[1]:
        return None
    width_px, height_px = _fitted(width_px, height_px)
    name = f"{film.name} as {width_px}×{height_px} sub-stream (made here)"
    return made(name, pictures, (width_px, height_px))


def _fitted(width_px: int, height_px: int) -> tuple[int, int]:
    scale = max(SUB_STREAM_PX) / max(width_px, height_px)
    return int(width_px * scale) // 2 * 2, int(height_px * scale) // 2 * 2


def _sample_pictures() -> list[Image]:
    """A street; where the sample videos are not installed, patches of many sizes."""
    if SAMPLE.is_file():
        with av.open(str(SAMPLE)) as container:
            pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        step = max(1, len(pictures) // PICTURES)
        return [np.asarray(picture, np.uint8) for picture in pictures[::step][:PICTURES]]
    random = np.random.default_rng(1)
    return [_patches(random) for _ in range(PICTURES)]


def _patches(random: np.random.Generator) -> Image:
    picture = np.zeros((MAIN_STREAM_PX[1], MAIN_STREAM_PX[0], 3), np.float32)
    for cells in (4, 16, 64, 256):
        coarse = random.uniform(0, 255, (cells * 9 // 16 + 1, cells, 3)).astype(np.float32)
        picture += cv2.resize(coarse, MAIN_STREAM_PX, interpolation=cv2.INTER_CUBIC) / 4
    return np.asarray(picture.clip(0, 255), np.uint8)


def _recorded(camera: Camera) -> Film:
    """What a camera sent; of one that cannot be read only why."""
    try:
        film = record(camera)
        film.first_picture()
    except SourceError as error:
        reason = f"{camera.camera_id}: {redact_url(str(error))}"
        return Film(name=reason, decoder="", extradata=b"", packets=())
    return film


def _spread(cameras: Sequence[Camera]) -> list[Camera]:
    step = max(1.0, len(cameras) / MOST_CAMERAS)
    return [cameras[int(number * step)] for number in range(min(len(cameras), MOST_CAMERAS))]


def _city_size(
    cameras: int, sized: Sequence[Sized], unreached: tuple[str, ...], machine: Machine
) -> CitySize:
    """What all cameras take, if those that were not measured are like those that were."""
    parallel = min(each.cost.parallel_ratio for each in sized)
    scale = cameras / len(sized)
    usable = machine.cores * USABLE_RATIO * parallel
    return CitySize(
        cameras=cameras,
        measured=len(sized),
        unreached=unreached,
        idle_load=scale * sum(each.cost.cpu_ratio(busy=False) for each in sized) / usable,
        busy_load=scale * sum(each.cost.cpu_ratio(busy=True) for each in sized) / usable,
        memory_load=scale * sum(each.cost.memory_bytes for each in sized) / machine.memory_bytes,
    )


def _threads(machine: Machine) -> int:
    return max(1, math.ceil(machine.cores))
