"""What it costs that many clients poll for changes, by how many orders there are.

Tables of 10,000, 100,000 and 1,000,000 orders, made by the database itself; 1,000 clients, each at
its own cursor, ask a running service for what has changed: first nothing has, then ten orders have.
If the cost follows the changes, the rows of the result are alike.

    python -m benchmarks.polling [--orders 10000,100000,1000000] [--clients 1000] [--postgresql]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.engine import Connection

from benchmarks.dispatch_load import Client, cpu_s, order_of, service
from detector.training.latency import machine
from service.store import orders
from service.store.database import Database, open_database
from service.store.migrate import upgrade
from service.store.orders import OrderFilter
from tests.support.filling import FIRST_S, SECONDS_BETWEEN, fill_orders
from tests.support.plans import plans_of

CONNECTIONS = 16
CHANGES = 10
PATH = "/api/v1/work-orders"
FILTERS: dict[str, dict[str, str]] = {"all": {}, "one department": {"department_id": "traffic"}}
"""The load's orders are the traffic department's; none of the table's are."""


async def poll(clients: Sequence[Client], queries: Sequence[dict[str, str]]) -> list[Any]:
    """Ask each query once, over the connections there are; (seconds, answer) of each."""
    left = iter(enumerate(queries))
    found: list[Any] = [None] * len(queries)

    async def worker(client: Client) -> None:
        for number, query in left:
            began_s = time.perf_counter()
            status, answer = await client.send("GET", f"{PATH}?{urlencode(query)}")
            if status != 200:
                raise SystemExit(f"a poll failed: {status} {answer.decode()}")
            found[number] = (time.perf_counter() - began_s, json.loads(answer))

    await asyncio.gather(*(worker(client) for client in clients))
    return found


async def measure(port: int, process_id: int, key: str, since: str, count: int) -> dict[str, Any]:
    clients = [Client(port, key) for _ in range(CONNECTIONS)]
    for client in clients:
        await client.open()
    result: dict[str, Any] = {}
    for name, filters in FILTERS.items():
        # A first round makes the cursors, and warms up what is to be warm.
        first = await poll(clients, [{"updated_since": since, "limit": "1", **filters}] * count)
        queries = [{"cursor": page["next_cursor"], **filters} for _took_s, page in first]
        result[f"{name}, nothing new"] = await timed(clients, queries, process_id, 0)
        for number in range(CHANGES):
            body = json.dumps(order_of(number)).encode()
            status, answer = await clients[0].send("POST", PATH, body)
            if status != 201:
                raise SystemExit(f"an order was not taken: {status} {answer.decode()}")
        result[f"{name}, {CHANGES} new"] = await timed(clients, queries, process_id, CHANGES)
        since = datetime.now(UTC).isoformat()
    return result


async def timed(
    clients: Sequence[Client], queries: Sequence[dict[str, str]], process_id: int, wanted: int
) -> dict[str, float]:
    before_s = cpu_s(process_id)
    found = await poll(clients, queries)
    used_s = cpu_s(process_id) - before_s
    if any(len(page["items"]) != wanted for _took_s, page in found):
        raise SystemExit(f"a client did not get the {wanted} orders that changed")
    took_s = sorted(each for each, _page in found)
    return {
        "p50_ms": round(1000 * took_s[len(took_s) // 2], 2),
        "p99_ms": round(1000 * took_s[int(0.99 * len(took_s))], 2),
        "service_cpu_ms_per_poll": round(1000 * used_s / len(queries), 2),
    }


def query_ms(database: Database, wanted: OrderFilter, count: int) -> dict[str, Any]:
    """Best time of the query itself for the last ten changes, and its plan."""

    def ask(connection: Connection) -> object:
        return orders.changed_orders(connection, wanted, after_change=count - CHANGES, limit=51)

    times = []
    for _ in range(20):
        with database.read() as connection:
            began_s = time.perf_counter()
            ask(connection)
            times.append(time.perf_counter() - began_s)
    plan = plans_of(database, ask)[0]
    return {"best_ms": round(1000 * min(times), 2), "plan": list(plan.lines)}


def run(count: int, clients: int, url: str | None) -> dict[str, Any]:
    key = secrets.token_hex(24)
    with tempfile.TemporaryDirectory() as folder:
        database_url = url or f"sqlite:///{Path(folder) / 'dispatch.sqlite3'}"
        began_s = time.monotonic()
        with open_database(database_url) as database:
            upgrade(database)
            fill_orders(database, count)
            filled_s = round(time.monotonic() - began_s, 1)
            query = {
                "all": query_ms(database, OrderFilter(), count),
                "one department": query_ms(
                    database, OrderFilter(department_ids=("department-1",)), count
                ),
            }
        last = datetime.fromtimestamp(FIRST_S + (count + 1) * SECONDS_BETWEEN, UTC)
        with service(Path(folder), key, database_url) as (port, process_id):
            polled = asyncio.run(measure(port, process_id, key, last.isoformat(), clients))
    return {"orders": count, "filled_s": filled_s, "query": query, "polls": polled}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--orders", default="10000,100000,1000000")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--postgresql", action="store_true", help="Debian's package, started here")
    arguments = parser.parse_args()
    sizes = [int(each) for each in arguments.orders.split(",")]
    results = []
    for size in sizes:
        url = None
        if arguments.postgresql:
            from tests.support.postgres import new_postgres_database

            url = new_postgres_database(durable=True)
        results.append(run(size, arguments.clients, url))
    backend = "postgresql" if arguments.postgresql else "sqlite"
    print(json.dumps({"database": backend, "machine": machine(), "tables": results}, indent=2))


if __name__ == "__main__":
    main()
