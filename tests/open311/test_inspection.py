"""A citizen's photo: a detector looks before anybody sees it, and no report waits for long."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image as Pillow

import sample_videos
from detector.backends.scripted import ScriptedDetector
from models.errors import InferenceError
from models.geometry import Box
from models.seeing import Detection, Image
from service.api.app import create_app
from service.api.deps import ApiDeps
from service.api.inspecting import delete_withheld, release_overdue
from service.cli.inspect_reports import inspect_reports
from service.daemon.client import DispatchClient
from service.daemon.inspector import InspectorThread, ReportInspector
from service.decisions.access import Role
from service.store.audit import entries
from tests.support.dispatch import (
    BACKENDS,
    KEYS,
    Service,
    client_of,
    migrated,
    running_service,
    wait_for,
)

WAIT_S = 600.0
FORM = {
    "api_key": KEYS[Role.REPORTER],
    "service_code": "litter",
    "lat": "31.2304",
    "long": "121.4737",
    "description": "something lies here",
}
ORDERS = "/api/v1/work-orders"
PERSON = Detection(label="person", confidence=0.15, box=Box(20, 20, 80, 200))
HEAP = Detection(label="garbage_pile", confidence=0.83, box=Box(200, 120, 300, 220))
BIN = Detection(label="overflowing_bin", confidence=0.71, box=Box(200, 60, 260, 160))
UNSURE = Detection(label="pothole", confidence=0.2, box=Box(10, 10, 40, 40))


@pytest.fixture(params=BACKENDS)
def waiting(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """A service whose reports wait for a detector."""
    with _waiting(request.param, tmp_path) as service:
        yield service


@pytest.fixture
def sqlite_waiting(tmp_path: Path) -> Iterator[Service]:
    with _waiting("sqlite", tmp_path) as service:
        yield service


@contextmanager
def _waiting(backend: str, folder: Path) -> Iterator[Service]:
    def make(deps: ApiDeps) -> FastAPI:
        settings = replace(deps.settings, inspect_wait_s=WAIT_S)
        return create_app(replace(deps, settings=settings))

    with migrated(backend, folder) as database, running_service(database, folder, make) as service:
        yield service


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as the city has it."""

    service: Service
    order_id: str

    def order(self) -> dict[str, Any]:
        return self.service.order(self.order_id)

    def picture(self) -> Image:
        url = self.order()["evidence"][0]["url"]
        content = self.service.client.get(url).raise_for_status().content
        return np.asarray(Pillow.open(io.BytesIO(content)))


def photo(seed: int = 1) -> bytes:
    """A picture with detail everywhere, so that what was blurred can be told."""
    noise = np.random.default_rng(seed).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    out = io.BytesIO()
    Pillow.fromarray(noise).save(out, "JPEG", quality=90)
    return out.getvalue()


def report(service: Service, seed: int = 1, **changes: str) -> Report:
    answer = service.anonymous.post(
        "/open311/v2/requests.json", data=FORM | changes, files={"media": ("a.jpg", photo(seed))}
    )
    assert answer.status_code == 200, answer.text
    number = int(answer.json()[0]["service_request_id"])
    items = service.client.get(ORDERS).json()["items"]
    order_id = next(each["order_id"] for each in items if each["number"] == number)
    return Report(service=service, order_id=order_id)


@contextmanager
def inspector(
    service: Service, script: Sequence[Detection] | Exception | Callable[[Image], Any], **more: Any
) -> Iterator[ReportInspector]:
    answer = script if callable(script) else lambda _image: script
    with DispatchClient(service.url, KEYS[Role.DETECTOR]) as client:
        yield ReportInspector(
            detector=ScriptedDetector(answer),
            client=client,
            model="street-n@1f3a9c02",
            thresholds={"pothole": 0.5},
            **more,
        )


def inspect(service: Service, *found: Detection) -> None:
    with inspector(service, found) as looking:
        assert looking.inspect_waiting() == 1


