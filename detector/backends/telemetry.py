"""Keeps OpenVINO from reporting home.

As installed, ``import openvino`` reports each start to Google Analytics and leaves an identifier in
``~/intel``; a city's cameras report to nobody. OpenVINO and NNCF both go without telemetry where
the package ``openvino_telemetry`` cannot be imported, so that is what they are told.
"""

from __future__ import annotations

import sys
from typing import Any, cast


def block_telemetry() -> None:
    """Make ``import openvino_telemetry`` fail in this process; to be called before OpenVINO."""
    # None is how Python marks a module that must not be imported.
    sys.modules.setdefault("openvino_telemetry", cast("Any", None))
