"""OpenVINO, silenced first. Import ``ov`` from here, never ``openvino`` itself."""

from __future__ import annotations

from detector.backends.telemetry import block_telemetry

block_telemetry()

import openvino as ov  # noqa: E402 - must come after

__all__ = ["ov"]
