"""``streetwarden inspect-reports``: the detector for photos of citizens' reports."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from detector.backends import Detector, load_detector, model_facts
from detector.backends.loading import weights_version
from models.city import City
from models.errors import SetupError
from service.config import load_city
from service.daemon.client import DispatchClient
from service.daemon.inspector import InspectorThread, ReportInspector
from service.logs import configure_logs

MIN_CONFIDENCE = 0.1
"""Also what the detector is unsure of is hidden in a photo."""


def inspect_reports(
    config: Annotated[Path, typer.Option(help="The city's YAML file: model and dispatch.")],
    dispatch_url: Annotated[
        str | None, typer.Option(help="Ask there instead of at the YAML's dispatch.url.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Look at what waits now, and stop.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Look at the photos of citizens' reports: what they show, and blurred for people.

    Asks the dispatch service for new ones every few seconds, with the daemon's key. May run
    anywhere; `streetwarden run --inspect-reports` does the same beside the cameras.
    """
    configure_logs(verbose=verbose)
    city = load_city(config, facts_of=model_facts)
    if dispatch_url is not None:
        city = replace(city, dispatch=replace(city.dispatch, url=dispatch_url))
    name = city.dispatch.api_key_env
    key = os.environ.get(name, "")
    if not key:
        raise SetupError(f"set the environment variable {name} to a key with role detector")
    choice = replace(city.model, min_confidence=min(city.model.min_confidence, MIN_CONFIDENCE))
    detector = load_detector(choice)
    try:
        _inspect(city, detector, key, once=once)
    finally:
        detector.close()


def _inspect(city: City, detector: Detector, key: str, *, once: bool) -> None:
    with _inspector(city, detector, key) as inspector:
        if once:
            while inspector.inspect_waiting():
                pass
            return
        loop = InspectorThread(inspector)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        loop.run()


@contextmanager
def inspecting(city: City, detector: Detector, key: str) -> Iterator[None]:
    """Inspects beside whatever else the detector does, in a thread of its own."""
    with _inspector(city, detector, key) as inspector, InspectorThread(inspector):
        yield


@contextmanager
def _inspector(city: City, detector: Detector, key: str) -> Iterator[ReportInspector]:
    facts = model_facts(city.model, detector)
    known = {} if facts is None else facts.thresholds
    with DispatchClient(city.dispatch.url, key) as client:
        yield ReportInspector(
            detector=detector,
            client=client,
            model=weights_version(city.model),
            thresholds={**known, **city.model.thresholds},
        )
