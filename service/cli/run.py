"""``streetwarden run``: the detector daemon."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer
from prometheus_client import start_http_server

from detector.backends import Detector, load_detector, model_facts
from detector.backends.loading import weights_sha256, weights_version
from detector.readers import abandoned_readers
from models.city import City
from models.errors import SetupError
from service.cli.folders import EDGE_STORE, RECORDINGS, REFERENCES, data_folder
from service.cli.inspect_reports import inspecting
from service.cli.preflight import State, check_package_names
from service.config import load_city
from service.config.loader import FactsOf
from service.daemon.client import DispatchClient
from service.daemon.daemon import Daemon, DaemonDeps
from service.daemon.edge import EdgeStore
from service.daemon.lock import exclusive
from service.daemon.reload import ConfigWatch
from service.daemon.signing import Signer
from service.logs import configure_logs
from service.tracing import tracing

PROCESS = "streetwarden-daemon"
"""Name of this process in traces."""
POLL_S = 1.0

log = structlog.get_logger(__name__)


def run(
    config: Annotated[Path, typer.Option(help="The city's YAML file.")],
    state_dir: Annotated[
        Path | None, typer.Option(help="Where dwell under way and unsent orders are kept.")
    ] = None,
    dispatch_url: Annotated[
        str | None, typer.Option(help="Post there instead of to the YAML's dispatch.url.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Default: one for each core.")] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Serve Prometheus metrics on this port of 127.0.0.1.")
    ] = None,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop when all sources (files) have ended.")
    ] = False,
    inspect_reports: Annotated[
        bool,
        typer.Option("--inspect-reports", help="Look at the photos of citizens' reports too."),
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Watch the cameras of a city and post work orders for what is confirmed.

    Changes of the YAML file are applied while it runs (cameras, zones, rules); SIGHUP asks for it
    at once. A file with errors is reported and not applied.
    """
    configure_logs(verbose=verbose)
    _preflight()
    city = _load(config, dispatch_url=dispatch_url, facts_of=model_facts)
    _api_key(city)  # what is missing should show now, not after the model was loaded
    folder = state_dir or data_folder() / "daemon"
    with exclusive(folder), ExitStack() as stack:
        detector = load_detector(city.model)
        stack.callback(detector.close)
        # Once more, now that it is loaded: only that tells which labels one's own weights have.
        facts = model_facts(city.model, detector)
        load = partial(_load, dispatch_url=dispatch_url, facts_of=lambda _: facts)
        daemon = stack.enter_context(_daemon(load(config), detector, folder, workers))
        if metrics_port is not None:
            start_http_server(metrics_port, addr="127.0.0.1", registry=daemon.metrics.registry)
        if inspect_reports:
            stack.enter_context(inspecting(city, detector, _api_key(city)))
        watch = ConfigWatch(config, load, daemon.apply, city.address_file)
        _watch(daemon, watch, until_end=until_end)
    _leave()


def _leave() -> None:
    """End at once where a reader hangs: threads in native code would abort an orderly exit.

    All that must last is saved by now.
    """
    if hanging := abandoned_readers():
        log.warning("readers hang, ending without them", readers=hanging)
        sys.stderr.flush()
        os._exit(0)


def _preflight() -> None:
    """Refuse to start beside another package of the same name: it could stand in for ours."""
    wrong = [check for check in check_package_names() if check.state is State.FAIL]
    if wrong:
        raise SetupError(
            "; ".join(f"{check.name}: {check.detail}. {check.advice}" for check in wrong)
        )


def _load(config: Path, *, dispatch_url: str | None, facts_of: FactsOf) -> City:
    city = load_city(config, facts_of=facts_of)
    if dispatch_url is None:
        return city
    return replace(city, dispatch=replace(city.dispatch, url=dispatch_url))


@contextmanager
def _daemon(city: City, detector: Detector, folder: Path, workers: int | None) -> Iterator[Daemon]:
    key = _api_key(city)
    with ExitStack() as stack:
        tracer = stack.enter_context(tracing(city.traces_to, PROCESS))
        deps = DaemonDeps(
            detector=detector,
            store=stack.enter_context(EdgeStore(folder / EDGE_STORE)),
            client=stack.enter_context(DispatchClient(city.dispatch.url, key, tracer=tracer)),
            report_client=stack.enter_context(DispatchClient(city.dispatch.url, key)),
            signer=Signer.of_folder(folder),
            model_version=weights_version(city.model),
            model_sha256=weights_sha256(city.model),
            recordings=folder / RECORDINGS,
            references=folder / REFERENCES,
        )
        yield stack.enter_context(Daemon(city, deps, workers))


def _api_key(city: City) -> str:
    name = city.dispatch.api_key_env
    key = os.environ.get(name, "")
    if not key:
        raise SetupError(
            f"set the environment variable {name} to a key of the dispatch service"
            " (streetwarden serve --help tells how to make one)"
        )
    return key


def _watch(daemon: Daemon, watch: ConfigWatch, *, until_end: bool) -> None:
    stopping, reloading = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, lambda *_: stopping.set())
    signal.signal(signal.SIGHUP, lambda *_: reloading.set())
    while not stopping.wait(POLL_S):
        if reloading.is_set():
            reloading.clear()
            watch.reload()
        watch.poll()
        if until_end and daemon.finished():
            log.info("all sources have ended")
            return
