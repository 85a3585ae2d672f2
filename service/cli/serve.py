"""``streetwarden serve``: the dispatch service."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import FastAPI

from models.category import CategoryTable
from models.city import City
from models.errors import SetupError, StoreError
from service.api.app import create_app
from service.api.deps import ApiDeps, ApiSettings
from service.api.identity import IdentityProvider
from service.api.keys import ENVIRONMENT_KEYS, note_key
from service.api.retention import retention_worker
from service.api.sla_job import sla_worker
from service.cli.lengths import length_of
from service.cli.stores import DatabaseOption, DataDirOption, dispatch_folder, open_store
from service.config import load_city
from service.config.categories import PACKAGED, load_categories
from service.decisions.access import Role, scope_problem
from service.delivery.metrics import DeliveryMetrics
from service.delivery.mqtt import BrokerAddress, MqttBroker, parse_address
from service.delivery.post import Poster
from service.delivery.topics import OVER
from service.delivery.worker import DeliverySettings, DeliveryWorker
from service.logs import configure_logs
from service.store import access
from service.store.audit import Action
from service.store.database import Database
from service.store.files import FileStore
from service.store.mqtt import count_orders_in_zone, rest_broker, subscribe_broker
from service.store.secrets import SecretBox, seal_all
from service.tracing import tracing

KEY_ENV = "STREETWARDEN_API_KEY"
DETECTOR_KEY_ENV = "STREETWARDEN_DETECTOR_KEY"
MQTT_ENV = "STREETWARDEN_MQTT_URL"
SECRET_KEY_ENV = "STREETWARDEN_SECRET_KEY"  # noqa: S105 - a name
SHORTEST_KEY_CHARACTERS = 20
PROCESS = "streetwarden-dispatch"
"""Name of this process in traces."""
BACKLOG = 2048
GRACE_S = 10
"""Time that requests under way have to end after SIGTERM."""

log = structlog.get_logger(__name__)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8080,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
    config: Annotated[
        Path | None,
        typer.Option(help="The city's YAML file: names of departments, and routing."),
    ] = None,
    categories: Annotated[
        Path | None,
        typer.Option(help="A table of categories, times and services instead of the packaged one."),
    ] = None,
    open311: Annotated[
        bool,
        typer.Option(
            "--open311",
            help="Let everybody read, and apps with a key report, at /open311/v2.",
        ),
    ] = False,
    inspect_wait: Annotated[
        str,
        typer.Option(
            help="A report with a photo waits so long for `inspect-reports` to look at it; off:"
            " no detector looks, and photos are shown unblurred."
        ),
    ] = "10m",
    public_url: Annotated[
        str | None,
        typer.Option(help="Address under which others reach the service; for links in webhooks."),
    ] = None,
    allow_private_webhooks: Annotated[
        bool,
        typer.Option(
            "--allow-private-webhooks",
            help="Webhooks may go to private and loopback addresses.",
        ),
    ] = False,
    mqtt_url: Annotated[
        str | None,
        typer.Option(
            envvar=MQTT_ENV,
            show_envvar=True,
            help="Publish on a broker too: mqtt://USER:PASSWORD@HOST:1883/PREFIX, or mqtts://.",
        ),
    ] = None,
    expire_after_days: Annotated[
        int | None,
        typer.Option(min=1, max=3660, help="Orders that nobody touched for so long expire."),
    ] = None,
    retry_scale: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, hidden=True, help="Shortens waits between attempts."),
    ] = 1.0,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Take work orders, show them, and tell subscribers of them.

    The first key comes from the environment (STREETWARDEN_API_KEY: everything;
    STREETWARDEN_DETECTOR_KEY: only to report) or from `streetwarden create-key NAME --role ROLE`.
    The database is migrated when the service starts.
    """
    configure_logs(verbose=verbose)
    folder = dispatch_folder(data_dir)
    city = None if config is None else load_city(config)
    traces_to = None if city is None else city.traces_to
    with (
        _listen(host, port) as listener,
        open_store(database_url, folder) as database,
        tracing(traces_to, PROCESS) as tracer,
    ):
        address = public_url or f"http://{_in_url(host)}:{listener.getsockname()[1]}"
        _bootstrap_keys(database)
        deps = ApiDeps(
            database=database,
            files=FileStore(folder),
            settings=ApiSettings(
                public_url=address.rstrip("/"),
                open311=open311,
                inspect_wait_s=_wait_s(inspect_wait),
                expire_after_days=expire_after_days,
            ),
            city=city,
            categories=_categories(categories, city),
            secrets=_secret_box(database),
            tracer=tracer,
            identity=_identity(city),
        )
        poster = Poster(allow_private=allow_private_webhooks)
        broker = None if mqtt_url is None else parse_address(mqtt_url)
        app = build_app(deps, poster, DeliverySettings(retry_scale=retry_scale), broker)
        log.info("dispatch service starts", address=address, data=str(folder))
        _run(app, listener)


def _wait_s(text: str) -> float | None:
    """How long reports wait for a detector; ``None``: not at all."""
    return None if text == "off" else length_of(text).total_seconds()


