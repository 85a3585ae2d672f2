"""Clips that the tests of this folder read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clips import write_clip


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Path:
    """Four seconds at 25 frames a second, a key picture each second."""
    return write_clip(clip_folder / "clip.mp4")


@pytest.fixture(scope="session")
def short_gop_clip(clip_folder: Path) -> Path:
    """A key picture each 0.2 s."""
    return write_clip(clip_folder / "short.mp4", gop=5)


@pytest.fixture(scope="session")
def b_frame_clip(clip_folder: Path) -> Path:
    """With B frames, key pictures each 3 s."""
    return write_clip(clip_folder / "bframes.mp4", gop=75, b_frames=2)
