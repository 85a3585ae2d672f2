"""From what looks cost to how many cameras a machine will carry. Pure arithmetic.

An estimate: single parts are measured, alone, for seconds; a daemon also stores, reports and makes
films. What they take is what ``USABLE_RATIO`` leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from models.zone import DecodeMode

USABLE_RATIO = 0.8
"""Of the cores: the rest is for films, pictures, bursts and the system."""
USABLE_MEMORY_RATIO = 0.8
RING_BYTES = 8_000_000
RING_S = 17.0
"""The last seconds of a stream are kept as packets for films, never more than so many bytes."""
LARGE_PX = 1920 * 1080
HEVC = "hevc"
HIGH_BITS_PER_S = 8_000_000
WORTH_A_SUB_STREAM = 1.2
"""Times as many busy cameras."""


class Limit(StrEnum):
    """What runs out first."""

    CPU = "cpu"
    MEMORY = "memory"


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What there is to carry cameras with."""

    cores: float
    memory_bytes: float
    """Free for use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamCost:
    """What one camera with this stream costs, as measured here."""

    name: str
    codec: str
    width_px: int
    height_px: int
    fps: float | None
    key_gap_s: float | None
    bits_per_s: float
    mode: DecodeMode
    look_interval_s: float
    receive_ratio: float
    """CPU-seconds a second."""
    decode_s: float
    """CPU-seconds for one key picture."""
    full_decode_ratio: float | None
    """CPU-seconds a second for decoding every picture; ``None``: that is not needed."""
    idle_look_s: float
    """CPU-seconds for one look, decoded, where nothing changes: gate, tracking, rules, and the
    detector now and then."""
    busy_look_s: float
    """The same where each look asks the detector."""
    parallel_ratio: float
    """Share of the cores that all workers together really used: less than 1 if they wait for one
    another."""
    memory_bytes: float
    """For one more camera."""
    h264_decode_s: float | None = None
    """Of a stream in H.265: CPU-seconds for the same key picture in H.264, if it was measured."""

    def cpu_ratio(self, *, busy: bool) -> float:
        """CPU-seconds a second for one camera."""
        look_s = self.busy_look_s if busy else self.idle_look_s
        if self.mode is DecodeMode.KEYFRAMES or self.full_decode_ratio is None:
            return self.receive_ratio + (self.decode_s + look_s) / self.look_interval_s
        return self.receive_ratio + self.full_decode_ratio + look_s / self.look_interval_s


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """How many cameras with one stream's settings."""

    idle: int
    """Cameras in whose pictures nothing changes."""
    busy: int
    """Cameras in whose pictures something changes all the time."""
    limit: Limit
    """What runs out first in busy scenes."""
    advice: tuple[str, ...]


def memory_of(private_bytes: float, bits_per_s: float) -> float:
    """Of one camera: what was measured, and the packets that are kept for films."""
    return private_bytes + min(RING_BYTES, bits_per_s / 8 * RING_S)


def estimate(cost: StreamCost, machine: Machine) -> Estimate:
    """How many cameras like this one the machine will carry."""
    usable = machine.cores * USABLE_RATIO * min(1.0, cost.parallel_ratio)
    by_memory = int(machine.memory_bytes * USABLE_MEMORY_RATIO / max(cost.memory_bytes, 1.0))
    by_cpu = {busy: int(usable / cost.cpu_ratio(busy=busy)) for busy in (False, True)}
    return Estimate(
        idle=min(by_cpu[False], by_memory),
        busy=min(by_cpu[True], by_memory),
        limit=Limit.MEMORY if by_memory < by_cpu[True] else Limit.CPU,
        advice=tuple(_advice(cost)),
    )


def _advice(cost: StreamCost) -> Iterator[str]:
    if cost.mode is DecodeMode.FULL:
        yield (
            f"set the key frame interval (GOP) to {cost.look_interval_s:g} s:"
            f" every picture has to be decoded now, {_times(cost)} the cost of key frames"
        )
    if cost.width_px * cost.height_px > LARGE_PX:
        yield "use a sub-stream of 720p to 1080p: the network sees far fewer pixels than this"
    if cost.codec == HEVC:
        yield _of_codec(cost)
    if cost.bits_per_s > HIGH_BITS_PER_S:
        yield (
            f"lower the bit rate: {cost.bits_per_s / 1e6:.0f} Mbit/s fill network and memory,"
            " 2 to 4 are enough at 1080p"
        )


def with_sub_stream(main: Estimate, sub: Estimate) -> Estimate:
    """Advice to use a sub-stream, where it carries clearly more cameras."""
    if sub.busy < main.busy * WORTH_A_SUB_STREAM:
        return main
    advice = (
        f"its sub-stream would make {sub.busy} busy cameras of {main.busy}, and {sub.idle} idle"
        f" ones of {main.idle}: use it if it shows what matters"
    )
    return replace(main, advice=(*main.advice, advice))


def _of_codec(cost: StreamCost) -> str:
    if cost.h264_decode_s is None:
        return "try H.264: a key frame in H.265 may take more processor time"
    here, other = cost.decode_s * 1000, cost.h264_decode_s * 1000
    told = f"a key frame takes {here:.0f} ms in H.265, the same picture in H.264 {other:.0f} ms"
    return f"{told}: use H.264" if here > other else f"{told}: keep H.265"


def _times(cost: StreamCost) -> str:
    whole, keys = cost.full_decode_ratio or 0.0, cost.decode_s / cost.look_interval_s
    return f"{whole / keys:.0f} times" if keys > 0 else "many times"
