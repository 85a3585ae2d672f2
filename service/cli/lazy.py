"""Commands whose modules are imported when they are used, not before.

Networks, databases and video take a second to import; ``--help`` and ``check`` need none of them. A
group lists its commands as a table of where they are and what its help says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


@dataclass(frozen=True, kw_only=True, slots=True)
class Lazy:
    """Where a command or a group of commands is, and its line in the help of the group above."""

    module: str
    name: str
    """Of the function, or of the :class:`typer.Typer`."""
    help: str
    """The first sentence of its own help; written here too, so that listing imports nothing."""

    def load(self) -> Any:
        """The function or group itself."""
        return getattr(import_module(self.module), self.name)


class LazyCommand(TyperCommand):
    """Stands in a group for a command or group that is imported once somebody uses it."""

    def __init__(self, name: str, lazy: Lazy) -> None:
        super().__init__(name, help=lazy.help)
        self._lazy = lazy

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """A context of the real command, which then runs instead of this one."""
        return self._loaded().make_context(info_name, args, parent, **extra)

    def _loaded(self) -> Any:
        found = self._lazy.load()
        if isinstance(found, typer.Typer):
            return get_command(found)
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(found)
        return get_command(alone)


class LazyGroup(TyperGroup):
    """A group of the commands in its table, in that order."""

    table: ClassVar[Mapping[str, Lazy]] = {}

    def __init__(self, *, commands: Any = None, **settings: Any) -> None:
        lazy = {name: LazyCommand(name, each) for name, each in self.table.items()}
        super().__init__(commands={**lazy, **(commands or {})}, **settings)
