"""The recorder on a disk that fills, fails, and is read while it is written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from models.city import RecordingChoice
from models.errors import StoreError
from models.geometry import Box
from models.incident import ChangeKind
from service.recording import recorder as recorder_module
from service.recording.closer import CloserAnswer, KnownAnswers
from service.recording.dayfile import DayWriter
from service.recording.files import bytes_of, camera_ids, day_files, prune
from service.recording.grid import rounded
from service.recording.reader import CameraRecording
from service.recording.recorder import CameraRecorder
from tests.recording.worlds import (
    ALWAYS,
    CHOICE,
    parked,
    read_back,
    record,
    recording,
    shifted,
    span,
)
from tests.zones.looks import CAR, PARKING, after

WRITER = """
import sys
from pathlib import Path
from tests.recording.worlds import CHOICE, parked
from service.recording.recorder import CameraRecorder
recorder = CameraRecorder(Path(sys.argv[1]), "cam", CHOICE)
for number, look in enumerate(parked(to_s=3600), start=1):
    recorder.add(look, (), ())
    if number % 10 == 0:
        recorder.flush()
        print(number, flush=True)
    if number == 95:
        sys.stdin.read()
"""


def files(folder: Path) -> list[Path]:
    return [path for _, path in day_files(folder / "cam")]


def test_a_killed_writer_loses_only_what_was_not_flushed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    ) as writer:
        assert writer.stdout is not None
        while writer.stdout.readline().strip() != "90":
            pass
        os.kill(writer.pid, signal.SIGKILL)
    assert len(read_back(tmp_path)) == 90
    record(tmp_path, shifted(parked(), timedelta(minutes=5)))
    assert len(read_back(tmp_path)) == 90 + 61


def test_it_is_read_while_it_is_written_and_what_was_read_does_not_change(tmp_path: Path) -> None:
    writing = CameraRecorder(tmp_path, "cam", CHOICE)
    looks = [rounded(look) for look in parked()]
    for end in (10, 25, 61):
        for look in looks[end - 10 : end]:
            writing.add(look, (), ())
        writing.flush()
        assert read_back(tmp_path)[-10:] == looks[end - 10 : end]
    writing.close()


def test_a_day_that_ends_begins_a_new_file_and_the_session_goes_on(tmp_path: Path) -> None:
    looks = [rounded(look) for look in shifted(parked(), timedelta(hours=15, minutes=59.5))]
    live = record(tmp_path, looks)
    assert [path.name for path in files(tmp_path)] == ["2026-03-02.sqlite3", "2026-03-03.sqlite3"]
    assert read_back(tmp_path) == looks
    assert {stretch.key for stretch in recording(tmp_path).stretches(ALWAYS)} == {
        recording(tmp_path).stretches(ALWAYS)[0].key
    }
    opened = [change.incident for change in live if change.kind is ChangeKind.OPENED]
    (kept,) = recording(tmp_path).incidents(ALWAYS)
    assert (kept.incident_id, kept.cleared_at is not None) == (opened[0].incident_id, True)


def test_what_is_asked_for_is_what_is_given(tmp_path: Path) -> None:
    record(tmp_path, parked())
    assert [look.at for look in read_back(tmp_path, span(20, 23))] == [
        after(20),
        after(21),
        after(22),
    ]
    assert recording(tmp_path).incidents(span(0, 10)) == []
    assert len(recording(tmp_path).incidents(span(10, 11))) == 1


def test_a_disk_that_refuses_is_counted_and_never_stops_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.0)
    lost: list[int] = []
    blocked = tmp_path / "cam"
    blocked.write_text("in the way")
    writing = CameraRecorder(tmp_path, "cam", CHOICE, on_loss=lost.append)
    looks = [rounded(look) for look in parked()]
    for look in looks[:20]:
        writing.add(look, (), ())
    writing.flush()
    assert lost == [20]
    blocked.unlink()
    for look in looks[20:40]:
        writing.add(look, (), ())
    writing.flush()
    assert lost == [20]
    assert read_back(tmp_path) == looks[20:40]
    writing.close()


def test_after_a_failure_it_waits_before_it_tries_again(tmp_path: Path) -> None:
    lost: list[int] = []
    (tmp_path / "cam").write_text("in the way")
    writing = CameraRecorder(tmp_path, "cam", CHOICE, on_loss=lost.append)
    for look in parked(to_s=29):
        writing.add(look, (), ())
        writing.flush()
    (tmp_path / "cam").unlink()
    writing.close()
    assert sum(lost) == 30
    assert not (tmp_path / "cam").exists()


def test_a_write_that_fails_in_the_middle_loses_no_look_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "RETRY_S", 0.0)
    lost: list[int] = []
    writing = CameraRecorder(tmp_path, "cam", CHOICE, on_loss=lost.append)
    looks = [rounded(look) for look in parked()]
    for begin in range(0, 60, 10):
        for look in looks[begin : begin + 10]:
            writing.add(look, (), ())
        with monkeypatch.context() as trouble:
            if begin == 20:
                trouble.setattr(DayWriter, "append", _is_full)
            writing.flush()
    writing.close()
    assert lost == [10]
    assert read_back(tmp_path) == looks[:20] + looks[30:60]


def _is_full(*_: object) -> None:
    raise sqlite3.OperationalError("database or disk is full")


def test_a_day_that_reaches_the_limit_by_itself_is_not_gone_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "UPKEEP_S", 0.0)
    tight = RecordingChoice(max_mb_per_camera=0.02)
    lost: list[int] = []
    writing = CameraRecorder(tmp_path, "cam", tight, on_loss=lost.append)
    for look in parked(to_s=1000, leaves_s=900):
        writing.add(look, (), ())
        writing.flush()
    writing.close()
    assert sum(lost) > 0
    assert sum(map(bytes_of, files(tmp_path))) < 60_000


DAYS = tuple(date(2026, 11, day) for day in (20, 21, 22, 23, 24))


@pytest.mark.parametrize(
    ("keep_days", "max_mb", "left"),
    [
        pytest.param(14, 100, DAYS, id="all"),
        pytest.param(2, 100, DAYS[-2:], id="by days"),
        pytest.param(1, 100, DAYS[-1:], id="today only"),
        pytest.param(14, 0.025, DAYS[-2:], id="by size, the oldest first"),
        pytest.param(14, 0.005, DAYS[-1:], id="never the latest by size"),
    ],
)
def test_what_is_too_old_or_too_much_is_deleted(
    tmp_path: Path, keep_days: int, max_mb: float, left: tuple[date, ...]
) -> None:
    for camera_id in ("one", "retired"):
        (tmp_path / camera_id).mkdir()
        (tmp_path / camera_id / "notes.txt").write_text("not ours")
        for day in DAYS:
            for companion in ("", "-wal"):
                name = f"{day.isoformat()}.sqlite3{companion}"
                (tmp_path / camera_id / name).write_bytes(b"x" * 5000)
    choice = RecordingChoice(keep_days=keep_days, max_mb_per_camera=max_mb)
    deleted = prune(tmp_path, choice, DAYS[-1])
    assert deleted == 2 * (len(DAYS) - len(left))
    for camera_id in ("one", "retired"):
        assert tuple(day for day, _ in day_files(tmp_path / camera_id)) == left
        assert len(list((tmp_path / camera_id).glob("*-wal"))) == len(left)
        assert (tmp_path / camera_id / "notes.txt").exists()
    assert camera_ids(tmp_path) == ("one", "retired")


def test_old_days_go_when_a_camera_begins_to_record(tmp_path: Path) -> None:
    old = tmp_path / "gone" / "2025-01-01.sqlite3"
    old.parent.mkdir()
    old.write_bytes(b"old")
    record(tmp_path, parked())
    assert not old.exists()
    assert len(read_back(tmp_path)) == 61


def test_a_damaged_block_is_left_out_and_the_rest_is_read(tmp_path: Path) -> None:
    record(tmp_path, parked())
    record(tmp_path, shifted(parked(), timedelta(hours=2)))
    with sqlite3.connect(files(tmp_path)[0]) as connection:
        connection.execute("UPDATE piece SET data = zeroblob(20) WHERE block = 0")
    connection.close()
    assert len(read_back(tmp_path)) == 61


@pytest.mark.parametrize(
    "content", [pytest.param(b"no database" * 200, id="foreign"), pytest.param(b"", id="empty")]
)
def test_a_file_that_is_no_recording_is_an_error_with_its_name(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "cam" / "2026-03-02.sqlite3"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError, match="2026-03-02"):
        read_back(tmp_path)


def test_a_camera_without_recording_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no recording of camera gate"):
        CameraRecording(tmp_path, "gate")


def test_no_picture_and_no_address_is_recorded(tmp_path: Path) -> None:
    record(tmp_path, parked())
    with sqlite3.connect(files(tmp_path)[0]) as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    assert "rtsp" not in text
    assert "JFIF" not in text


def answer(at_s: float, confidence: float | None, box: Box = CAR) -> CloserAnswer:
    return CloserAnswer(
        at=after(at_s),
        rule_id="no-parking",
        labels=frozenset({"car"}),
        box=box,
        confidence=confidence,
    )


def test_closer_looks_are_kept_and_answered_by_time_and_place(tmp_path: Path) -> None:
    answers = [answer(10, 0.0), answer(30, 0.7), answer(31, 0.9, Box(500, 200, 600, 260))]
    writing = CameraRecorder(tmp_path, "cam", CHOICE)
    for look in parked():
        writing.add(look, (), [given for given in answers if given.at == look.at])
    writing.close()
    assert recording(tmp_path).answers(ALWAYS) == answers
    known = KnownAnswers(recording(tmp_path).answers(ALWAYS))
    for at_s, box, expected in (
        (10, CAR, 0.0),
        (28, CAR, 0.7),
        (28, Box(302, 200, 402, 260), 0.7),
        (31, Box(500, 200, 600, 260), 0.9),
        (31, Box(0, 0, 9, 9), None),
    ):
        closer = known.at(after(at_s))
        assert closer is not None
        assert closer(PARKING, box) == expected
    assert known.at(after(86400)) is None
