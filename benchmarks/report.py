"""Writes the figures of ``benchmarks/results`` into the marked table of ``docs/capacity.md``.

    python -m benchmarks.report

What has not been measured says so; nothing is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results")
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "capacity.md"
BEGIN, END = "<!-- figures: python -m benchmarks.report -->", "<!-- end of figures -->"
MISSING = "not measured yet"
CARRIERS = {
    "naive": "a script: a thread per camera, OpenCV, `track()`",
    "naive-openvino": "the same on OpenVINO",
    "full": "Streetwarden, every frame decoded",
    "keyframes": "Streetwarden, key frames",
    "substream": "Streetwarden, key frames of a 640×360 sub-stream",
}


def figures(results: Path = RESULTS) -> str:
    """The tables, as Markdown."""
    parts = (_capacity, _latency, _sizing)
    names = ("capacity", "latency", "sizing")
    blocks = [list(part(_read(results, name))) for part, name in zip(parts, names, strict=True)]
    return "\n\n".join("\n".join(block) for block in blocks)


def replaced(document: str, text: str) -> str:
    """The document with other figures between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        raise SystemExit(f"{DOCUMENT.name} lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _read(results: Path, name: str) -> dict[str, Any] | None:
    path = results / f"{name}.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _capacity(found: Mapping[str, Any] | None) -> Iterator[str]:
    cores = 1 if found is None else found["cores"]
    yield f"Cameras that {_counted(cores, 'core')} carried, one look a second, none later than 2 s:"
    yield ""
    yield "| carrier | idle | busy |"
    yield "|---|--:|--:|"
    cameras = {} if found is None else found["cameras"]
    for carrier, meaning in CARRIERS.items():
        row = cameras.get(carrier, {})
        yield f"| {meaning} | {row.get('idle', MISSING)} | {row.get('busy', MISSING)} |"
    yield from _source("capacity", found)


def _latency(found: Mapping[str, Any] | None) -> Iterator[str]:
    yield "From the moment the dwell has passed to the webhook, seconds, key frame each second:"
    yield ""
    yield "| scene | load | cameras | arrivals told | p50 | p95 | p99 |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    levels = {} if found is None else found["levels"]
    for scene, some in levels.items():
        for level in some:
            times = " | ".join(_seconds(level["latency_s"][key]) for key in ("p50", "p95", "p99"))
            told = f"{level['told']} of {level['expected']}"
            yield f"| {scene} | {level['share']:.0%} | {level['cameras']} | {told} | {times} |"
    if found is None:
        yield f"| {MISSING} | | | | | | |"
    yield from _source("latency", found)


def _sizing(found: Mapping[str, Any] | None) -> Iterator[str]:
    yield "What `doctor --capacity` estimates, against the daemon on the same core, CPU-ms a look:"
    yield ""
    yield "| scene | estimated | daemon | daemon to estimate |"
    yield "|---|--:|--:|--:|"
    for scene, row in ({} if found is None else found["scenes"]).items():
        estimated, real = row["estimated_cpu_s"] * 1000, row["real_cpu_s"] * 1000
        yield f"| {scene} | {estimated:.1f} | {real:.1f} | {row['real_to_estimated']:.2f} |"
    if found is None:
        yield f"| {MISSING} | | | |"
    yield from _source("sizing", found)


def _source(name: str, found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is not None:
        note = f" {found['note']}" if found.get("note") else ""
        yield ""
        yield f"(`benchmarks/results/{name}.json`; {found['machine']}.{note})"


def _seconds(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def main() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(replaced(text, figures()), encoding="utf-8")


if __name__ == "__main__":
    main()
