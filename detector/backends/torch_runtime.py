"""Brings in ultralytics and torch, which a base installation does not have, on our terms.

Left alone, ultralytics looks for the network, installs packages and writes to the home folder when
it is imported, and takes all cores when it runs.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import platformdirs

from detector.backends.telemetry import block_telemetry
from models.errors import WeightsError

INSTALL_HINT = "pip install 'streetwarden[ultralytics]'"
TORCH_THREADS = 1
"""For each caller; with more, OpenMP's threads wait for each other by spinning."""

_lock = threading.Lock()


def load_ultralytics() -> Any:
    """The module ``ultralytics``, offline and quiet; :class:`WeightsError` if not installed."""
    with _lock:
        _set_environment()
        try:
            module = importlib.import_module("ultralytics")
        except ImportError as error:
            raise WeightsError(
                f"this needs ultralytics and torch ({error}): {INSTALL_HINT}"
            ) from error
        limit_torch_threads()
        return module


def limit_torch_threads() -> None:
    """One thread an operation; to be repeated after ultralytics chose a device, which resets it."""
    importlib.import_module("torch").set_num_threads(TORCH_THREADS)


def _set_environment() -> None:
    block_telemetry()  # ultralytics' exports bring in OpenVINO
    os.environ["YOLO_OFFLINE"] = "1"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ.setdefault("YOLO_VERBOSE", "false")
    if "YOLO_CONFIG_DIR" not in os.environ:
        os.environ["YOLO_CONFIG_DIR"] = str(_private_folder())


def _private_folder() -> Path:
    """For ultralytics' settings: our own cache, or a new folder where that cannot be written."""
    folder = platformdirs.user_cache_path("streetwarden") / "ultralytics"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="streetwarden-ultralytics-"))
    return folder
