"""The daemon from frames to the dispatch service, with every kind of trouble in between."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from detector.backends import Detector, ScriptedDetector
from detector.readers import CameraStream
from models.city import City
from models.errors import InferenceError, StoreError
from models.zone import Camera, Stage
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.client import DispatchClient
from service.daemon.daemon import Daemon, DaemonDeps
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.filing import Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.reporter import Reporter
from service.daemon.requests import WORK_ORDERS_PATH
from service.daemon.schedule import Schedule
from service.daemon.signing import Signer
from service.daemon.status import Stepped
from service.daemon.watchdog import Watchdog
from service.daemon.workers import Worker
from tests.daemon.played import PlayedStream, camera, car, plays, sees

WAIT_S = 30.0
SIGNER = Signer.new()


class Dispatch:
    """Stands for the dispatch service: takes everything, or is down."""

    def __init__(self) -> None:
        self.is_down = False
        self.requests: list[tuple[str, str, bytes]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down", request=request)
        self.requests.append((request.method, request.url.path, request.read()))
        return httpx.Response(201)

    def orders(self) -> list[dict[str, Any]]:
        """One by one: several at once are refused with an answer that is none."""
        sent = list(self.requests)
        return [json.loads(body) for _, path, body in sent if path == WORK_ORDERS_PATH]

    def paths(self, part: str) -> list[str]:
        return [path for _, path, _ in list(self.requests) if part in path]


def city(*cameras: Camera) -> City:
    return City(name="Test", timezone="UTC", cameras=cameras, departments=())


@contextmanager
def running(
    folder: Path,
    dispatch: Dispatch,
    watched: City,
    detector: Detector,
    make_stream: Callable[[Camera], CameraStream],
) -> Iterator[Daemon]:
    transport = httpx.MockTransport(dispatch)
    with (
        EdgeStore(folder / "edge.sqlite3") as store,
        DispatchClient("http://dispatch", "key", transport) as client,
        DispatchClient("http://dispatch", "key", transport) as report_client,
    ):
        deps = DaemonDeps(
            detector=detector,
            store=store,
            client=client,
            report_client=report_client,
            make_stream=make_stream,
            signer=SIGNER,
        )
        with Daemon(watched, deps, workers=2) as daemon:
            yield daemon


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def dispatch() -> Dispatch:
    return Dispatch()


def test_a_parked_car_becomes_one_order_with_its_pictures(
    tmp_path: Path, dispatch: Dispatch
) -> None:
    with running(tmp_path, dispatch, city(camera()), sees(car()), plays(range(30))) as daemon:
        wait_for(daemon.finished)
    (order,) = dispatch.orders()
    assert (order["camera_id"], order["zone_id"], order["label"]) == ("gate", "kerb", "car")
    assert order["observed_s"] >= 5.0
    assert [path.rpartition("/")[2] for path in dispatch.paths("/evidence/")] == [
        "first-wide",
        "first-close",
        "opened-wide",
        "opened-close",
        "opened-clean",
        "manifest",
        "clip",
        "manifest-2",
    ]
    starts = {"manifest": b"{", "manifest-2": b"{", "clip": b"\0\0\0"}
    for _, path, body in dispatch.requests:
        if "/evidence/" in path:
            assert body.startswith(starts.get(path.rpartition("/")[2], b"\xff\xd8"))


def test_a_zone_on_trial_counts_its_incidents_and_orders_nothing(
    tmp_path: Path, dispatch: Dispatch
) -> None:
    (zone,) = camera().zones
    on_trial = camera(zones=(replace(zone, stage=Stage.SHADOW),))
    with running(tmp_path, dispatch, city(on_trial), sees(car()), plays(range(30))) as daemon:
        wait_for(daemon.finished)
        labels = {"camera": "gate", "kind": "illegal_parking", "change": "opened"}
        opened = [
            daemon.metrics.registry.get_sample_value(f"streetwarden_{name}_total", labels)
            for name in ("shadow_incidents", "incidents")
        ]
    assert opened == [1, None]
    assert dispatch.orders() == []
    assert dispatch.paths("/evidence/") == []


def test_every_camera_reports_its_state_and_its_latest_picture(
    tmp_path: Path, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.daemon.daemon.Reporter", partial(Reporter, interval_s=0.05))
    with running(tmp_path, dispatch, city(camera()), sees(car()), plays(range(3))):
        wait_for(lambda: dispatch.paths("/cameras/gate/snapshot"))
    reports = [json.loads(body) for _, path, body in dispatch.requests if path.endswith("/gate")]
    assert reports[-1]["name"] == "Gate"
    assert reports[-1]["state"] in {"online", "ended"}


def test_dispatch_down_for_a_while_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, dispatch: Dispatch
) -> None:
    dispatch.is_down = True
    with running(tmp_path, dispatch, city(camera()), sees(car()), plays(range(20))) as daemon:
        wait_for(lambda: daemon.runtimes()[0].stream.ended)
        assert dispatch.orders() == []
        dispatch.is_down = False
        wait_for(daemon.finished)
    assert len(dispatch.orders()) == 1


def test_a_restart_goes_on_with_the_dwell_and_repeats_no_order(
    tmp_path: Path, dispatch: Dispatch
) -> None:
    watched = city(camera(dwell_s=10.0))
    with running(tmp_path, dispatch, watched, sees(car()), plays(range(6))) as daemon:
        wait_for(daemon.finished)
    assert dispatch.orders() == []
    with running(tmp_path, dispatch, watched, sees(car()), plays(range(6, 14))) as daemon:
        wait_for(daemon.finished)
    assert len(dispatch.orders()) == 1
    with running(tmp_path, dispatch, watched, sees(car()), plays(range(14, 60))) as daemon:
        wait_for(daemon.finished)
    assert len(dispatch.orders()) == 1


def test_a_car_that_leaves_is_told_of_with_a_picture_after(
    tmp_path: Path, dispatch: Dispatch
) -> None:
    script = [[car()]] * 15 + [[]] * 20
    empty = ScriptedDetector(script, labels=("car",))
    with running(tmp_path, dispatch, city(camera()), empty, plays(range(35))) as daemon:
        wait_for(daemon.finished)
    (observation,) = [
        json.loads(body)
        for _, path, body in dispatch.requests
        if path.endswith("/observation") and b'"cleared"' in body
    ]
    assert observation["cleared_at"] is not None
    assert dispatch.paths("cleared-wide")


def test_one_camera_that_fails_in_an_unforeseen_way_stops_no_other(
    tmp_path: Path, dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = CameraRuntime.step

    def faulty(runtime: CameraRuntime) -> Stepped:
        if runtime.camera.camera_id == "broken":
            raise ZeroDivisionError("unforeseen")
        return step(runtime)

    monkeypatch.setattr(CameraRuntime, "step", faulty)
    watched = city(camera("broken"), camera("gate"), camera("square"))
    with running(tmp_path, dispatch, watched, sees(car()), plays(range(20))):
        wait_for(lambda: len(dispatch.orders()) == 2)
    assert {order["camera_id"] for order in dispatch.orders()} == {"gate", "square"}


def runtime_of(
    store: EdgeStore,
    detector: ScriptedDetector,
    make_stream: Callable[[Camera], CameraStream],
    metrics: DaemonMetrics | None = None,
    **changes: Any,
) -> CameraRuntime:
    counted = metrics or DaemonMetrics()
    deps = CameraDeps(
        detector=detector,
        store=store,
        metrics=counted,
        wake_sender=lambda: None,
        make_stream=make_stream,
        desk=DeskDeps(store=store, metrics=counted, seal=Seal(signer=SIGNER)),
    )
    return CameraRuntime(camera(**changes), deps)


def requests_of(store: EdgeStore) -> list[OutboxRequest]:
    found = []
    while (entry := store.next_due(0.0)) is not None:
        found.append(entry.request)
        store.sent(entry.seq)
    return found


def test_a_look_that_fails_is_counted_and_is_not_an_empty_street(tmp_path: Path) -> None:
    script = [[car()]] * 4 + [InferenceError("no memory")] * 8 + [[car()]] * 10
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        runtime = runtime_of(store, ScriptedDetector(script), plays(range(22)), dwell_s=8.0)
        while not runtime.stream.ended:
            runtime.step()
        assert runtime.status.failures == 8
        assert runtime.status.last_failure == "no memory"
        orders = [r for r in requests_of(store) if r.method == "POST"]
        assert len(orders) == 1
        assert json.loads(orders[0].body)["observed_s"] < 12.0


def test_an_incident_waits_for_a_disk_that_refuses_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        runtime = runtime_of(store, sees(car()), plays(range(30)))
        commit = store.commit
        refused: list[str] = []

        def full_at_first(camera_id: str, state: str, requests: Any = ()) -> None:
            if requests and len(refused) < 3:
                refused.append(state)
                raise StoreError("disk is full")
            commit(camera_id, state, requests)

        monkeypatch.setattr(store, "commit", full_at_first)
        while not runtime.stream.ended:
            try:
                runtime.step()
            except StoreError:
                continue
        assert len(refused) == 3
        assert len([r for r in requests_of(store) if r.method == "POST"]) == 1


def test_time_in_which_nobody_looked_is_counted(tmp_path: Path) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        metrics = DaemonMetrics()
        runtime = runtime_of(store, sees(), plays([0, 1, 4, 24, 25]), metrics=metrics)
        while not runtime.stream.ended:
            runtime.step()
    counted = metrics.registry.get_sample_value(
        "streetwarden_blind_seconds_total", {"camera": "gate"}
    )
    assert counted == 20.0


def test_a_saved_state_that_cannot_be_read_does_not_stop_the_camera(tmp_path: Path) -> None:
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        store.commit("gate", "{broken")
        runtime = runtime_of(store, sees(car()), plays(range(20)))
        while not runtime.stream.ended:
            runtime.step()
        assert runtime.status.looks == 20


def test_a_new_configuration_starts_and_stops_only_what_changed(
    tmp_path: Path, dispatch: Dispatch
) -> None:
    made: list[PlayedStream] = []
    stays, goes, changes = camera("stays"), camera("goes"), camera("changes")
    first = city(stays, goes, changes)
    endless = plays(range(10_000), made=made)
    with running(tmp_path, dispatch, first, sees(), endless) as daemon:
        before = {runtime.camera.camera_id: runtime for runtime in daemon.runtimes()}
        daemon.apply(city(stays, replace(changes, name="Renamed"), camera("comes")))
        wait_for(lambda: {r.camera.camera_id for r in daemon.runtimes()} == {*WANTED})
        wait_for(lambda: names(daemon)["changes"] == "Renamed")
        after = {runtime.camera.camera_id: runtime for runtime in daemon.runtimes()}
        assert after["stays"] is before["stays"]
        assert after["changes"] is not before["changes"]
        assert before["goes"].stream in [stream for stream in made if stream.stopped]


WANTED = ("stays", "changes", "comes")


def names(daemon: Daemon) -> dict[str, str]:
    return {runtime.camera.camera_id: runtime.camera.name for runtime in daemon.runtimes()}


def test_a_changed_camera_goes_on_with_its_dwell(tmp_path: Path, dispatch: Dispatch) -> None:
    old = camera(dwell_s=30.0)
    detector = sees(car())
    with running(tmp_path, dispatch, city(old), detector, plays(range(40, 60))) as daemon:
        wait_for(lambda: daemon.runtimes()[0].stream.ended)
        daemon.apply(city(replace(old, name="Renamed", source="again")))
        wait_for(lambda: names(daemon) == {"gate": "Renamed"})
    assert dispatch.orders() == []
    later = city(replace(old, name="Renamed", source="again"))
    with running(tmp_path, dispatch, later, detector, plays(range(60, 75))) as daemon:
        wait_for(daemon.finished)
    assert len(dispatch.orders()) == 1


def test_a_stuck_reader_is_replaced(tmp_path: Path) -> None:
    made: list[PlayedStream] = []
    with EdgeStore(tmp_path / "edge.sqlite3") as store:
        runtime = runtime_of(store, sees(), plays(range(9), made=made))
        watchdog = Watchdog(lambda: [runtime], [], stuck_reader_s=60.0)
        watchdog.check(time.monotonic())
        assert len(made) == 1
        made[0].freeze(time.monotonic() - 61.0)
        watchdog.check(time.monotonic())
        assert (len(made), made[0].stopped, runtime.stream) == (2, True, made[1])


def test_a_look_that_does_not_end_ends_the_process() -> None:
    aborted: list[bool] = []
    worker = Worker("stuck", schedule=Schedule(), retire=lambda _: True)
    watchdog = Watchdog(list, [worker], abort=lambda: aborted.append(True), stuck_worker_s=120.0)
    watchdog.check(1000.0)
    worker.busy_since_s = 900.0
    watchdog.check(1000.0)
    assert aborted == []
    watchdog.check(1021.0)
    assert aborted == [True]


def test_a_stopped_daemon_leaves_no_thread_behind(tmp_path: Path, dispatch: Dispatch) -> None:
    before = set(threading.enumerate())
    with running(tmp_path, dispatch, city(camera()), sees(), plays(range(5))) as daemon:
        wait_for(daemon.finished)
    assert set(threading.enumerate()) <= before
