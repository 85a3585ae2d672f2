"""``streetwarden replay``: what other rules would have made of what was recorded."""

from __future__ import annotations

import json as json_format
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from models.city import City
from models.zone import Camera, RuleKind
from service.cli.recorded import (
    Dispatch,
    From,
    Key,
    Recordings,
    To,
    chosen_cameras,
    load_rules,
    open_recordings,
    orders_made,
    span_of,
)
from service.cli.replayed import Replay, as_json, print_replay
from service.recording.comparing import Made, compare
from service.recording.limits import limits_of
from service.recording.reader import CameraRecording, Span
from service.recording.replaying import Replayed, replay_camera

NOT_REPLAYED = frozenset({RuleKind.CAMERA_FAULT})
"""Judged by pictures, of which none are recorded."""


def replay(
    config: Annotated[Path, typer.Option(help="The city.yaml to try.")],
    against: Annotated[
        Path | None, typer.Option(help="Compare with this city.yaml instead of with what was.")
    ] = None,
    begin: From = None,
    end: To = None,
    camera: Annotated[
        list[str] | None, typer.Option(help="Only this camera; may be given several times.")
    ] = None,
    recordings: Recordings = None,
    dispatch: Dispatch = None,
    key: Key = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Run rules over what was recorded, and print what would be new, gone or changed.

    Compared is with the incidents that the daemon confirmed at the time; with the orders of a
    dispatch service (--dispatch), whose verdicts give precision and recall; or with another
    city.yaml (--against). Needs no pictures, no network and no camera.
    """
    if against is not None and dispatch is not None:
        raise typer.BadParameter("--against and --dispatch both say what to compare with: give one")
    city = load_rules(config)
    span = span_of(city, begin, end)
    cameras = chosen_cameras(city, camera or [])
    found = open_recordings(recordings, cameras)
    began_s = time.perf_counter()
    results = [
        replay_camera(each, found[each.camera_id], span)
        for each in cameras
        if each.camera_id in found
    ]
    took_s = time.perf_counter() - began_s
    before = _before(city, span, found, against=against, dispatch=dispatch, key=key)
    after = [incident for result in results for incident in result.incidents]
    done = Replay(
        span=span,
        results=results,
        limits=_limits(city, cameras, results),
        comparison=compare(before, after),
        took_s=took_s,
    )
    if json:
        typer.echo(json_format.dumps(as_json(done), ensure_ascii=False))
    else:
        print_replay(done, city.timezone)


def _before(
    city: City,
    span: Span,
    found: Mapping[str, CameraRecording],
    *,
    against: Path | None,
    dispatch: str | None,
    key: str | None,
) -> list[Made]:
    """What to compare with, of the cameras that were recorded."""
    if dispatch is not None:
        made = orders_made(city, dispatch, key, list(found), span)
    elif against is not None:
        old = load_rules(against)
        cameras = [camera for camera in old.cameras if camera.camera_id in found]
        made = [
            Made(incident=incident)
            for camera in cameras
            for incident in replay_camera(camera, found[camera.camera_id], span).incidents
        ]
    else:
        incidents = (each for recording in found.values() for each in recording.incidents(span))
        made = [Made(incident=incident) for incident in incidents]
    return [each for each in made if each.incident.kind not in NOT_REPLAYED]


def _limits(city: City, cameras: Sequence[Camera], results: Sequence[Replayed]) -> list[str]:
    by_id: dict[str, Any] = {result.camera_id: result for result in results}
    limits: list[str] = []
    for camera in cameras:
        if camera.camera_id not in by_id:
            limits.append(f"{camera.camera_id}: no recording")
        else:
            limits += limits_of(city, camera, by_id[camera.camera_id].seeing)
    return limits