def _identity(city: City | None) -> IdentityProvider | None:
    """Where people sign in besides here, if the city says so."""
    choice = None if city is None else city.single_sign_on
    if choice is None:
        return None
    return IdentityProvider(choice, os.environ.get(choice.secret_env) or None)


def _categories(path: Path | None, city: City | None) -> CategoryTable:
    departments = () if city is None else city.departments
    return load_categories(
        path or PACKAGED,
        "UTC" if city is None else city.timezone,
        frozenset(each.department_id for each in departments),
    )


def create_key(
    name: Annotated[str, typer.Argument(help="Whose key it is; a new key replaces the old one.")],
    role: Annotated[
        Role, typer.Option(help="detector: report; client: a city's system; admin: all; …")
    ],
    department: Annotated[
        list[str] | None,
        typer.Option("--department", help="Sees only this department's orders; may be repeated."),
    ] = None,
    expires_in: Annotated[
        str | None, typer.Option(help="It ends after so long: 12h, 90d, 8w; left out: never.")
    ] = None,
    database_url: DatabaseOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make an API key of the dispatch service and print it, this one time."""
    if name in ENVIRONMENT_KEYS:
        raise SetupError(f"{name} is the name of the key from the environment: take another one")
    departments = tuple(department or ())
    problem = scope_problem(role, departments)
    if problem is not None:
        raise SetupError(f"{problem}: see --department")
    token, now = access.new_token(), datetime.now(UTC)
    end = None if expires_in is None else now + length_of(expires_in)
    with open_store(database_url, data_dir) as database, database.write() as connection:
        access.save_key(
            connection, name, role, token, now, department_ids=departments, expires_at=end
        )
        note_key(connection, "command line", Action.KEY_CREATED, name, now)
    typer.echo(token)


def build_app(
    deps: ApiDeps,
    poster: Poster,
    settings: DeliverySettings,
    broker: BrokerAddress | None = None,
) -> FastAPI:
    """The HTTP interface together with the sender of webhooks, which runs as long as it does."""
    mqtt = None if broker is None else MqttBroker(broker, partial(_open_in_zone, deps.database))
    worker = DeliveryWorker(
        deps.database,
        poster,
        settings,
        DeliveryMetrics(deps.metrics.registry),
        deps.now,
        deps.secrets,
        mqtt,
        deps.tracer,
    )
    full = replace(deps, wake=worker.wake, ping=worker.ping, checks={"webhooks": worker.check})

    @contextmanager
    def running() -> Iterator[None]:
        with deps.database.write() as connection:
            if broker is None:
                rest_broker(connection, deps.now())
            else:
                subscribe_broker(connection, broker.shown, deps.now())
        with mqtt or nullcontext(), worker, sla_worker(full), retention_worker(full):
            yield

    return create_app(full, running)


def _open_in_zone(database: Database, camera_id: str, zone_id: str) -> int:
    with database.read() as connection:
        return count_orders_in_zone(connection, camera_id, zone_id, OVER)


def _bootstrap_keys(database: Database) -> None:
    """Store the keys from the environment; raises :class:`SetupError` if there is none at all."""
    with database.write() as connection:
        for name, role in ENVIRONMENT_KEYS.items():
            token = os.environ.get(name, "")
            if token:
                _check_key(name, token)
                access.save_key(connection, name, role, token, datetime.now(UTC))
        if not access.has_keys(connection):
            raise SetupError(
                f"there is no API key yet: set {KEY_ENV} to a random text of"
                f" {SHORTEST_KEY_CHARACTERS} or more characters, or run"
                " `streetwarden create-key NAME --role admin`"
            )


def _secret_box(database: Database) -> SecretBox:
    """What seals the secrets of webhooks; those that still lie readable are sealed at once."""
    key = os.environ.get(SECRET_KEY_ENV) or None
    if key is not None:
        _check_key(SECRET_KEY_ENV, key)
    box = SecretBox(key=key)
    try:
        with database.write() as connection:
            seal_all(connection, box)
    except StoreError as error:
        raise SetupError(
            f"{error}: set {SECRET_KEY_ENV} to what it was when the webhooks were made"
        ) from error
    return box


def _check_key(name: str, token: str) -> None:
    if len(token) < SHORTEST_KEY_CHARACTERS:
        raise SetupError(
            f"{name} is too short to be safe: take {SHORTEST_KEY_CHARACTERS} or more random"
            " characters, for example from `openssl rand -hex 24`"
        )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SetupError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error


def _run(app: FastAPI, listener: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server stops in good order and then raises the signal again: by then all is done.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
    if not server.started:
        raise SetupError("the service did not start: see the log")


class _Server(uvicorn.Server):
    """Lets clients that wait for news go before it waits for the requests under way."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop in good order."""
        app = self.config.app
        if isinstance(app, FastAPI):
            await app.state.notifier.stop()
        await super().shutdown(sockets)


def _in_url(host: str) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared only
    return f"[{name}]" if ":" in name and not name.startswith("[") else name