def test_a_report_waits_unseen_until_a_detector_has_looked(waiting: Service) -> None:
    one = report(waiting)
    before = one.order()

    inspect(waiting, PERSON, HEAP, UNSURE)

    after = one.order()
    assert (before["status"], before["department_id"], before["evidence"]) == ("received", None, [])
    assert before["inspection"]["state"] == "waiting"
    assert (after["status"], after["department_id"]) == ("dispatched", "cleaning")
    inspection = after["inspection"]
    assert (inspection["state"], inspection["model"]) == ("inspected", "street-n@1f3a9c02")
    assert [each["label"] for each in inspection["detections"]] == ["garbage_pile"]
    assert inspection["detections"][0]["box_xyxy"] == [200, 120, 300, 220]
    assert inspection["suggestion"] == {
        "category": "litter", "service_code": "litter", "confidence": 0.83,
    }  # fmt: skip
    assert [each["kind"] for each in after["history"]] == ["received", "evidence", "note", "status"]
    with inspector(waiting, []) as looking:
        assert looking.inspect_waiting() == 0


def test_what_people_see_is_blurred_where_the_detector_saw_a_person(
    sqlite_waiting: Service,
) -> None:
    one = report(sqlite_waiting)
    original = np.asarray(Pillow.open(io.BytesIO(photo()))).astype(int)

    inspect(sqlite_waiting, PERSON)

    shown = one.picture().astype(int)
    head, street = np.s_[22:70, 22:78], np.s_[100:200, 120:300]
    assert shown.shape == original.shape
    assert np.abs(shown[head] - original[head]).mean() > 40
    assert np.abs(shown[street] - original[street]).mean() < 20


@pytest.mark.parametrize(
    ("script", "more"),
    [
        pytest.param(InferenceError("no memory"), {}, id="the detector fails"),
        pytest.param([PERSON], {"redactor": None}, id="the redactor fails"),
    ],
)
def test_a_photo_that_cannot_be_blurred_is_shown_to_nobody(
    sqlite_waiting: Service, script: Any, more: dict[str, Any]
) -> None:
    one = report(sqlite_waiting)

    with inspector(sqlite_waiting, script, **more) as looking:
        assert looking.inspect_waiting() == 1
        assert looking.inspect_waiting() == 0

    order = one.order()
    assert (order["status"], order["evidence"]) == ("dispatched", [])
    assert (order["inspection"]["state"], order["inspection"]["suggestion"]) == ("failed", None)
    assert order["inspection"]["reason"]


def test_a_report_goes_on_uninspected_in_time_and_is_looked_at_later(waiting: Service) -> None:
    one = report(waiting)
    waiting.clock.forward(WAIT_S - 1)
    assert release_overdue(waiting.deps) == 0
    assert one.order()["status"] == "received"

    waiting.clock.forward(1)
    assert (release_overdue(waiting.deps), release_overdue(waiting.deps)) == (1, 0)

    order = one.order()
    assert (order["status"], order["inspection"]["state"]) == ("dispatched", "overdue")
    assert order["evidence"] == []
    assert any("no detector looked" in each["note"] for each in order["history"])
    inspect(waiting, BIN)
    late = one.order()
    assert (late["status"], late["inspection"]["state"]) == ("dispatched", "inspected")
    assert late["inspection"]["suggestion"]["category"] == "overflowing_bin"
    assert len(late["evidence"]) == 1


def test_what_a_dispatcher_did_meanwhile_stands(sqlite_waiting: Service) -> None:
    one = report(sqlite_waiting)
    change = {"department_id": "traffic"}
    sqlite_waiting.admin.patch(f"{ORDERS}/{one.order_id}", json=change).raise_for_status()

    inspect(sqlite_waiting, HEAP)

    order = one.order()
    assert (order["status"], order["department_id"]) == ("dispatched", "traffic")
    assert order["inspection"]["state"] == "inspected"


def test_a_suggestion_is_accepted_with_its_department_priority_and_times(waiting: Service) -> None:
    one = report(waiting, service_code="litter")
    inspect(waiting, replace(BIN, label="car", box=Box(0, 0, 300, 200)))
    path, before = f"{ORDERS}/{one.order_id}/accept-suggestion", one.order()
    assert before["inspection"]["suggestion"]["category"] == "illegal_parking"

    with client_of(waiting.url, Role.CREW) as crew:
        assert crew.post(path).status_code == 403
    stale = waiting.client.post(path, headers={"If-Match": '"1"'})
    answer = waiting.client.post(path, headers={"If-Match": f'"{before["version"]}"'})
    again = waiting.client.post(path)

    assert (stale.status_code, answer.status_code, again.status_code) == (412, 200, 409)
    order = answer.json()
    assert (order["category"], order["department_id"]) == ("illegal_parking", "traffic")
    assert order["due_at"] != before["due_at"]
    assert order["codes"][0]["code"] == "04-09"
    note = order["history"][-1]
    assert (note["kind"], note["department_id"]) == ("department", "traffic")
    assert "from litter to illegal_parking" in note["note"]


