"""Harvesting over HTTP from a real dispatch service, with the command."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from detector.training.judged import Verdict
from models.errors import DispatchRejected, DispatchUnavailable
from service.cli.app import app
from service.decisions.access import Role
from service.evaluation import verdicts
from service.evaluation.verdicts import connect, fetch_judged
from tests.support.dispatch import KEYS, Service, jpeg_picture, migrated, running_service

ORDERS = "/api/v1/work-orders"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with (
        migrated("sqlite", tmp_path) as database,
        running_service(database, tmp_path) as service,
    ):
        yield service


def judged(service: Service, *steps: dict[str, str], clean: bool = True, **order: Any) -> str:
    """A new order with a picture, on which people took these steps; its id."""
    made = service.post_order(
        label="litter", box_xyxy=[100, 100, 140, 130], width_px=320, height_px=240, **order
    )
    names = ["opened-wide", *(["opened-clean"] if clean else [])]
    for name in names:
        path = f"/api/v1/incidents/{made['incident_id']}/evidence/{name}"
        picture = jpeg_picture(320, 240)
        answer = service.detector.put(path, content=picture, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == 201, answer.text
    for step in steps:
        answer = service.client.patch(f"{ORDERS}/{made['order_id']}", json=step)
        assert answer.status_code == 200, answer.text
    return str(made["order_id"])


def rejected(reason_code: str) -> dict[str, str]:
    return {"status": "rejected", "reason_code": reason_code, "reason": "looked at it"}


RESOLVED, VERIFIED, CLOSED = ({"status": name} for name in ("resolved", "verified", "closed"))


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [
        pytest.param([], Verdict.UNCLEAR, id="nobody has looked"),
        pytest.param([RESOLVED], Verdict.UNCLEAR, id="nobody has checked"),
        pytest.param([RESOLVED, VERIFIED], Verdict.CONFIRMED, id="verified"),
        pytest.param([RESOLVED, CLOSED], Verdict.CONFIRMED, id="closed"),
        pytest.param([rejected("false_alarm")], Verdict.FALSE_ALARM, id="false alarm"),
        pytest.param([rejected("duplicate")], Verdict.UNCLEAR, id="duplicate"),
        pytest.param([rejected("permitted")], Verdict.UNCLEAR, id="permitted"),
        pytest.param([{"status": "rejected", "reason": "no"}], Verdict.UNCLEAR, id="words only"),
    ],
)
def test_only_some_outcomes_say_something_of_the_picture(
    service: Service, tmp_path: Path, steps: list[dict[str, str]], verdict: Verdict
) -> None:
    judged(service, *steps)
    with connect(service.url, KEYS[Role.CLIENT]) as client:
        (order,) = fetch_judged(client, tmp_path / "pictures")
    assert order.verdict is verdict
    assert (order.picture is not None) is (verdict is not Verdict.UNCLEAR)


def test_every_order_is_fetched_once_over_many_pages(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "PAGE_ORDERS", 2)
    ids = {judged(service, rejected("false_alarm")) for _ in range(5)}
    with connect(service.url, KEYS[Role.CLIENT]) as client:
        found = [order.order_id for order in fetch_judged(client, tmp_path / "pictures")]
    assert (set(found), len(found)) == (ids, 5)


def test_the_verdict_is_told_with_who_gave_it_and_first_when(
    service: Service, tmp_path: Path
) -> None:
    path = f"{ORDERS}/{judged(service, RESOLVED, VERIFIED, model='street-n@1f3a9c02')}"
    verified_at = service.clock.at
    service.clock.forward(3600)
    service.client.patch(path, json=CLOSED)
    with connect(service.url, KEYS[Role.CLIENT]) as client:
        (order,) = fetch_judged(client, tmp_path / "pictures")
    assert (order.judged_by, order.judged_at) == ("test-client", verified_at)
    assert order.model == "street-n@1f3a9c02"
    assert order.place.xyxy == pytest.approx((100 / 320, 100 / 240, 140 / 320, 130 / 240))


def run(service: Service, output: Path, *more: str) -> dict[str, Any]:
    arguments = ["model", "harvest", "--dispatch", service.url, "--output", str(output), "--json"]
    keyed = {"STREETWARDEN_API_KEY": KEYS[Role.CLIENT]}
    result = CliRunner().invoke(app, [*arguments, *more], env=keyed)
    assert result.exit_code == 0, result.output
    # The service runs in this process: its log lines are captured as well.
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("{"))
    told: dict[str, Any] = json.loads(line)
    return told


def test_the_command_writes_a_version_and_finds_it_again(service: Service, tmp_path: Path) -> None:
    judged(service, rejected("false_alarm"))
    judged(service, RESOLVED, CLOSED)
    judged(service, rejected("duplicate"))
    judged(service, rejected("false_alarm"), clean=False)
    first = run(service, tmp_path / "out")
    again = run(service, tmp_path / "out")
    assert (first["confirmed"], first["false_alarms"], first["images"]) == (1, 0, 2)
    assert Counter(first["unused"]) == {
        "it has no clean picture": 1,
        "something of its class may really be there": 1,
    }
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["version"] == again["version"]


def test_since_leaves_out_what_did_not_change_since_then(service: Service, tmp_path: Path) -> None:
    judged(service, rejected("false_alarm"), camera_id="old")
    service.clock.forward(86_400)
    judged(service, rejected("false_alarm"), camera_id="new")
    everything = run(service, tmp_path / "out")
    recent = run(service, tmp_path / "out", "--since", service.clock.at.strftime("%Y-%m-%d"))
    assert (everything["false_alarms"], recent["false_alarms"]) == (2, 1)


@pytest.mark.parametrize("name", ["a__b", "../up", ".hidden", "a/b"])
def test_a_name_that_would_break_paths_or_sets_is_refused(tmp_path: Path, name: str) -> None:
    arguments = ["model", "harvest", "--output", str(tmp_path), "--key", "k", "--name", name]
    assert CliRunner().invoke(app, arguments).exit_code == 2


def test_a_key_that_may_not_read_is_told_so(service: Service, tmp_path: Path) -> None:
    with (
        connect(service.url, KEYS[Role.DETECTOR]) as client,
        pytest.raises(DispatchRejected, match="needs the role client"),
    ):
        list(fetch_judged(client, tmp_path / "pictures"))


def test_a_service_that_does_not_answer_is_told_so(tmp_path: Path) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with (
        httpx.Client(base_url="http://dispatch", transport=httpx.MockTransport(refuse)) as client,
        pytest.raises(DispatchUnavailable, match="refused"),
    ):
        list(fetch_judged(client, tmp_path / "pictures"))
