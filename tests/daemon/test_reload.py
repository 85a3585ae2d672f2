"""A changed configuration is applied when it has settled and is right, else nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.city import City
from models.errors import ConfigError, Problem
from service.daemon.reload import ConfigWatch


def load(path: Path) -> City:
    text = path.read_text(encoding="utf-8")
    if "wrong" in text:
        raise ConfigError([Problem(file=path.name, line=1, where="cameras", message="wrong")])
    return City(name=text, timezone="UTC", cameras=(), departments=())


@pytest.fixture
def applied() -> list[str]:
    return []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "city.yaml"
    path.write_text("first", encoding="utf-8")
    return path


@pytest.fixture
def watch(file: Path, applied: list[str]) -> ConfigWatch:
    return ConfigWatch(file, load, lambda city: applied.append(city.name))


def test_an_untouched_file_is_not_applied_again(watch: ConfigWatch, applied: list[str]) -> None:
    for _ in range(3):
        watch.poll()
    assert applied == []


def test_a_change_is_applied_once_when_it_has_settled(
    watch: ConfigWatch, file: Path, applied: list[str]
) -> None:
    file.write_text("half wri", encoding="utf-8")
    watch.poll()
    file.write_text("half written, now whole", encoding="utf-8")
    watch.poll()
    assert applied == []
    watch.poll()
    watch.poll()
    assert applied == ["half written, now whole"]


def test_a_wrong_file_is_ignored_and_a_mended_one_applied(
    watch: ConfigWatch, file: Path, applied: list[str]
) -> None:
    file.write_text("wrong", encoding="utf-8")
    watch.poll()
    watch.poll()
    assert applied == []
    file.write_text("mended", encoding="utf-8")
    watch.poll()
    watch.poll()
    assert applied == ["mended"]


def test_a_file_that_vanishes_changes_nothing(
    watch: ConfigWatch, file: Path, applied: list[str]
) -> None:
    file.unlink()
    watch.poll()
    watch.poll()
    file.write_text("back again", encoding="utf-8")
    watch.poll()
    watch.poll()
    assert applied == ["back again"]
