"""Where recordings lie, and how long: a folder for each camera, a file for each day (UTC)."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

from models.city import RecordingChoice

SUFFIX = ".sqlite3"
COMPANIONS = ("", "-wal", "-shm")
"""What belongs to an SQLite file while it is written."""


def day_path(folder: Path, camera_id: str, day: date) -> Path:
    """The file of a camera's day."""
    return folder / camera_id / f"{day.isoformat()}{SUFFIX}"


def camera_ids(folder: Path) -> tuple[str, ...]:
    """Cameras of which there are recordings."""
    return tuple(sorted(path.name for path in folder.iterdir() if any(day_files(path))))


def day_files(camera_folder: Path) -> list[tuple[date, Path]]:
    """A camera's files, the oldest day first; anything else in the folder is left alone."""
    found = []
    for path in camera_folder.glob(f"*{SUFFIX}"):
        with suppress(ValueError):  # somebody else's file
            found.append((date.fromisoformat(path.name.removesuffix(SUFFIX)), path))
    return sorted(found)


def bytes_of(path: Path) -> int:
    """Size of a day with what belongs to it; 0 if it is not there."""
    total = 0
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            total += path.with_name(path.name + companion).stat().st_size
    return total


def prune(folder: Path, choice: RecordingChoice, today: date) -> int:
    """Delete days that are too old, and the oldest ones of cameras that take too much; how many.

    Covers every camera that ever recorded here, also those that are no longer configured. The
    latest day of a camera, which may be being written, only goes when it is too old.
    """
    if not folder.is_dir():
        return 0
    oldest = today - timedelta(days=choice.keep_days - 1)
    limit_bytes = choice.max_mb_per_camera * 1_000_000
    deleted = 0
    for camera_folder in folder.iterdir():
        days = day_files(camera_folder)
        sizes = {day: bytes_of(path) for day, path in days}
        total = sum(sizes.values())
        for day, path in days:
            is_latest = day == days[-1][0]
            if day >= oldest and (total <= limit_bytes or is_latest):
                continue
            _delete(path)
            total -= sizes[day]
            deleted += 1
    return deleted


def _delete(path: Path) -> None:
    # The file first: a log without its file means nothing to anybody.
    for companion in COMPANIONS:
        path.with_name(path.name + companion).unlink(missing_ok=True)
