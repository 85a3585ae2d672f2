"""Polling costs what has changed, not what there is: by the plans, without a million rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Connection

from service.api import joining
from service.store import bulk, intake, orders
from service.store.database import Database
from service.store.orders import OrderFilter
from service.store.scope import OPTION, Scope
from tests.support.dispatch import BACKENDS, migrated, order_request
from tests.support.filling import FIRST_S, SECONDS_BETWEEN, fill_orders
from tests.support.plans import plans_of

COUNT = 3_000
NOW = datetime.fromtimestamp(FIRST_S + COUNT * SECONDS_BETWEEN, UTC)
SINCE = NOW - timedelta(days=30)
REQUEST = order_request(camera_id="camera-1", zone_id="zone-1", category="illegal_parking")

SPOT: dict[str, object] = {"located_by": "ground", "latitude": 31.25, "longitude": 121.45}
BY_CHANGE = ("orders_1 (change_seq>", "uq_orders_change_seq")
"""SQLite numbers the indexes of unique columns; PostgreSQL names them."""
BY_PLACE = ("ix_orders_camera_id_zone_id_category_created_at",)


@pytest.fixture(params=BACKENDS, scope="module")
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    with migrated(request.param, tmp_path_factory.mktemp("plans")) as database:
        fill_orders(database, COUNT)
        yield database


def poll(connection: Connection, **wanted: tuple[str, ...]) -> object:
    after = COUNT - 10
    return orders.changed_orders(connection, OrderFilter(**wanted), after_change=after, limit=51)  # type: ignore[arg-type]


def scoped(connection: Connection) -> object:
    scope = Scope(department_ids=("department-1",))
    return poll(connection.execution_options(**{OPTION: scope}))


@pytest.mark.parametrize(
    ("work", "indexes"),
    [
        pytest.param(poll, BY_CHANGE, id="all that changed"),
        pytest.param(lambda c: poll(c, statuses=("closed",)), BY_CHANGE, id="of one status"),
        pytest.param(lambda c: poll(c, camera_ids=("camera-1",)), BY_CHANGE, id="of one camera"),
        pytest.param(
            lambda c: poll(c, department_ids=("department-1", "department-2")),
            BY_CHANGE,
            id="of two departments",
        ),
        pytest.param(scoped, BY_CHANGE, id="by a key of one department"),
        pytest.param(
            lambda c: orders.change_before(c, NOW - timedelta(minutes=5)),
            ("ix_orders_updated_at_change_seq",),
            id="the first poll",
        ),
        pytest.param(
            lambda c: intake.recent_at_place(c, REQUEST, SINCE), BY_PLACE, id="an order's place"
        ),
        pytest.param(
            lambda c: bulk.recent_at_places(c, [bulk.place_of(REQUEST)], SINCE),
            BY_PLACE,
            id="places of several orders",
        ),
        pytest.param(
            lambda c: bulk.near_others(
                c,
                [joining.surroundings(order_request(place_id="bay-100", **SPOT))],
                SINCE,
            ),
            ("ix_orders_on_ground",),
            id="what several orders may belong to",
        ),
        pytest.param(
            lambda c: joining.earlier_elsewhere(c, order_request(place_id="bay-100"), NOW),
            ("ix_orders_in_place",),
            id="a place of several cameras",
        ),
    ],
)
def test_the_table_of_orders_is_read_by_the_index_that_fits(
    filled: Database, work: Callable[[Connection], object], indexes: tuple[str, ...]
) -> None:
    plan = str(plans_of(filled, work)[0])
    assert any(index in plan for index in indexes), plan
    assert "Seq Scan on orders" not in plan
    assert "SCAN o" not in plan
