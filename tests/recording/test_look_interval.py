"""Looks that were rare when they were recorded are no blindness to a rule that wants more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from models.incident import ChangeKind
from service.recording.grid import rounded
from service.recording.recorder import CameraRecorder
from service.recording.replaying import changes_of
from tests.recording.worlds import ALWAYS, CHOICE, WATCHED, judge, parked, recording

SLOW_S = 10.0


def test_a_replay_takes_looks_as_they_were_made_whatever_interval_other_rules_ask_for(
    tmp_path: Path,
) -> None:
    slow = replace(WATCHED, look_interval_s=SLOW_S)
    looks = [look for n, look in enumerate(map(rounded, parked(to_s=400, leaves_s=350)))
             if n % SLOW_S == 0]  # fmt: skip
    seeing = {"look_interval_s": SLOW_S}
    writing = CameraRecorder(tmp_path, WATCHED.camera_id, CHOICE, seeing=seeing)
    for look in looks:
        writing.add(look, (), ())
    writing.close()
    live = judge(slow, looks)
    assert live[0].kind is ChangeKind.OPENED
    assert list(changes_of(WATCHED, recording(tmp_path), ALWAYS)) == live
