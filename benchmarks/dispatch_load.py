"""How many work orders a second the dispatch service takes, while webhooks flow and clients poll.

The service, the receiver of its webhooks and the clients are processes of their own on one machine.
Orders are sent at a fixed rate, whatever the service makes of it, and the time of an answer counts
from the moment its order was due: a service that stalls is not spared the requests it held up.
``--rate 0`` sends as fast as answers come instead.

    python -m benchmarks.dispatch_load --rate 300 --seconds 20 [--postgresql] [--batch 50] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.training.latency import machine

PATH = "/api/v1/work-orders"
START_S = 90.0
DRAIN_S = 60.0
ORDER = {
    "camera_name": "Main Street 3",
    "zone_name": "Double yellow lines", "rule_id": "parking", "rule_kind": "illegal_parking",
    "category": "illegal_parking", "label": "car", "confidence": 0.91,
    "box_xyxy": [412, 233.5, 598, 342], "width_px": 960, "height_px": 540, "observed_s": 300,
    "dwell_s": 300, "started_at": "2026-11-24T09:00:12+08:00", "department_id": "traffic",
    "opened_at": "2026-11-24T09:05:12+08:00", "address": "Main Street 3",
}  # fmt: skip


@dataclass(kw_only=True)
class Taken:
    """What the clients saw."""

    latencies_s: list[float] = field(default_factory=list)
    failed: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    def rate(self) -> float:
        return len(self.latencies_s) / max(self.last_s - self.first_s, 1e-9)

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def order_of(number: int, *, is_located: bool = False) -> dict[str, Any]:
    """An order of a new incident, of one of 200 cameras with two zones each.

    ``is_located``: by a calibrated camera, so that another's order may be about the same thing.
    """
    place: dict[str, Any] = {"camera_id": f"camera-{number % 200}", "zone_id": f"zone-{number % 2}"}
    if is_located:
        spot = {"latitude": 31 + number % 997 * 1e-3, "longitude": 121 + number % 991 * 1e-3}
        place |= {"located_by": "ground", **spot}
    return ORDER | place | {"incident_id": str(uuid.uuid4())}


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    return status, await reader.readexactly(length)


class Client:
    """One connection that is kept."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.head = (
            f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/json\r\n"
        )

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        request = f"{method} {path} HTTP/1.1\r\n{self.head}Content-Length: {len(body)}\r\n\r\n"
        self.writer.write(request.encode() + body)
        return await read_answer(self.reader)


async def post(client: Client, number: int, count: int, *, is_located: bool) -> int:
    """Post new orders, alone or together; how many were accepted."""
    orders = [order_of(number + each, is_located=is_located) for each in range(count)]
    if count == 1:
        status, _ = await client.send("POST", PATH, json.dumps(orders[0]).encode())
        return int(status == 201)
    body = json.dumps({"orders": orders}).encode()
    status, answer = await client.send("POST", f"{PATH}/batch", body)
    items = json.loads(answer)["items"] if status == 200 else []
    return sum(item["status"] == 201 for item in items)


async def post_orders(arguments: argparse.Namespace, port: int, key: str) -> Taken:
    """Send orders over many connections; each takes the next that is due."""
    taken = Taken()
    begin = time.perf_counter() + 0.2
    end = begin + arguments.seconds
    sent = 0

    async def worker() -> None:
        nonlocal sent
        client = Client(port, key)
        await client.open()
        while True:
            number, sent = sent, sent + arguments.batch
            now = time.perf_counter()
            due = begin + number / arguments.rate if arguments.rate else max(now, begin)
            if due >= end:
                return
            if due > now:
                await asyncio.sleep(due - now)
            accepted = await post(client, number, arguments.batch, is_located=arguments.located)
            done = time.perf_counter()
            taken.latencies_s += [done - due] * accepted
            taken.failed += arguments.batch - accepted
            taken.last_s = done

    taken.first_s = begin
    await asyncio.gather(*(worker() for _ in range(arguments.connections)))
    return taken


