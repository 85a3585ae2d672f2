"""What was learnt of cameras' views and assets, in files; and what operators ask of them.

One file for each camera, replaced as a whole. An operator's request is a file beside it, so that
any program on the machine can leave one for a running daemon.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detector.assets.watch import Samples
from detector.camera_faults.reference import Reference
from models.errors import NotFoundError, StoreError

SUFFIX = ".npz"
ACCEPT = "accept-view"
RELEARN = "relearn"
_REQUESTS = ".requests"
_VIEW, _ASSET = "view", "asset"


@dataclass(frozen=True, kw_only=True, slots=True)
class Learnt:
    """What is known of one camera."""

    views: Mapping[str, Reference]
    assets: Mapping[str, Samples]


NOTHING = Learnt(views={}, assets={})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What operators asked for since the last time."""

    accept_view: bool = False
    relearn: frozenset[str] = frozenset()
    """Ids of assets."""
    relearn_all: bool = False


class CameraReferences:
    """One camera's file and requests in a folder."""

    def __init__(self, folder: Path, camera_id: str) -> None:
        self.folder = folder
        self._path = folder / f"{camera_id}{SUFFIX}"
        self._requests = folder / f"{camera_id}{_REQUESTS}"

    def load(self) -> Learnt:
        """What was saved; raises :class:`StoreError` if it cannot be read."""
        if not self._path.exists():
            return NOTHING
        try:
            # numpy leaves a file open that it cannot read, unless it was opened for it.
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return _learnt_in({name: arrays[name] for name in arrays.files})
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise StoreError(f"{self._path}: cannot be read: {error}") from error

    def save(self, learnt: Learnt) -> None:
        """Replace the file; raises :class:`StoreError` if that is impossible."""
        part = self._path.with_suffix(".part")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez_compressed(file, **_learnt_out(learnt))
            part.replace(self._path)
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be written: {error}") from error

    def ask(self, asked: Asked) -> None:
        """Leave a request; raises :class:`NotFoundError` if no daemon has learnt this camera here.

        Raises :class:`StoreError` if it cannot be written.
        """
        if not self._path.exists():
            raise NotFoundError(
                f"{self._path.parent}: nothing was learnt of a camera {self._path.stem} here"
            )
        names = [ACCEPT] if asked.accept_view else []
        names += [RELEARN] if asked.relearn_all else []
        names += [f"{RELEARN}.{asset_id}" for asset_id in sorted(asked.relearn)]
        try:
            self._requests.mkdir(parents=True, exist_ok=True)
            for name in names:
                (self._requests / name).touch()
        except OSError as error:
            raise StoreError(f"{self._requests}: cannot be written: {error}") from error

    def take_asked(self) -> Asked:
        """What was asked since the last time; raises :class:`StoreError`."""
        if not self._requests.is_dir():
            return Asked()
        try:
            names = {path.name for path in self._requests.iterdir()}
            for name in names:
                (self._requests / name).unlink()
            self._requests.rmdir()
        except OSError as error:
            raise StoreError(f"{self._requests}: cannot be taken: {error}") from error
        prefix = f"{RELEARN}."
        return Asked(
            accept_view=ACCEPT in names,
            relearn=frozenset(n.removeprefix(prefix) for n in names if n.startswith(prefix)),
            relearn_all=RELEARN in names,
        )


def _learnt_out(learnt: Learnt) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    for tone, reference in learnt.views.items():
        for item in fields(reference):
            arrays[f"{_VIEW}/{tone}/{item.name}"] = getattr(reference, item.name)
    for asset_id, samples in learnt.assets.items():
        for tone, patches in samples.items():
            if patches:
                arrays[f"{_ASSET}/{asset_id}/{tone}"] = np.stack(patches)
    return arrays


def _learnt_in(arrays: Mapping[str, NDArray[Any]]) -> Learnt:
    views: dict[str, dict[str, Any]] = {}
    assets: dict[str, dict[str, list[NDArray[np.uint8]]]] = {}
    for name, array in arrays.items():
        kind, one, other = name.split("/")
        if kind == _VIEW:
            views.setdefault(one, {})[other] = int(array) if other == "looks" else array
        else:
            assets.setdefault(one, {})[other] = list(array)
    return Learnt(
        views={tone: Reference(**values) for tone, values in views.items()}, assets=assets
    )
