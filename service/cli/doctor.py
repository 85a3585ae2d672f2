"""``streetwarden doctor`` says what is wrong with the installation, a camera or a model."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from detector.backends import model_facts
from detector.readers.address import SourceKind
from detector.readers.probe import SourceReport, probe
from models.city import ModelChoice
from models.errors import ConfigError, DetectorError, SourceError
from models.urls import redact_url
from models.zone import Camera, DecodeMode
from service.cli.preflight import Check, State, check_installation
from service.config import load_city

SLOW_OPEN_S = 3.0
LARGE_PX = 1920 * 1080
"""More pixels than this help nothing: the network sees far fewer."""
SLOW_INFERENCE_S = 0.5
TRIAL_SIZE_PX = (720, 1280)
COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


class Transport(StrEnum):
    """How RTP travels."""

    TCP = "tcp"
    UDP = "udp"


def doctor(
    source: Annotated[
        list[str] | None,
        typer.Option(help="A camera's URL, a file, a folder or a USB index; may be repeated."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A city.yaml to check.")] = None,
    model: Annotated[str | None, typer.Option(help="Name or path of weights to check.")] = None,
    *,
    cameras: Annotated[
        bool, typer.Option("--cameras", help="Try every camera of the city.yaml too.")
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.02, help="Look interval to judge the sources by, in seconds.")
    ] = 1.0,
    transport: Annotated[
        Transport, typer.Option(help="How RTSP sources are asked to send.")
    ] = Transport.TCP,
    capacity: Annotated[
        bool,
        typer.Option(
            "--capacity",
            help="Measure how many cameras this machine will carry (within two minutes): like"
            " those of --source or --config, else like a usual 1080p one.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Say what is wrong with the installation, and with a camera, model or city.yaml if named."""
    if capacity:
        _measure_capacity(source or [], config, model, interval, transport, as_json=as_json)
        return
    checks = check_installation()
    tried = [_camera(address, interval, transport.value) for address in source or []]
    if config is not None:
        found, of_city = _check_config(config)
        checks += found
        tried += of_city if cameras else []
    checks += [check for camera in tried for check in check_source(camera)]
    if model is not None:
        checks += check_model(model)
    _show(checks, as_json=as_json)
    if any(check.state is State.FAIL for check in checks):
        raise typer.Exit(1)


def _measure_capacity(
    sources: list[str],
    config: Path | None,
    model: str | None,
    interval_s: float,
    transport: Transport,
    *,
    as_json: bool,
) -> None:
    # imported here: the other checks need neither encoders nor the pipeline
    from service.cli import capacity

    found = capacity.survey(sources, config, model, interval_s, transport.value)
    if as_json:
        typer.echo(json.dumps(capacity.as_json(found), ensure_ascii=False))
    else:
        capacity.print_survey(found)


def check_source(camera: Camera) -> list[Check]:
    """Open a camera, watch it for some seconds, and advise on its settings."""
    name = f"source {redact_url(camera.source)}"
    try:
        report = probe(camera)
    except SourceError as error:
        return [Check(name=name, state=State.FAIL, detail=redact_url(str(error)))]
    advice = list(_advice(report, camera))
    state = State.WARN if advice else State.OK
    return [Check(name=name, state=state, detail=_described(report), advice="; ".join(advice))]


def check_model(weights: str) -> list[Check]:
    """Find and verify weights, load the network, and let it look once."""
    # imported here: OpenVINO takes a second to load, which the other checks do not need
    from detector.backends import load_detector

    name = f"model {weights}"
    try:
        began_s = time.monotonic()
        detector = load_detector(ModelChoice(weights=weights))
        loaded_s = time.monotonic() - began_s
        try:
            picture = np.zeros((*TRIAL_SIZE_PX, 3), np.uint8)
            detector.detect([picture])  # the first look prepares what later ones use
            began_s = time.monotonic()
            detector.detect([picture])
            look_s = time.monotonic() - began_s
        finally:
            detector.close()
    except DetectorError as error:
        return [Check(name=name, state=State.FAIL, detail=str(error))]
    slow = look_s > SLOW_INFERENCE_S
    return [
        Check(
            name=name,
            state=State.WARN if slow else State.OK,
            detail=f"loaded in {loaded_s:.1f} s, a look takes {look_s * 1000:.0f} ms, "
            f"{len(detector.labels)} labels: {', '.join(detector.labels[:12])}",
            advice="choose a smaller image_size_px or network, or longer look intervals"
            if slow
            else "",
        )
    ]


def _check_config(config: Path) -> tuple[list[Check], list[Camera]]:
    name = f"config {config}"
    try:
        city = load_city(config, facts_of=model_facts)
    except ConfigError as error:
        problems = [
            Check(name=name, state=State.FAIL, detail=redact_url(str(problem)))
            for problem in error.problems
        ]
        return problems, []
    detail = f"{len(city.cameras)} cameras, {len(city.departments)} departments"
    return [Check(name=name, state=State.OK, detail=detail)], list(city.cameras)


def _camera(source: str, interval_s: float, transport: str) -> Camera:
    return Camera(
        camera_id="doctor",
        name="doctor",
        source=source,
        legal_basis="technical check, no picture is kept",
        zones=(),
        look_interval_s=interval_s,
        rtsp_transport=transport,
    )


def _described(report: SourceReport) -> str:
    parts = [
        f"{report.codec or report.kind.value} {report.width_px}×{report.height_px}",
        f"{report.fps:.1f} fps" if report.fps else "",
        f"key frame each {report.key_gap_s:.2f} s" if report.key_gap_s else "",
        f"opened in {report.open_s:.1f} s, first frame after {report.first_frame_s:.1f} s",
        "decodes key frames only"
        if report.decode is DecodeMode.KEYFRAMES
        else "decodes every frame",
    ]
    return ", ".join(part for part in parts if part)


def _advice(report: SourceReport, camera: Camera) -> Iterator[str]:
    live = report.kind in {SourceKind.RTSP, SourceKind.HTTP}
    if live and report.decode is DecodeMode.FULL:
        yield (
            f"set the camera's key frame interval (GOP) to {camera.look_interval_s:g} s or less: "
            "decoding then takes about a fifth of the processor time"
        )
    if live and report.width_px * report.height_px > LARGE_PX:
        yield "use the camera's sub-stream: the network sees far fewer pixels than this"
    if live and report.open_s > SLOW_OPEN_S:
        yield "the camera is slow to answer: check the network between"
    if report.kind is SourceKind.RTSP and not report.has_times:
        yield "the stream carries no time of its own: pictures are stamped as they arrive"


def _show(checks: list[Check], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"checks": [asdict(c) for c in checks]}, ensure_ascii=False))
        return
    table = Table("", "check", "found", "advice")
    for check in checks:
        colour = COLOURS[check.state]
        texts = (escape(text) for text in (check.name, check.detail, check.advice))
        table.add_row(f"[{colour}]{check.state}[/{colour}]", *texts)
    Console().print(table)
    failed = sum(check.state is State.FAIL for check in checks)
    warned = sum(check.state is State.WARN for check in checks)
    typer.echo(f"{len(checks)} checks, {failed} failed, {warned} with a warning")
