"""``streetwarden doctor --capacity``: how many cameras this machine will carry."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from detector.backends import load_detector, model_facts
from detector.cores import one_thread_each
from models.city import City, ModelChoice
from models.zone import Camera, DecodeMode
from service.config import load_city
from service.sizing.estimate import USABLE_RATIO, Machine
from service.sizing.host import this_machine
from service.sizing.survey import (
    CitySize,
    Sized,
    Tell,
    survey_city,
    survey_streams,
    usual_camera,
)

PIPED_WIDTH = 140
ESTIMATE = (
    "An estimate: decoding, gate, detection, tracking and rules were measured here, on all cores at"
    f" once, for some seconds each; {USABLE_RATIO:.0%} of the cores are planned with, the rest is"
    " for receiving, storing, pictures, films and bursts. Idle: nothing changes in the pictures;"
    " busy: something always does. Most streets are between. See docs/capacity.md."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """All that was found."""

    machine: Machine
    model: ModelChoice
    streams: tuple[Sized, ...]
    city: CitySize | None
    took_s: float


def survey(
    sources: Sequence[str],
    config: Path | None,
    weights: str | None,
    interval_s: float,
    transport: str,
) -> Survey:
    """Measure what was named; nothing: streams that are made here.

    Raises :class:`~models.errors.StreetwardenError` for what cannot be read.
    """
    began_s = time.monotonic()
    one_thread_each()
    city = None if config is None else load_city(config, facts_of=model_facts)
    model = _model(city, weights)
    machine = this_machine()
    detector = load_detector(model)
    streams: list[Sized] = []
    of_city: CitySize | None = None
    try:
        with _telling() as tell:
            if city is not None and city.cameras:
                streams, of_city = survey_city(city.cameras, detector, machine, tell)
            if sources or of_city is None:
                usual = usual_camera("", model, detector, interval_s)
                cameras = [_with(usual, source, transport) for source in sources or [""]]
                streams += survey_streams(cameras, detector, machine, tell)
    finally:
        detector.close()
    took_s = time.monotonic() - began_s
    return Survey(machine=machine, model=model, streams=tuple(streams), city=of_city, took_s=took_s)


def as_json(found: Survey) -> Mapping[str, Any]:
    """Everything, as plain values."""
    return {
        "is_estimate": True,
        "estimated_from": ESTIMATE,
        "machine": asdict(found.machine),
        "model": {"weights": found.model.weights, "image_size_px": found.model.image_size_px},
        "usable_ratio": USABLE_RATIO,
        "streams": [_stream(each) for each in found.streams],
        "city": None if found.city is None else asdict(found.city),
        "took_s": round(found.took_s, 1),
    }


def print_survey(found: Survey) -> None:
    """Tables for people."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    free_gb = found.machine.memory_bytes / 1e9
    console.print(
        f"{found.machine.cores:g} cores, {free_gb:.1f} GB of memory free;"
        f" {found.model.weights} at {found.model.image_size_px} px",
        style="bold",
    )
    console.print(_table(found.streams))
    for each in found.streams:
        for advice in each.estimate.advice:
            console.print(f"{escape(each.cost.name)}: {advice}", style="yellow", highlight=False)
    if found.city is not None:
        _print_city(console, found.city)
    console.print(ESTIMATE, style="dim", highlight=False)
    console.print(f"measured in {found.took_s:.0f} s", style="dim", highlight=False)


def _model(city: City | None, weights: str | None) -> ModelChoice:
    chosen = ModelChoice() if city is None else city.model
    return chosen if weights is None else ModelChoice(weights=weights)


def _with(usual: Camera, source: str, transport: str) -> Camera:
    return replace(usual, source=source, rtsp_transport=transport)


@contextmanager
def _telling() -> Iterator[Tell]:
    """What is under way, on stderr, where somebody looks at it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda text: status.update(escape(text))


def _stream(each: Sized) -> dict[str, Any]:
    cost, found = each.cost, each.estimate
    values = asdict(cost) | {"is_made": each.is_made}
    values["cameras"] = {"idle": found.idle, "busy": found.busy}
    values["cpu_ratio"] = {
        "idle": round(cost.cpu_ratio(busy=False), 5),
        "busy": round(cost.cpu_ratio(busy=True), 5),
    }
    values |= {"limit": found.limit.value, "advice": list(found.advice)}
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in values.items()
    }


def _table(streams: Sequence[Sized]) -> Table:
    table = Table(title="cameras that this machine will carry, if all are like this one")
    table.add_column("stream")
    for name in ("size", "key frame", "decode", "look idle", "look busy", "memory"):
        table.add_column(name, justify="right")
    table.add_column("idle", justify="right", style="bold")
    table.add_column("busy", justify="right", style="bold")
    table.add_column("limited by")
    for each in streams:
        cost = each.cost
        table.add_row(
            escape(cost.name),
            f"{cost.codec} {cost.width_px}×{cost.height_px}",
            f"each {cost.key_gap_s:.1f} s" if cost.key_gap_s else "one only",
            _decode(each),
            f"{cost.idle_look_s * 1000:.1f} ms",
            f"{cost.busy_look_s * 1000:.1f} ms",
            f"{cost.memory_bytes / 1e6:.0f} MB",
            str(each.estimate.idle),
            str(each.estimate.busy),
            each.estimate.limit.value,
        )
    return table


def _decode(each: Sized) -> str:
    cost = each.cost
    if cost.mode is DecodeMode.FULL and cost.full_decode_ratio is not None:
        return f"all: {cost.full_decode_ratio * 1000:.0f} ms/s"
    return f"{cost.decode_s * 1000:.1f} ms"


def _print_city(console: Console, city: CitySize) -> None:
    of = "" if city.measured == city.cameras else f", reckoned from {city.measured} of them"
    console.print(
        f"The {city.cameras} cameras of the city take {city.idle_load:.0%} (idle) to"
        f" {city.busy_load:.0%} (busy) of what may be used of the cores, {city.memory_load:.0%} of"
        f" the free memory{of}.",
        style="bold" if city.busy_load <= 1 else "bold red",
        highlight=False,
    )
    for reason in city.unreached:
        console.print(f"not measured: {escape(reason)}", style="red", highlight=False)
