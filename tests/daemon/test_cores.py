"""How many cores a process may use, in and out of containers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from detector.cores import cgroup_cores, usable_cores

V2 = "0::/system.slice/streetwarden.service\n"
V1 = "3:cpu,cpuacct:/docker/abc\n1:memory:/docker/abc\n"


def files(folder: Path, contents: dict[str, str]) -> Path:
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("own", "contents", "cores"),
    [
        pytest.param(V2, {"cpu.max": "150000 100000\n"}, 1.5, id="of_a_container"),
        pytest.param(
            V2,
            {"system.slice/streetwarden.service/cpu.max": "400000 100000\n"},
            4.0,
            id="of_a_unit",
        ),
        pytest.param(
            V2,
            {
                "system.slice/streetwarden.service/cpu.max": "max 100000\n",
                "system.slice/cpu.max": "200000 100000\n",
                "cpu.max": "300000 100000\n",
            },
            2.0,
            id="tightest_above",
        ),
        pytest.param(
            V1,
            {
                "cpu/docker/abc/cpu.cfs_quota_us": "50000\n",
                "cpu/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            0.5,
            id="version_1",
        ),
        pytest.param(
            V1,
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            None,
            id="version_1_without_limit",
        ),
        pytest.param(V2, {"cpu.max": "max 100000\n"}, None, id="version_2_without_limit"),
        pytest.param("", {}, None, id="no_control_groups"),
    ],
)
def test_the_tightest_quota_counts(
    tmp_path: Path, own: str, contents: dict[str, str], cores: float | None
) -> None:
    root = files(tmp_path / "cgroup", contents)
    root.mkdir(exist_ok=True)
    (tmp_path / "own").write_text(own)
    assert cgroup_cores(root, tmp_path / "own") == cores


@pytest.mark.parametrize(
    ("bound", "quota", "cores"),
    [
        pytest.param(8, None, 8, id="bound"),
        pytest.param(8, 1.5, 2, id="quota_rounded_up"),
        pytest.param(1, 4.0, 1, id="bound_is_tighter"),
        pytest.param(8, 0.1, 1, id="never_none"),
    ],
)
def test_as_many_as_it_is_bound_to_or_may_take(
    monkeypatch: pytest.MonkeyPatch, bound: int, quota: float | None, cores: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(bound)))
    monkeypatch.setattr("detector.cores.cgroup_cores", lambda: quota)
    assert usable_cores() == cores
