"""What the kernel says of its clock: whether a time server keeps it, and how far it may be off."""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass

UNSYNCHRONISED = 0x0040
"""STA_UNSYNC of <sys/timex.h>."""
ERROR_STATE = 5
"""TIME_ERROR: what adjtimex returns while the clock is not synchronised."""


class _Timex(ctypes.Structure):
    """``struct timex`` of Linux as far as it is read, with room for the rest."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClockStatement:
    """State of the machine's clock."""

    synchronised: bool | None
    """``None``: this machine cannot tell."""
    maximum_error_s: float | None


def clock_statement() -> ClockStatement:
    """Ask the kernel, which needs no right and changes nothing."""
    if os.uname().sysname != "Linux":
        return ClockStatement(synchronised=None, maximum_error_s=None)
    timex = _Timex()
    state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    if state < 0:
        return ClockStatement(synchronised=None, maximum_error_s=None)
    return ClockStatement(
        synchronised=state != ERROR_STATE and not timex.status & UNSYNCHRONISED,
        maximum_error_s=timex.maxerror / 1e6,
    )
