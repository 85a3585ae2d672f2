"""A real daemon on sample clips records; then other rules are tried on what it saw."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from detector.backends import load_detector, model_facts
from service.cli.app import app
from service.config import load_city
from service.daemon.client import DispatchClient
from service.daemon.daemon import Daemon, DaemonDeps
from service.daemon.edge import EdgeStore
from service.daemon.signing import Signer
from service.decisions.access import Role
from tests.support.dispatch import KEYS, Service, migrated, running_service, wait_for

pytestmark = pytest.mark.timeout(300)
"""The daemon looks at a whole clip first, on whatever machine this is."""

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
RUN_S = 150.0


def camera(clip: str, kind: str, dwell_s: float, **rule: Any) -> dict[str, Any]:
    """A sample clip as a camera with the zones of its ground truth."""
    truth = yaml.safe_load((SAMPLES / f"{clip}.yaml").read_text(encoding="utf-8"))
    return {
        "id": clip,
        "source": str(SAMPLES / f"{clip}.mp4"),
        "legal_basis": "sample",
        "paced": False,
        "closer_looks": False,
        "resolution": [truth["video"]["width"], truth["video"]["height"]],
        "zones": [
            {
                "id": zone["name"],
                "polygon": zone["polygon_xy"],
                "units": "pixels",
                "rules": [{"kind": kind, "dwell": dwell_s, "department": "traffic", **rule}],
            }
            for zone in truth["zones"]
        ],
    }


def document(*cameras: dict[str, Any]) -> dict[str, Any]:
    return {
        "city": {"name": "Test", "timezone": "UTC"},
        "departments": [{"id": "traffic", "name": "Traffic"}],
        "evidence": {"clip": False},
        "cameras": list(cameras),
    }


PARKED = "parking_double_yellow"


@dataclass(frozen=True, kw_only=True)
class Yesterday:
    """What a daemon recorded, and the dispatch service that has the orders it made."""

    folder: Path
    config: Path
    service: Service
    orders: list[dict[str, Any]]

    def write(self, dwell_s: float, **rule: Any) -> Path:
        path = self.folder / "new.yaml"
        other = document(camera(PARKED, "illegal_parking", dwell_s, **rule))
        path.write_text(yaml.safe_dump(other), encoding="utf-8")
        return path

    def command(self, *arguments: object, code: int = 0) -> str:
        window = ("--from", "2000-01-01", "--to", "2100-01-01")
        folder = ("--recordings", self.folder / "recordings")
        given = [str(each) for each in (*arguments, *window, *folder)]
        result = CliRunner().invoke(app, given, env={"STREETWARDEN_API_KEY": KEYS[Role.CLIENT]})
        assert result.exit_code == code, result.output
        return result.output

    def replay(self, *arguments: object) -> dict[str, Any]:
        return printed_json(self.command("replay", *arguments, "--json"))


def printed_json(output: str) -> dict[str, Any]:
    """The answer among what the dispatch service, in the same process, says of its requests."""
    found: dict[str, Any] = json.loads(next(x for x in output.splitlines() if x.startswith("{")))
    return found


@pytest.fixture(scope="module")
def yesterday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yesterday]:
    folder = tmp_path_factory.mktemp("yesterday")
    config = folder / "city.yaml"
    config.write_text(
        yaml.safe_dump(document(camera(PARKED, "illegal_parking", 5))), encoding="utf-8"
    )
    with migrated("sqlite", folder) as database, running_service(database, folder) as service:
        run_daemon(config, folder, service)
        orders = service.client.get("/api/v1/work-orders").json()["items"]
        yield Yesterday(folder=folder, config=config, service=service, orders=orders)


def run_daemon(config: Path, folder: Path, service: Service) -> None:
    """The real daemon, with the shipped detector, until the clip has ended."""
    city = load_city(config, facts_of=model_facts)
    key = KEYS[Role.DETECTOR]
    with (
        closing(load_detector(city.model)) as detector,
        EdgeStore(folder / "edge.sqlite3") as store,
        DispatchClient(service.url, key) as client,
        DispatchClient(service.url, key) as report_client,
    ):
        deps = DaemonDeps(
            detector=detector,
            store=store,
            client=client,
            report_client=report_client,
            signer=Signer.of_folder(folder),
            recordings=folder / "recordings",
        )
        with Daemon(city, deps, workers=1) as daemon:
            wait_for(daemon.finished, RUN_S)


def test_the_same_rules_make_the_same_incidents_with_the_same_ids(yesterday: Yesterday) -> None:
    found = yesterday.replay("--config", yesterday.config)
    assert len(yesterday.orders) == 1
    assert (found["new"], found["gone"], found["changed"], found["limits"]) == ([], [], [], [])
    assert [each["incident"]["incident_id"] for each in found["same"]] == [
        order["incident_id"] for order in yesterday.orders
    ]
    (seen,) = found["cameras"]
    assert (seen["camera"], seen["looks"] > 20, seen["watched_s"] > 20) == (PARKED, True, True)


@pytest.mark.parametrize(
    ("dwell_s", "outcome", "shift_s"),
    [
        pytest.param(60, "gone", None, id="a dwell that it never reached"),
        pytest.param(10, "changed", 5.0, id="a longer dwell"),
        pytest.param(2, "changed", -3.0, id="a shorter dwell"),
    ],
)
def test_other_rules_show_what_they_would_change(
    yesterday: Yesterday, dwell_s: float, outcome: str, shift_s: float | None
) -> None:
    found = yesterday.replay("--config", yesterday.write(dwell_s))
    assert {name: len(found[name]) for name in ("new", "gone", "changed", "same")} == {
        "new": 0, "gone": 0, "changed": 0, "same": 0, outcome: 1,
    }  # fmt: skip
    if shift_s is not None:
        assert found["changed"][0]["opened_shift_s"] == pytest.approx(shift_s, abs=1.1)


def test_two_files_are_compared_with_each_other(yesterday: Yesterday) -> None:
    strict = yesterday.write(60)
    found = yesterday.replay("--config", yesterday.config, "--against", strict)
    assert (len(found["new"]), len(found["gone"])) == (1, 0)
    (said,) = [yesterday.command("replay", "--config", yesterday.config, "--against", strict)]
    assert "1 new, 0 gone, 0 changed, 0 the same" in said
    assert "double_yellow_near" in said


def test_verdicts_of_people_give_precision_and_recall(yesterday: Yesterday) -> None:
    (order,), url = yesterday.orders, yesterday.service.url
    path = f"/api/v1/work-orders/{order['order_id']}"
    assert yesterday.service.client.patch(path, json={"status": "resolved"}).is_success
    kept = yesterday.replay("--config", yesterday.config, "--dispatch", url)
    (rule,) = kept["rules"]
    assert rule["recall"] == {"part": 1, "whole": 1, "value": 1.0, "interval_95": [0.2065, 1.0]}
    lost = yesterday.replay("--config", yesterday.write(60), "--dispatch", url)
    assert lost["gone"][0]["verdict"] == "confirmed"
    assert (lost["gone"][0]["order"], lost["rules"][0]["recall"]["value"]) == (order["number"], 0)
    said = yesterday.command("replay", "--config", yesterday.write(60), "--dispatch", url)
    assert "0.00 (0.00-0.79) 0/1" in said
    assert f"order {order['number']}: confirmed" in said


def test_what_cannot_be_tried_is_told(yesterday: Yesterday) -> None:
    path = yesterday.write(5, labels=["car", "tram"])
    text = path.read_text(encoding="utf-8") + "model: {weights: other.pt, min_confidence: 0.05}\n"
    path.write_text(text.replace("tram", "pothole"), encoding="utf-8")
    limits = " ".join(yesterday.replay("--config", path)["limits"])
    assert "not tracked when it was recorded: pothole" in limits
    assert "min_confidence 0.05 cannot be tried" in limits
    assert "recorded with street-n" in limits


def test_tune_states_how_many_verdicts_are_lacking(yesterday: Yesterday, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    rule = f"{PARKED}/double_yellow_near/illegal_parking"
    common = ("tune", "--config", yesterday.config, "--dispatch", yesterday.service.url)
    said = yesterday.command(*common, "--rule", rule, "--plot", plot)
    assert "No advice on so few verdicts" in said
    assert plot.read_text(encoding="utf-8").startswith("<svg")
    found = printed_json(yesterday.command(*common, "--rule", rule, "--json"))
    assert found["best"] is None
    assert len(found["outcomes"]) > 30


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["replay", "--camera", "nowhere"], "no camera nowhere", id="no such camera"),
        pytest.param(["tune", "--rule", "kerb"], "camera/zone/rule", id="no such form of rule"),
    ],
)
def test_what_makes_no_sense_is_refused(
    yesterday: Yesterday, arguments: list[str], message: str
) -> None:
    said = yesterday.command(*arguments, "--config", yesterday.config, code=2)
    assert message in " ".join(said.replace("│", " ").split())
