"""A view that shows what it showed is not measured anew; whatever changes is."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from detector.camera_faults import health as health_module
from detector.camera_faults.health import CameraHealth
from detector.camera_faults.judged import HOLDS_FOR
from detector.camera_faults.picture import Picture, measure
from models.seeing import Image
from models.upkeep import FaultKind
from tests.camera_faults.street import START, Sky, at_home, film, found, looks, seen, street

STILL_S = int(HOLDS_FOR.total_seconds())
QUIET = Sky(noise=0.8)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Image]:
    """The pictures that were measured from now on."""
    pictures: list[Image] = []

    def counting(image: Image) -> Picture:
        pictures.append(image)
        return measure(image)

    monkeypatch.setattr(health_module, "measure", counting)
    return pictures


def test_a_still_view_is_measured_once_in_ten_seconds(measured: list[Image]) -> None:
    health = at_home()
    measured.clear()
    signs = looks(health, film(street(), 2 * STILL_S, lambda _: QUIET), from_s=100)
    assert len(measured) == 2
    assert found(signs) == set()
    assert all(one == signs[0] for one in signs)


def test_a_change_is_measured_at_once(measured: list[Image]) -> None:
    health = at_home()
    still, covered = seen(street(), QUIET, 1), np.full_like(street(), 110)
    looks(health, [still], from_s=100)
    measured.clear()
    (signs,) = looks(health, [covered], from_s=101)
    assert len(measured) == 1
    assert signs[FaultKind.COVERED]


def test_while_there_is_a_fault_each_look_is_measured(measured: list[Image]) -> None:
    health = at_home()
    measured.clear()
    covered = [seen(np.full_like(street(), 110), QUIET, n) for n in range(4)]
    looks(health, covered, from_s=100)
    assert len(measured) == 4


def test_a_view_that_is_not_learnt_yet_is_measured_at_each_look(measured: list[Image]) -> None:
    looks(CameraHealth(), film(street(), 5, lambda _: QUIET))
    assert len(measured) == 5


def test_a_clock_set_back_makes_it_measure(measured: list[Image]) -> None:
    health = at_home()
    still = seen(street(), QUIET, 1)
    looks(health, [still], from_s=100)
    measured.clear()
    health.look(still, START + timedelta(seconds=50))
    assert len(measured) == 1


def test_an_accepted_view_is_measured_and_learnt(measured: list[Image]) -> None:
    health = at_home()
    still = seen(street(), QUIET, 1)
    looks(health, [still], from_s=100)
    measured.clear()
    health.accept_view()
    looks(health, [still], from_s=101)
    assert len(measured) == 1
