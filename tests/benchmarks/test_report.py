"""The figures of the documents are those of the results, and not written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.report import BEGIN, DOCUMENT, END, MISSING, figures, replaced


def test_the_document_shows_the_results_that_are_there() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert replaced(text, figures()) == text, "run python -m benchmarks.report"


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    assert figures(tmp_path).count(MISSING) == 12


def test_results_become_rows_with_their_machine(tmp_path: Path) -> None:
    capacity = {
        "cores": 2,
        "cameras": {"naive": {"idle": 3, "busy": 2}, "keyframes": {"idle": 31}},
        "machine": "a test",
    }
    level = {
        "share": 0.9,
        "cameras": 28,
        "told": 99,
        "expected": 100,
        "latency_s": {"p50": 0.6, "p95": 1.1, "p99": None},
    }
    latency = {"levels": {"idle": [level]}, "machine": "a test", "note": "Noisy."}
    row = {"estimated_cpu_s": 0.03, "real_cpu_s": 0.036, "real_to_estimated": 1.2}
    sizing = {"scenes": {"busy": row}, "machine": "a test"}
    for name, found in (("capacity", capacity), ("latency", latency), ("sizing", sizing)):
        (tmp_path / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")

    text = figures(tmp_path)

    assert "Cameras that 2 cores carried" in text
    assert "OpenCV, `track()` | 3 | 2 |" in text
    assert f"key frames | 31 | {MISSING} |" in text
    assert "| idle | 90% | 28 | 99 of 100 | 0.60 | 1.10 | — |" in text
    assert "| busy | 30.0 | 36.0 | 1.20 |" in text
    assert text.count("a test.") == 3
    assert "a test. Noisy.)" in text


def test_only_what_is_between_the_marks_is_replaced() -> None:
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"

    assert replaced(document, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    with pytest.raises(SystemExit):
        replaced("no marks", "new")
