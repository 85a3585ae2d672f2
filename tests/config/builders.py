"""Writes city.yaml files for tests."""

from __future__ import annotations

from pathlib import Path

VALID = """\
city: {name: Testville, timezone: Asia/Shanghai}
departments:
  - {id: traffic, name: Traffic police}
routing: {default: traffic}
schedules:
  working_hours:
    windows:
      - {days: mon-fri, start: "07:00", end: "19:00"}
cameras:
  - id: gate
    source: rtsp://192.0.2.10/stream1
    legal_basis: Council decision 12/2026
    resolution: [1920, 1080]
    zones:
      - id: kerb
        polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
        rules:
          - kind: illegal_parking
            schedule: working_hours
"""
"""A file without fault; tests break one line of it."""


def write(folder: Path, text: str) -> Path:
    path = folder / "city.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def changed(old: str, new: str) -> str:
    assert VALID.count(old) == 1, f"{old!r} is in the file {VALID.count(old)} times"
    return VALID.replace(old, new)


def shown(text: object, path: Path) -> list[str]:
    """Problem lines as they read when the file is named ``city.yaml``."""
    return str(text).replace(str(path), "city.yaml").splitlines()


RULE = "          - kind: illegal_parking\n            schedule: working_hours\n"
"""The rule of :data:`VALID`."""


def ruled(rule: str, zone: str = "", more: str = "") -> str:
    """The valid file with another rule, and more in its zone or after it."""
    return (
        VALID.replace(RULE, f"          - {{{rule}}}\n").replace(
            "        rules:\n", f"{zone}        rules:\n"
        )
        + more
    )