def test_open_orders_close_by_are_named_by_the_suggested_category(sqlite_waiting: Service) -> None:
    near = sqlite_waiting.post_order(
        category="overflowing_bin", latitude=31.2306, longitude=121.4737
    )
    sqlite_waiting.post_order(category="overflowing_bin", latitude=31.2404, longitude=121.4737)
    sqlite_waiting.post_order(category="illegal_parking", latitude=31.2304, longitude=121.4737)
    one = report(sqlite_waiting)

    inspect(sqlite_waiting, BIN)

    (found,) = one.order()["inspection"]["near"]
    assert (found["number"], found["category"]) == (near["number"], "overflowing_bin")
    assert found["distance_m"] == pytest.approx(22.2, abs=0.5)


def test_only_detectors_get_the_photo_and_each_time_is_logged(sqlite_waiting: Service) -> None:
    one = report(sqlite_waiting)
    path = f"/api/v1/reports/{one.order_id}/photo"

    codes = {}
    for role in Role:
        with client_of(sqlite_waiting.url, role) as client:
            codes[role] = client.get(path).status_code

    assert {role for role, code in codes.items() if code == 200} == {Role.DETECTOR, Role.ADMIN}
    assert set(codes.values()) == {200, 403}
    inspect(sqlite_waiting)
    assert sqlite_waiting.detector.get(path).status_code == 404
    with sqlite_waiting.deps.database.read() as connection:
        read = [e.actor for e in entries(connection) if e.action == "photo.read"]
    assert read == ["key:test-detector", "key:test-admin", "key:test-detector"]


def test_findings_without_the_blurred_picture_are_refused(sqlite_waiting: Service) -> None:
    one = report(sqlite_waiting)
    path = f"/api/v1/reports/{one.order_id}/inspection"

    answer = sqlite_waiting.detector.put(path, json={"model": "m"})

    assert answer.status_code == 409
    assert "blurred picture" in answer.json()["detail"]
    assert one.order()["inspection"]["state"] == "waiting"


def test_the_first_to_tell_is_heard(sqlite_waiting: Service) -> None:
    one = report(sqlite_waiting)
    inspect(sqlite_waiting, HEAP)
    path = f"/api/v1/reports/{one.order_id}/inspection"

    answer = sqlite_waiting.detector.put(path, json={"failure": "too late"})

    assert (answer.status_code, answer.json()["state"]) == (200, "inspected")


def withheld(service: Service) -> list[Path]:
    folder: Path = service.deps.files._evidence  # the only way to see what nobody is shown
    return sorted(folder.rglob("*.withheld.jpg"))


def test_a_photo_as_it_came_is_deleted_once_it_was_inspected(sqlite_waiting: Service) -> None:
    one = report(sqlite_waiting)
    assert report(sqlite_waiting).order_id == one.order_id
    report(sqlite_waiting, description="the same photo, another report")
    assert len(withheld(sqlite_waiting)) == 1

    with inspector(sqlite_waiting, [HEAP]) as looking:
        assert looking.inspect_waiting() == 2
    assert withheld(sqlite_waiting) == []
    report(sqlite_waiting)
    assert withheld(sqlite_waiting) == []


def test_a_photo_that_nobody_inspects_is_deleted_in_time_but_for_a_hold(waiting: Service) -> None:
    held, other = report(waiting), report(waiting, seed=2)
    hold = {"reason": "objection"}
    waiting.admin.put(f"{ORDERS}/{held.order_id}/legal-hold", json=hold).raise_for_status()
    waiting.clock.forward(WAIT_S)
    release_overdue(waiting.deps)
    assert delete_withheld(waiting.deps, 10) == 0

    waiting.clock.forward(31 * 86_400)

    assert (delete_withheld(waiting.deps, 10), delete_withheld(waiting.deps, 10)) == (1, 0)
    assert len(withheld(waiting)) == 1
    photo_of = "/api/v1/reports/{}/photo".format
    assert waiting.detector.get(photo_of(other.order_id)).status_code == 404
    assert waiting.detector.get(photo_of(held.order_id)).status_code == 200


