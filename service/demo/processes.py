"""Child processes of the demo: each with its own log file, all ended together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from models.errors import SetupError

STOP_TIMEOUT_S = 10.0
LOG_TAIL_CHARACTERS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """One running process and the file that holds what it says on standard error."""

    name: str
    process: subprocess.Popen[str]
    log: Path

    def check(self) -> None:
        """Raise :class:`SetupError` with the end of its log if the process has ended."""
        code = self.process.poll()
        if code is not None:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARACTERS:]
            raise SetupError(f"{self.name} ended with code {code}:\n{tail}")


@dataclass(kw_only=True, slots=True)
class Children:
    """Starts processes of this installation and ends all of them on leaving."""

    folder: Path
    _started: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in reversed(self._started):
            child.process.terminate()
        for child in reversed(self._started):
            _end(child.process)

    def start(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        pipe: bool = False,
    ) -> Child:
        """Run ``python -m`` with these arguments; ``pipe``: standard output is for the caller."""
        log = self.folder / f"{name}.log"
        with log.open("w", encoding="utf-8") as handle:
            process = subprocess.Popen(  # noqa: S603 - our own modules with our own arguments
                [sys.executable, "-m", *arguments],
                env={**os.environ, **environment},
                stdout=subprocess.PIPE if pipe else handle,
                stderr=handle,
                text=True,
            )
        child = Child(name=name, process=process, log=log)
        self._started.append(child)
        return child

    def check(self) -> None:
        """Raise :class:`SetupError` if any of them has ended."""
        for child in self._started:
            child.check()


def wait_until(child: Child, ready: Callable[[], bool], timeout_s: float) -> None:
    """Wait for a process to become ready; :class:`SetupError` if it ends or takes too long."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        child.check()
        if time.monotonic() > deadline:
            raise SetupError(
                f"{child.name} was not ready within {timeout_s:.0f} s: see {child.log}"
            )
        time.sleep(0.1)


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