def receive(port: int, count: Any) -> None:
    """A receiver of webhooks that answers 204 at once."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await read_answer_of_request(reader)
                count.value += 1
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(main())


async def read_answer_of_request(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))


@contextmanager
def receiver() -> Iterator[tuple[int, Any]]:
    port, count = free_port(), multiprocessing.Value("q", 0)
    process = multiprocessing.Process(target=receive, args=(port, count), daemon=True)
    process.start()
    try:
        yield port, count
    finally:
        process.terminate()
        process.join()


@contextmanager
def service(folder: Path, key: str, database_url: str | None) -> Iterator[tuple[int, int]]:
    """The dispatch service as a city runs it; its port and process number."""
    port = free_port()
    command = [sys.executable, "-m", "service", "serve", "--data-dir", str(folder)]
    command += ["--port", str(port), "--allow-private-webhooks"]
    environment = os.environ | {"STREETWARDEN_API_KEY": key}
    if database_url is not None:
        environment["STREETWARDEN_DATABASE_URL"] = database_url
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until_ready(port, process)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the service did not start: see its log")


def cpu_s(process_id: int) -> float:
    """Processor time of a process so far, seconds."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(arguments: argparse.Namespace, port: int, key: str, hook: int) -> Taken:
    client = Client(port, key)
    await client.open()
    body = json.dumps({"url": f"http://127.0.0.1:{hook}/"}).encode()
    if arguments.webhooks:
        status, answer = await client.send("POST", "/api/v1/subscriptions", body)
        if status != 201:
            raise SystemExit(f"no subscription: {status} {answer.decode()}")
    return await post_orders(arguments, port, key)


def drained_s(count: Any, wanted: int) -> float | None:
    """Seconds until all webhooks had arrived; None if they did not."""
    began = time.monotonic()
    while count.value < wanted:
        if time.monotonic() - began > DRAIN_S:
            return None
        time.sleep(0.05)
    return round(time.monotonic() - began, 2)


def run(arguments: argparse.Namespace, database_url: str | None) -> dict[str, Any]:
    key = secrets.token_hex(24)
    with (
        tempfile.TemporaryDirectory() as folder,
        receiver() as (hook, count),
        service(Path(folder), key, database_url) as (port, process_id),
    ):
        before_s = cpu_s(process_id)
        taken = asyncio.run(measure(arguments, port, key, hook))
        used_s = cpu_s(process_id) - before_s
        arrived = count.value
        wanted = len(taken.latencies_s) if arguments.webhooks else 0
        return {
            "database": "postgresql" if database_url else "sqlite",
            "asked_per_s": arguments.rate or None,
            "connections": arguments.connections,
            "orders_per_request": arguments.batch,
            "located": arguments.located,
            "accepted": len(taken.latencies_s),
            "failed": taken.failed,
            "accepted_per_s": round(taken.rate(), 1),
            "latency_ms": {
                name: taken.percentile_ms(share)
                for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
            },
            "service_cpu_ms_per_order": round(1000 * used_s / max(len(taken.latencies_s), 1), 2),
            "webhooks_meanwhile": arrived,
            "webhooks_drained_s": drained_s(count, wanted),
            "machine": machine(),
        }


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=float, default=300.0, help="orders a second; 0: no pause")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--batch", type=int, default=1, help="orders of a request, at most 100")
    parser.add_argument("--located", action="store_true", help="from calibrated cameras")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--postgresql", action="store_true", help="Debian's package, started here")
    parser.add_argument("--no-webhooks", dest="webhooks", action="store_false")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    if arguments.postgresql:
        from tests.support.postgres import new_postgres_database

        result = run(arguments, new_postgres_database(durable=True))
    else:
        result = run(arguments, None)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        print(f"{name:26} {value}")


if __name__ == "__main__":
    main()
