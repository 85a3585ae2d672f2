"""Puts the dispatch service's HTTP interface together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from service.api import (
    cameras,
    directory,
    exporting,
    geojson,
    health,
    incidents,
    inspection_routes,
    keys,
    open311,
    orders,
    parquet,
    plates,
    problems,
    receiving,
    reference,
    retention,
    sessions,
    single_sign_on,
    statistics,
    streaming,
    subscriptions,
    users,
    webhook_actions,
)
from service.api.deps import ApiDeps
from service.api.intake import Intake
from service.api.middleware import LimitBody, Observe
from service.api.notifier import Notifier
from service.api.reference import describe
from service.api.tracing import TraceRequests
from service.store.timeline import latest_change

CONSOLE = Path(__file__).parent / "console"
DESCRIPTION = """
Work orders that Streetwarden's detectors opened, for the systems of a city.

Every request needs an API key: `Authorization: Bearer KEY`. Errors are
[problem+json](https://www.rfc-editor.org/rfc/rfc9457) and name the field that is wrong.
`docs/integrator.md` shows polling, webhooks and how to verify their signatures.
"""

Running = Callable[[], AbstractContextManager[object]]
"""What runs beside the requests: entered when the application starts, left when it stops."""


def create_app(deps: ApiDeps, running: Running = nullcontext) -> FastAPI:
    """The application; ``running`` is entered for as long as it serves, such as the deliverer."""
    notifier = Notifier(partial(_latest_change, deps))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        with running():
            async with notifier.running():
                yield

    app = FastAPI(
        title="Streetwarden dispatch",
        version=version("streetwarden"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.deps = deps
    app.state.notifier = notifier
    app.state.intake = Intake()
    # FastAPI's documented way to change the description is to replace this method.
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    deps.metrics.registry.register(health.collector(deps))
    problems.install(app)
    for module in (
        receiving,  # first, as what is asked most often
        geojson,
        exporting,
        parquet,
        statistics,
        orders,
        retention,
        incidents,
        inspection_routes,
        plates,
        cameras,
        subscriptions,
        webhook_actions,
        streaming,
        sessions,
        single_sign_on,
        keys,
        users,
        directory,
        health,
        reference,
    ):
        app.include_router(module.router)
    if deps.settings.open311:
        open311.install(app)
    # The console comes last: it takes every path that nothing else has.
    app.mount("/", StaticFiles(directory=CONSOLE, html=True, check_dir=False), name="console")
    app.add_middleware(
        LimitBody,
        max_json_bytes=deps.settings.max_json_bytes,
        max_picture_bytes=deps.settings.max_picture_bytes,
        max_film_bytes=deps.settings.max_film_bytes,
    )
    if deps.tracer.is_on:
        app.add_middleware(TraceRequests, tracer=deps.tracer)
    app.add_middleware(Observe, metrics=deps.metrics)
    return app


def _latest_change(deps: ApiDeps) -> int:
    with deps.database.read() as connection:
        return latest_change(connection)
