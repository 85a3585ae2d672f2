"""Asking a city's own licence-plate reader: real readers on loopback, and how they fail."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from detector.backends import ScriptedDetector
from models.errors import ConfigError, PlateReaderError
from models.evidence import EvidencePolicy, PlateReader, Privacy
from service.config import load_city
from service.daemon.camera import CameraDeps, CameraRuntime
from service.daemon.desk import DeskDeps
from service.daemon.edge import EdgeStore, OutboxRequest
from service.daemon.filing import Seal
from service.daemon.metrics import DaemonMetrics
from service.daemon.plates import PlateAsker, PlateRead, ask
from service.daemon.signing import Signer
from tests.config.builders import changed, write
from tests.daemon.played import camera, car, plays, street
from tests.support.dispatch import jpeg_picture, wait_for
from tests.support.serving import running

PLATE = "京A12345"
GOOD = json.dumps({"plate": PLATE, "confidence": 0.93}).encode()
STREET = (
    street().reshape(15, 8, 20, 8, 3)[:, :1, :, :1].repeat(8, 1).repeat(8, 3).reshape(120, 160, 3)
)
GUIDE = Path(__file__).parents[2] / "docs" / "integrator.md"

Answer = Callable[[BaseHTTPRequestHandler], None]


def says(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


@contextmanager
def reading(answer: Answer, handler: type[BaseHTTPRequestHandler] | None = None) -> Iterator[str]:
    """Address of a reader that answers so; what it got is ``reading.got``."""
    got.clear()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            got.append((str(self.headers["Content-Type"]), self.rfile.read(length)))
            answer(self)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with running(HTTPServer(("127.0.0.1", 0), handler or Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}/read"


got: list[tuple[str, bytes]] = []


def asked(url: str, timeout_s: float = 5.0) -> PlateRead | None:
    return ask(PlateReader(url=url, timeout_s=timeout_s), jpeg_picture(shade=1))


def test_a_reader_gets_a_jpeg_and_its_answer_is_taken() -> None:
    with reading(says(GOOD)) as url:
        assert asked(url) == PlateRead(plate=PLATE, confidence=0.93)
    assert got == [("image/jpeg", jpeg_picture(shade=1))]


def test_a_reader_may_say_that_it_reads_none() -> None:
    with reading(says(b"", 204)) as url:
        assert asked(url) is None


@pytest.mark.parametrize(
    "answer",
    [
        says(GOOD, 500),
        says(b"", 302, Location="http://127.0.0.1:1/elsewhere"),
        says(GOOD + b" " * 5000),
        says(b"{"),
        says(b"[" * 4000),
        says(b"\xff\xfe"),
        says(b"[]"),
        says(b'{"plate": "A1"}'),
        says(b'{"plate": 7, "confidence": 0.5}'),
        says(b'{"plate": "  ", "confidence": 0.5}'),
        says(b'{"plate": "A\\u0000", "confidence": 0.5}'),
        says(b'{"plate": "AAAAAAAAAAAAAAAAAAAAA", "confidence": 0.5}'),
        says(b'{"plate": "A1", "confidence": true}'),
        says(b'{"plate": "A1", "confidence": NaN}'),
        says(b'{"plate": "A1", "confidence": 93}'),
    ],
    ids=[
        *("failing", "sends elsewhere", "oversize", "no JSON", "deep", "no text", "a list"),
        *("no confidence", "a number", "blank", "a control character", "too long"),
        *("no number", "not finite", "percent"),
    ],
)
def test_an_answer_of_no_use_is_an_error_that_does_not_repeat_it(answer: Answer) -> None:
    with reading(answer) as url, pytest.raises(PlateReaderError) as caught:
        asked(url)
    assert PLATE not in str(caught.value)


def test_a_reader_that_is_slow_or_not_there_is_an_error() -> None:
    released = threading.Event()

    def waits(_: BaseHTTPRequestHandler) -> None:
        released.wait(10)

    with reading(waits) as url:
        started = time.monotonic()
        with pytest.raises(PlateReaderError):
            asked(url, timeout_s=0.1)
        assert time.monotonic() - started < 5
        released.set()
    with pytest.raises(PlateReaderError):
        asked(url)


def test_no_proxy_gets_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with reading(says(GOOD)) as url:
        assert asked(url) is not None


def watched(privacy: Privacy, folder: Path) -> tuple[list[OutboxRequest], DaemonMetrics]:
    """What a camera posts of a parked car."""
    gate = camera(privacy=privacy, evidence=EvidencePolicy(clip=False))
    metrics, sent = DaemonMetrics(), list[OutboxRequest]()
    plates = PlateAsker(metrics)
    plates.start()
    with EdgeStore(folder / "edge.sqlite3") as store:
        desk = DeskDeps(store=store, metrics=metrics, seal=Seal(signer=Signer.new()), plates=plates)
        deps = CameraDeps(
            detector=ScriptedDetector([[car()]] * 10, labels=("car", "person")),
            store=store,
            metrics=metrics,
            wake_sender=lambda: None,
            make_stream=plays(range(10), STREET),
            desk=desk,
        )
        runtime = CameraRuntime(gate, deps)
        wait_for(lambda: not runtime.step().looked and runtime.is_done)
        runtime.close(1.0)
        plates.stop(5.0)
        while (entry := store.next_due(time.time())) is not None:
            sent.append(entry.request)
            store.sent(entry.seq)
    return sent, metrics


def count(metrics: DaemonMetrics, outcome: str) -> float | None:
    name = "streetwarden_plate_readings_total"
    return metrics.registry.get_sample_value(name, {"outcome": outcome})


def test_a_camera_asks_no_reader_unless_its_file_names_one(tmp_path: Path) -> None:
    sent, metrics = watched(Privacy(), tmp_path)

    assert [each.path for each in sent if each.path.endswith("/plate")] == []
    assert all(not count(metrics, each) for each in ("read", "none", "failed", "dropped"))


def test_the_reader_sees_the_vehicle_readable_and_the_plate_follows_its_order(
    tmp_path: Path,
) -> None:
    with reading(says(GOOD)) as url, capture_logs() as logs:
        sent, metrics = watched(Privacy(plate_reader=PlateReader(url=url)), tmp_path)

    paths = [each.path.rpartition("/")[2] for each in sent]
    assert paths.index("work-orders") < paths.index("plate")
    (request,) = [each for each in sent if each.path.endswith("/plate")]
    assert (request.method, json.loads(request.body)) == ("PUT", json.loads(GOOD))
    assert [each for each in sent if each is not request and PLATE.encode() in each.body] == []
    assert count(metrics, "read") == 1
    assert PLATE not in str(logs)
    ((kind, jpeg),) = got
    assert kind == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape[0] <= STREET.shape[0]
    assert picture.std() > 50, "blocks of redaction would be all alike"


@pytest.mark.parametrize("answer", [says(b"", 500), says(b"x" * 9000)], ids=["failing", "oversize"])
def test_a_reader_that_fails_costs_a_metric_and_a_line_and_nothing_else(
    answer: Answer, tmp_path: Path
) -> None:
    with reading(answer) as url, capture_logs() as logs:
        sent, metrics = watched(Privacy(plate_reader=PlateReader(url=url)), tmp_path)

    names = {each.path.rpartition("/")[2] for each in sent}
    assert {"work-orders", "opened-wide", "manifest"} <= names
    assert "plate" not in names
    assert count(metrics, "failed") == 1
    assert [each["event"] for each in logs].count("plate reader failed") == 1


def test_a_file_names_a_reader_with_its_legal_basis(tmp_path: Path) -> None:
    reader = "{url: 'http://10.0.0.5:9100/read', timeout: 2s, legal_basis: Order 7}"
    camera = load_city(write(tmp_path, named(reader))).cameras[0]

    assert camera.privacy.plate_reader == PlateReader(
        url="http://10.0.0.5:9100/read", timeout_s=2.0
    )


def named(reader: str) -> str:
    return changed(
        "    resolution: [1920", f"    privacy: {{plate_reader: {reader}}}\n    resolution: [1920"
    )


@pytest.mark.parametrize(
    "url",
    [
        *("http://8.8.8.8/read", "http://reader.example/read", "http://169.254.169.254/"),
        *("http://0.0.0.0/read", "http://[2001:db8::1]/read", "http://user:pw@10.0.0.5/"),
        *("ftp://127.0.0.1/read", "127.0.0.1:9100", "http://127.0.0.1:99999/", "http://[::1/"),
    ],
)
def test_a_reader_elsewhere_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match=r"plate_reader\.url: should") as caught:
        load_city(write(tmp_path, named(f"{{url: '{url}', legal_basis: Order 7}}")))
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "[::1]", "192.168.1.9", "172.16.0.1", "[fd00::1]"])
def test_a_reader_close_by_is_taken(tmp_path: Path, host: str) -> None:
    text = named(f"{{url: 'https://{host}:9100/read', legal_basis: Order 7}}")
    assert load_city(write(tmp_path, text)).cameras[0].privacy.plate_reader is not None


def test_a_reader_without_a_legal_basis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="legal_basis"):
        load_city(write(tmp_path, named("{url: 'http://127.0.0.1:9100/read'}")))


def test_the_reader_of_the_guide_answers_as_it_says() -> None:
    found = re.search(
        r"<!-- plate-reader -->\n```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert found is not None
    source, _, start = found[1].rstrip().rpartition("\n")
    assert start == 'HTTPServer(("127.0.0.1", 9100), Reader).serve_forever()'
    assert len([line for line in source.splitlines() if line.strip()]) < 18
    names: dict[str, type[BaseHTTPRequestHandler]] = {}
    exec(source, names)  # noqa: S102 - the guide's own example
    with reading(says(b""), names["Reader"]) as url:
        assert asked(url) is None