def test_a_service_that_does_not_answer_is_asked_again(sqlite_waiting: Service) -> None:
    failures = iter([httpx.ConnectError("down"), httpx.ConnectError("down")])
    one = report(sqlite_waiting)

    class Flaky(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            error = next(failures, None)
            if error is not None:
                raise error
            return super().handle_request(request)

    with DispatchClient(sqlite_waiting.url, KEYS[Role.DETECTOR], Flaky()) as client:
        looking = ReportInspector(
            detector=ScriptedDetector(lambda _image: [HEAP]), client=client, model="m"
        )
        with InspectorThread(looking, every_s=0.01):
            wait_for(lambda: one.order()["inspection"]["state"] == "inspected")


def test_a_reporter_hands_in_reports_and_may_do_nothing_else(sqlite_waiting: Service) -> None:
    report(sqlite_waiting)
    with client_of(sqlite_waiting.url, Role.REPORTER) as app:
        assert app.get("/open311/v2/requests.json").status_code == 200
        for path in (ORDERS, "/api/v1/cameras", "/api/v1/reports/uninspected", "/api/v1/session"):
            assert app.get(path).status_code == 403, path
        assert app.post(ORDERS, json={}).status_code == 403
    viewer = FORM | {"api_key": KEYS[Role.VIEWER]}
    answer = sqlite_waiting.anonymous.post("/open311/v2/requests.json", data=viewer)
    assert answer.status_code == 403


def test_a_flood_is_refused_before_a_picture_is_decoded(
    sqlite_waiting: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    monkeypatch.setattr(
        "service.api.open311.submission.harmless", lambda content: decoded.append(content)
    )
    form = FORM | {"service_code": "ufo"}
    for _ in range(60):
        sqlite_waiting.anonymous.post("/open311/v2/requests.json", data=form)

    answer = sqlite_waiting.anonymous.post(
        "/open311/v2/requests.json", data=FORM, files={"media": ("a.jpg", photo())}
    )

    assert (answer.status_code, decoded) == (429, [])


def test_the_command_looks_with_the_citys_own_model(
    sqlite_waiting: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame of a packaged film: a pothole, and a car whose plates must not be read."""
    film = cv2.VideoCapture(str(Path(sample_videos.__file__).parent / "pothole_appears.mp4"))
    film.set(cv2.CAP_PROP_POS_FRAMES, 60)
    frame = film.read()[1]
    film.release()
    sent = {"media": ("a.jpg", cv2.imencode(".jpg", frame)[1].tobytes())}
    city = tmp_path / "city.yaml"
    city.write_text(
        "city: {name: Testville, timezone: UTC}\n"
        f"dispatch: {{url: '{sqlite_waiting.url}', api_key_env: TEST_KEY}}\n"
        "cameras: [{id: gate, source: 0, legal_basis: test}]\n"
    )
    monkeypatch.setenv("TEST_KEY", KEYS[Role.DETECTOR])
    monkeypatch.setattr("service.cli.inspect_reports.configure_logs", lambda **_: None)
    sqlite_waiting.anonymous.post(
        "/open311/v2/requests.json", data=FORM, files=sent
    ).raise_for_status()

    inspect_reports(city, once=True)

    order_id = sqlite_waiting.client.get(ORDERS).json()["items"][0]["order_id"]
    one = Report(service=sqlite_waiting, order_id=order_id)
    inspection = one.order()["inspection"]
    assert inspection["state"] == "inspected", inspection["reason"]
    assert inspection["model"].startswith("street-n@")
    assert inspection["suggestion"]["category"] == "road_damage"
    assert inspection["suggestion"]["confidence"] > 0.5
    car = next(each for each in inspection["detections"] if each["label"] == "car")
    x1, y1, x2, y2 = (int(edge) for edge in car["box_xyxy"])
    changed = np.abs(one.picture()[..., ::-1].astype(int) - frame.astype(int))
    middle = (y1 + y2) // 2
    assert changed[middle : y2 - 4, x1 + 4 : x2 - 4].mean() > 3 * changed[: y1 - 10].mean()
