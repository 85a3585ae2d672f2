"""Kill the dispatch service with -9 at random moments under load, again and again.

Clients post orders and move each on, and insist until they are answered, as daemons do; a receiver
of webhooks fails every tenth time. In the end nothing that was accepted may be lost, each step of
each order must have been told, in order, and repeats must carry the id that they had before.

    python -m benchmarks.kill_dispatch --kills 200 [--postgresql] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from detector.training.latency import machine
from service.decisions.access import Role
from tests.support.dispatch import client_of
from tests.support.killing import Load, all_orders, faults, flaky, killable, wait_until_told
from tests.support.receiver import Hook, receiver

TELL_WITHIN_S = 300.0
SHOWN = 20
"""Faults that are written out."""


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    backend = "postgresql" if arguments.postgresql else "sqlite"
    began_s = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        killable(backend, Path(folder)) as service,
        receiver(flaky) as hooks,
    ):
        with client_of(service.url, Role.CLIENT) as client:
            made = client.post("/api/v1/subscriptions", json={"url": hooks.url}).json()
        load = [Load(service.url) for _ in range(arguments.posters)]
        for thread in load:
            thread.start()
        for number in range(arguments.kills):
            time.sleep(random.uniform(0.0, 2 * arguments.every_s))
            service.kill()
            service.start()
            if number % 10 == 9:
                sys.stderr.write(f"{number + 1} kills, {len(hooks.received)} webhooks\n")
        acknowledged = Load.end(load)
        with client_of(service.url, Role.CLIENT) as client:
            stored = list(all_orders(client))
            wait_until_told(client, made["subscription_id"], TELL_WITHIN_S)
        found = faults(stored, acknowledged, hooks.received)
        return {
            "database": backend,
            "kills": arguments.kills,
            "orders": len(acknowledged),
            "webhooks": len(hooks.received),
            "webhooks_repeated": repeated(hooks.received),
            "faults": len(found),
            "examples": found[:SHOWN],
            "took_s": round(time.monotonic() - began_s, 1),
            "children_cpu_s": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, 1),
            "machine": machine(),
        }


def repeated(hooks: list[Hook]) -> int:
    """Webhooks that came more often than once, each time counted."""
    return sum(times - 1 for times in Counter(hook.event_id for hook in hooks).values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--every-s", type=float, default=1.0, help="mean time between a start and"
                        " the next kill")  # fmt: skip
    parser.add_argument("--posters", type=int, default=8)
    parser.add_argument("--postgresql", action="store_true", help="Debian's package, started here")
    parser.add_argument("--json", type=Path, help="write the result to this file too")
    arguments = parser.parse_args()
    result = run(arguments)
    text = json.dumps(result, indent=2)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n")
    print(text)
    raise SystemExit(1 if result["faults"] else 0)


if __name__ == "__main__":
    main()
