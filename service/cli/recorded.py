"""What ``replay`` and ``tune`` share: the time that is meant, recordings, and the orders made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from detector.backends import model_facts
from models.city import City, ModelChoice, ModelFacts
from models.errors import SetupError, StoreError, WeightsError
from models.zone import Camera
from service.cli.folders import RECORDINGS, data_folder
from service.config import load_city
from service.recording.comparing import Made
from service.recording.orders import OrderSource
from service.recording.reader import CameraRecording, Span

DEFAULT_SPAN = timedelta(days=1)

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Begin, such as 2026-11-24, 2026-11-24T07:30 (the city's time) or yesterday."
        " Default: a day before the end.",
    ),
]
To = Annotated[
    str | None, typer.Option("--to", help="End; a day alone means its end. Default: now.")
]
Recordings = Annotated[
    Path | None,
    typer.Option(help="Folder of recordings; default: in the daemon's own state folder."),
]
Dispatch = Annotated[
    str | None,
    typer.Option(help="Dispatch service to ask for the orders that were made, with verdicts."),
]
Key = Annotated[
    str | None,
    typer.Option(help="Its API key. Better in the variable that dispatch.api_key_env names."),
]


def load_rules(config: Path) -> City:
    """The city of a file, with the thresholds of its model and without anybody's camera passwords.

    The model's weights need not be there: nothing is looked at.
    """
    return load_city(config, resolve_sources=False, facts_of=_facts)


def span_of(city: City, begin: str | None, end: str | None) -> Span:
    """The time that is meant; a time without an offset is the city's."""
    zone = ZoneInfo(city.timezone)
    now = datetime.now(UTC)
    until = now if end is None else _moment(end, zone, "--to", is_end=True)
    since = until - DEFAULT_SPAN if begin is None else _moment(begin, zone, "--from", is_end=False)
    if since >= until:
        raise typer.BadParameter(f"--from ({since}) is not before --to ({until})")
    return Span(begin=since, end=until)


def chosen_cameras(city: City, camera_ids: Sequence[str]) -> list[Camera]:
    """The cameras that were named, or all; :class:`typer.BadParameter` for an unknown one."""
    known = {camera.camera_id: camera for camera in city.cameras}
    unknown = [camera_id for camera_id in camera_ids if camera_id not in known]
    if unknown:
        raise typer.BadParameter(f"no camera {unknown[0]} in the configuration")
    return [known[camera_id] for camera_id in camera_ids or known]


def open_recordings(
    folder: Path | None, cameras: Sequence[Camera]
) -> Mapping[str, CameraRecording]:
    """Recordings by camera, of those that have any; :class:`SetupError` if none has."""
    place = folder or data_folder() / "daemon" / RECORDINGS
    found = {}
    for camera in cameras:
        try:
            found[camera.camera_id] = CameraRecording(place, camera.camera_id)
        except StoreError:
            continue  # named by the caller as a camera that was not recorded
    if not found:
        raise SetupError(f"{place}: no recordings of these cameras (see --recordings)")
    return found


def orders_made(
    city: City, url: str, key: str | None, camera_ids: Sequence[str], span: Span
) -> list[Made]:
    """Orders of a dispatch service with what people said of them."""
    name = city.dispatch.api_key_env
    api_key = key or os.environ.get(name, "")
    if not api_key:
        raise SetupError(f"give --key, or set {name} to a key of the dispatch service")
    with OrderSource(url, api_key) as source:
        return source.made(camera_ids, span)


def _facts(choice: ModelChoice) -> ModelFacts | None:
    try:
        return model_facts(choice)
    except WeightsError:
        return None  # labels and thresholds are then what the file says of them


def _moment(text: str, zone: ZoneInfo, option: str, *, is_end: bool) -> datetime:
    today = datetime.now(zone).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        day = named.get(text) or datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone).date()
    except ValueError:
        return _instant(text, zone, option)
    return datetime.combine(day + timedelta(days=is_end), time(), tzinfo=zone)


def _instant(text: str, zone: ZoneInfo, option: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: not a time: {text!r}") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
