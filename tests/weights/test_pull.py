from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from detector.weights import fetch as fetching
from detector.weights.fetch import FetchOrder, fetch
from detector.weights.form import Status, WeightsFormat
from detector.weights.pull import PullOrder, pull
from detector.weights.registry import REGISTRY_NAME, load_registry, resolve
from models.errors import WeightsError

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@dataclass(frozen=True)
class Server:
    """A web server on loopback with one file and several ways to fail."""

    url: str
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    """Answers as the path asks for."""

    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        getattr(self, f"_{self.path.strip('/').split('.')[0]}")()

    def _good(self) -> None:
        self._begin(len(CONTENT))
        self.wfile.write(CONTENT)

    def _lost(self) -> None:
        self.send_error(404)

    def _cut(self) -> None:
        self._begin(len(CONTENT))
        self.wfile.write(CONTENT[: len(CONTENT) // 2])

    def _unmeasured(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def _moved(self) -> None:
        self.send_response(302)
        self.send_header("Location", "/good.pt")
        self.end_headers()

    def _begin(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    asked: list[str] = []
    handler = type("Recording", (Handler,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield Server(url=f"http://127.0.0.1:{http.server_port}", asked=asked)
        http.shutdown()
        thread.join()


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / REGISTRY_NAME).write_text("version: 1\nweights: []\n")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own"


def files_in(folder: Path) -> set[str]:
    """All that lies there, but for the lock."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    return found - {".lock"}


@pytest.mark.parametrize("path", ["/good.pt", "/moved.pt", "/unmeasured.pt"])
def test_a_url_with_the_right_hash_is_fetched_listed_and_found_by_name(
    server: Server, shipped: Path, own: Path, path: str
) -> None:
    progress: list[tuple[int, int | None]] = []
    order = PullOrder(name="net", source=server.url + path, sha256=SHA256, licence="CC0-1.0")
    listed = pull(
        order, lambda *seen: progress.append(seen), bundled_folder=shipped, user_folder=own
    )
    assert (listed.entry.status, listed.shipped) == (Status.YOURS, False)
    found = resolve("net", registry=load_registry(shipped, own))
    assert found.path.read_bytes() == CONTENT
    assert (found.format, found.verified) == (WeightsFormat.PYTORCH, True)
    assert progress[-1][0] == len(CONTENT)
    assert files_in(own) == {"registry.yaml", "net/net.pt"}


@pytest.mark.parametrize(
    ("path", "sha256", "said"),
    [
        pytest.param("/good.pt", "0" * 64, f"its sha256 is {SHA256}, not 0000", id="wrong hash"),
        pytest.param("/lost.pt", SHA256, "answered 404", id="not there"),
        pytest.param("/cut.pt", SHA256, "was not fetched to the end", id="connection cut"),
        pytest.param("/good.pt", None, "need --sha256", id="no hash given"),
        pytest.param("/good.pt", "ABC", "64 hexadecimal digits", id="hash that is none"),
        pytest.param("/good.zip", SHA256, "does not end in .pt", id="unknown kind"),
        pytest.param("/good.xml", SHA256, "several files", id="part of a model"),
    ],
)
def test_a_fetch_that_fails_says_why_and_leaves_nothing(
    server: Server, shipped: Path, own: Path, path: str, sha256: str | None, said: str
) -> None:
    order = PullOrder(name="net", source=server.url + path, sha256=sha256)
    with pytest.raises(WeightsError, match=said):
        pull(order, bundled_folder=shipped, user_folder=own)
    assert files_in(own) == set()


def test_a_server_that_is_gone_is_told_with_the_way_without_internet(
    server: Server, shipped: Path, own: Path
) -> None:
    gone = "http://127.0.0.1:9/net.pt"  # the discard port, where nothing listens
    with pytest.raises(WeightsError, match=r"cannot be reached.*--from FILE"):
        pull(
            PullOrder(name="net", source=gone, sha256=SHA256),
            bundled_folder=shipped,
            user_folder=own,
        )
    assert server.asked == []
    assert files_in(own) == set()


def test_a_file_that_never_ends_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_BYTES", 1000)
    target = tmp_path / "out" / "net.pt"
    with pytest.raises(WeightsError, match="larger than 1000 bytes"):
        fetch(FetchOrder(source=f"{server.url}/good.pt", target=target, sha256=SHA256))
    assert list(target.parent.iterdir()) == []


def test_an_interrupted_fetch_leaves_nothing_and_keeps_what_was_there(
    server: Server, tmp_path: Path
) -> None:
    target = tmp_path / "net.pt"
    target.write_bytes(b"older")

    def interrupt(_there: int, _total: int | None) -> None:
        raise KeyboardInterrupt

    order = FetchOrder(
        source=f"{server.url}/good.pt", target=target, sha256=SHA256, progress=interrupt
    )
    with pytest.raises(KeyboardInterrupt):
        fetch(order)
    assert target.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["net.pt"]


def test_credentials_of_a_url_are_not_kept(server: Server, shipped: Path, own: Path) -> None:
    url = server.url.replace("http://", "http://user:hunter2@") + "/good.pt?token=hunter3"
    pull(PullOrder(name="net", source=url, sha256=SHA256), bundled_folder=shipped, user_folder=own)
    written = (own / REGISTRY_NAME).read_text()
    assert "hunter" not in written
    assert resolve("net", registry=load_registry(shipped, own)).verified


def write_model(folder: Path) -> Path:
    folder.mkdir()
    for name in ("best.xml", "best.bin", "metadata.yaml"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_folder_with_an_openvino_model_is_added_whole(
    tmp_path: Path, shipped: Path, own: Path
) -> None:
    source = write_model(tmp_path / "model")
    pull(PullOrder(name="mine", source=str(source)), bundled_folder=shipped, user_folder=own)
    assert files_in(own) == {
        "registry.yaml", "mine/mine.xml", "mine/mine.bin", "mine/metadata.yaml",
    }  # fmt: skip
    found = resolve("mine", registry=load_registry(shipped, own))
    assert found.path == own / "mine" / "mine.xml"
    (own / "mine" / "mine.bin").write_bytes(b"other numbers")
    with pytest.raises(WeightsError, match=r"mine\.bin of mine is not what the registry lists"):
        resolve("mine", registry=load_registry(shipped, own))


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        pytest.param("mine", "nowhere.pt", "there is nothing at", id="missing file"),
        pytest.param("mine", None, "say where they are", id="no source"),
        pytest.param("../mine", "x.pt", "cannot be a name", id="name that is a path"),
        pytest.param("Mine", "x.pt", "cannot be a name", id="upper case"),
    ],
)
def test_an_order_that_cannot_be_met_says_why(
    shipped: Path, own: Path, name: str, source: str | None, said: str
) -> None:
    with pytest.raises(WeightsError, match=said):
        pull(PullOrder(name=name, source=source), bundled_folder=shipped, user_folder=own)


def test_weights_of_a_name_are_replaced_only_on_demand(
    tmp_path: Path, shipped: Path, own: Path
) -> None:
    first, second = tmp_path / "a.pt", tmp_path / "b.onnx"
    first.write_bytes(b"first")
    second.write_bytes(b"second")
    pull(PullOrder(name="mine", source=str(first)), bundled_folder=shipped, user_folder=own)
    order = PullOrder(name="mine", source=str(second))
    with pytest.raises(WeightsError, match=r"already.*--replace"):
        pull(order, bundled_folder=shipped, user_folder=own)
    replacing = PullOrder(name="mine", source=str(second), replace=True)
    pull(replacing, bundled_folder=shipped, user_folder=own)
    assert resolve("mine", registry=load_registry(shipped, own)).path.read_bytes() == b"second"


LISTED = """
version: 1
weights:
  - name: public
    description: listed with a URL
    status: trial
    licence: CC0-1.0
    variants:
      - format: pytorch
        files:
          - {{path: public/public.pt, sha256: {sha256}, url: "{url}"}}
"""


@pytest.fixture
def listing(server: Server, shipped: Path) -> Path:
    text = LISTED.format(sha256=SHA256, url=f"{server.url}/good.pt")
    (shipped / REGISTRY_NAME).write_text(text)
    return shipped


def test_listed_weights_are_missing_until_they_are_pulled_by_name(listing: Path, own: Path) -> None:
    with pytest.raises(WeightsError, match="fetch it with `streetwarden model pull public`"):
        resolve("public", registry=load_registry(listing, own))
    pull(PullOrder(name="public"), bundled_folder=listing, user_folder=own)
    assert resolve("public", registry=load_registry(listing, own)).path.read_bytes() == CONTENT
    assert files_in(listing) == {"registry.yaml"}


def test_listed_weights_can_be_brought_as_a_file_and_must_be_the_listed_ones(
    server: Server, tmp_path: Path, listing: Path, own: Path
) -> None:
    file = tmp_path / "brought.pt"
    file.write_bytes(b"something else")
    order = PullOrder(name="public", source=str(file))
    with pytest.raises(WeightsError, match="is not the file that is expected"):
        pull(order, bundled_folder=listing, user_folder=own)
    file.write_bytes(CONTENT)
    pull(order, bundled_folder=listing, user_folder=own)
    assert resolve("public", registry=load_registry(listing, own)).verified
    assert server.asked == []


def test_shipped_weights_cannot_be_replaced(tmp_path: Path, shipped: Path, own: Path) -> None:
    from tests.weights.test_registry import write_folder

    write_folder(shipped, "street")
    file = tmp_path / "x.pt"
    file.write_bytes(CONTENT)
    with pytest.raises(WeightsError, match="comes with Streetwarden"):
        pull(
            PullOrder(name="street", source=str(file), replace=True),
            bundled_folder=shipped,
            user_folder=own,
        )
