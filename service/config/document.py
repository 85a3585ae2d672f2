"""A YAML file as plain data, where every value still knows its line.

YAML 1.2 (``no`` is text, ``07:00`` is text, ``010`` is ten). Whatever is wrong with the file as
YAML is collected here; what is wrong with its content is found by the other modules and placed on
its line by :meth:`Document.problem`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yamlcore import CCoreLoader

from models.errors import ConfigError, Problem
from models.urls import redact_url

Loc = tuple[str | int, ...]
"""Path of a value: keys and indices."""

MAX_DEPTH = 40
MAX_NODES = 2_000_000
"""More than 20,000 cameras; a file of nested aliases ends here instead of eating the memory."""

_PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something wrong at a place of the document."""

    loc: Loc
    message: str
    absent: bool = False
    """The last part of ``loc`` names a key that is not there."""


@dataclass(kw_only=True, slots=True)
class Document:
    """One YAML file: its plain data, and the nodes it came from."""

    file: str
    root: yaml.Node
    data: Any
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the YAML itself, such as duplicate keys."""

    def line(self, loc: Loc) -> int:
        """Line of the value, or of its key where it has one; counted from 1."""
        return self._place(Finding(loc=loc, message=""))[0]

    def problem(self, finding: Finding) -> Problem:
        """The finding with its line, without credentials."""
        line, where = self._place(finding)
        return Problem(
            file=self.file,
            line=line,
            where=redact_url(where),
            message=redact_url(finding.message),
        )

    def _place(self, finding: Finding) -> tuple[int, str]:
        node, line, where = self.root, _line(self.root), ""
        last = len(finding.loc) - 1
        for depth, part in enumerate(finding.loc):
            step = _child(node, part)
            if step is not None:
                line, node = step
                where = _join(where, part)
            elif depth == last and finding.absent:
                where = _join(where, part)
        return line, where


def read_document(path: Path) -> Document:
    """The file as data with lines; raises :class:`ConfigError` if it is not readable YAML."""
    return document_of(str(path), _read_text(path))


def document_of(file: str, text: str) -> Document:
    """YAML text as data with lines; raises :class:`ConfigError` if it is not readable YAML."""
    root = _compose(file, text)
    builder = _Builder(file)
    data = builder.build(root, "", 0)
    return Document(file=file, root=root, data=data, problems=builder.problems)


def _refuse(file: str, message: str, line: int = 1) -> ConfigError:
    problem = Problem(file=file, line=line, where="", message=redact_url(message))
    return ConfigError([problem])


def _read_text(path: Path) -> str:
    file = str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise _refuse(file, "there is no such file") from None
    except IsADirectoryError:
        raise _refuse(file, "is a folder, not a file") from None
    except OSError as error:
        raise _refuse(file, f"cannot be read: {error.strerror}") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _refuse(file, "is not UTF-8 text: save it with that encoding", line) from None


def _compose(file: str, text: str) -> yaml.Node:
    try:
        root: yaml.Node | None = CCoreLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _refuse(file, *_syntax(error)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refuse(file, f"not YAML: {error.reason}", line) from None
    except RecursionError:
        raise _refuse(file, "is nested too deeply") from None
    if root is None:
        raise _refuse(file, "is empty")
    return root


def _syntax(error: yaml.MarkedYAMLError) -> tuple[str, int]:
    mark = error.problem_mark or error.context_mark
    reason = ", ".join(part for part in (error.problem, error.context) if part)
    if mark is None:
        return f"not YAML: {reason}", 1
    return f"not YAML: {reason} (column {mark.column + 1})", mark.line + 1


class _Builder:
    """Plain data from nodes; notes what YAML allows and we do not."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._scalars = CCoreLoader("")
        self._open: set[int] = set()
        self._count = 0

    def build(self, node: yaml.Node, where: str, depth: int) -> Any:
        """The value of ``node``; raises :class:`ConfigError` where going on makes no sense."""
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise _refuse(self._file, "is nested too deeply or too large", _line(node))
        if node.tag not in _PLAIN_TAGS:
            self._note(node, where, f"the tag {node.tag} is not supported")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalars.construct_object(node)
        if id(node) in self._open:
            raise _refuse(self._file, "an alias refers to the value it is part of", _line(node))
        self._open.add(id(node))
        value = self._collection(node, where, depth)
        self._open.discard(id(node))
        return value

    def _collection(self, node: yaml.Node, where: str, depth: int) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return [
                self.build(item, _join(where, index), depth + 1)
                for index, item in enumerate(node.value)
            ]
        lines: dict[str, int] = {}
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(key_node, where, "a key must be plain text")
                continue
            key, line = str(key_node.value), _line(key_node)
            first = lines.setdefault(key, line)
            if key in data:
                message = f"duplicate key, first at line {first}"
                self._note(key_node, _join(where, key), message)
                continue
            data[key] = self.build(value_node, _join(where, key), depth + 1)
        return data

    def _note(self, node: yaml.Node, where: str, message: str) -> None:
        where, message = redact_url(where), redact_url(message)
        problem = Problem(file=self._file, line=_line(node), where=where, message=message)
        self.problems.append(problem)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _join(where: str, part: str | int) -> str:
    if isinstance(part, int):
        return f"{where}[{part}]"
    return f"{where}.{part}" if where else part


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    """Line to show and node of one part, or None where the node has no such part."""
    if isinstance(node, yaml.MappingNode) and isinstance(part, str):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == part:
                return _line(key), value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return _line(item), item
    return None


EACH = None
"""In :func:`select`: every entry of a list, or every value of a mapping."""


def select(data: Any, *path: str | None) -> Iterator[tuple[Loc, Any]]:
    """Every value at ``path`` with its place; what has another shape is passed over.

    This is how checks across the file work even while other parts of it are wrong.
    """
    found: list[tuple[Loc, Any]] = [((), data)]
    for part in path:
        found = [deeper for loc, value in found for deeper in _deeper(loc, value, part)]
    yield from found


def _deeper(loc: Loc, value: Any, part: str | None) -> Iterator[tuple[Loc, Any]]:
    if part is EACH:
        if isinstance(value, list):
            yield from (((*loc, index), item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            yield from (((*loc, key), item) for key, item in value.items())
    elif isinstance(value, dict) and part in value:
        yield (*loc, part), value[part]
