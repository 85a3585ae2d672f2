"""The service killed with -9 at random moments under load: nothing lost, nothing twice.

``benchmarks/kill_dispatch.py`` does the same hundreds of times.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from service.decisions.access import Role
from tests.support.dispatch import BACKENDS, client_of
from tests.support.killing import Load, all_orders, faults, flaky, killable, wait_until_told
from tests.support.receiver import receiver

KILLS = 3
POSTERS = 4


@pytest.mark.alone
@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_under_load_it_loses_nothing_and_tells_everything_in_order(
    backend: str, tmp_path: Path
) -> None:
    with killable(backend, tmp_path) as service, receiver(flaky) as hooks:
        with client_of(service.url, Role.CLIENT) as client:
            made = client.post("/api/v1/subscriptions", json={"url": hooks.url}).json()
        load = [Load(service.url) for _ in range(POSTERS)]
        for thread in load:
            thread.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.2, 1.0))
            service.kill()
            service.start()
        time.sleep(0.3)
        acknowledged = Load.end(load)
        with client_of(service.url, Role.CLIENT) as client:
            stored = list(all_orders(client))
            wait_until_told(client, made["subscription_id"], timeout_s=60)

    assert len(acknowledged) > 10
    assert faults(stored, acknowledged, hooks.received) == []
