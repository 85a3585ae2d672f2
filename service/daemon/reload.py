"""Follows the configuration file: a good change is applied, a bad one is reported and ignored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import structlog

from models.city import City
from models.errors import ConfigError

Stamp = tuple[int, int]

log = structlog.get_logger(__name__)


class ConfigWatch:
    """Compares the file with what was last seen of it; call :meth:`poll` every second or so.

    ``beside``: the file of addresses that belongs to it, whose changes count as well.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[Path], City],
        apply: Callable[[City], None],
        beside: Path | None = None,
    ) -> None:
        self._path = path
        self._load = load
        self._apply = apply
        self._beside = beside
        self._seen = self._stamps()
        self._settling = self._seen

    def poll(self) -> None:
        """Reload if the file changed and has stayed the same since the last call.

        An editor may write a file in several steps: the change counts when it has settled.
        """
        stamps = self._stamps()
        settled, self._settling = stamps == self._settling, stamps
        if settled and stamps[0] is not None and stamps != self._seen:
            self._seen = stamps
            self.reload()

    def reload(self) -> None:
        """Load and apply; with a configuration that is wrong the daemon goes on as it was."""
        try:
            city = self._load(self._path)
        except ConfigError as error:
            for problem in error.problems:
                log.error("configuration not applied", problem=str(problem))
            return
        self._apply(city)
        if city.address_file != self._beside:
            self._beside = city.address_file
            self._seen = self._settling = (self._seen[0], self._stamps()[1])
        log.info("configuration applied", file=str(self._path), cameras=len(city.cameras))

    def _stamps(self) -> tuple[Stamp | None, Stamp | None]:
        return _stamp(self._path), None if self._beside is None else _stamp(self._beside)


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None  # gone while an editor replaces it, or for good: nothing to apply
    return stat.st_mtime_ns, stat.st_size
