"""Every error Streetwarden raises on purpose, in one tree.

::

    StreetwardenError
    ├── ConfigError            a YAML file is wrong: all its problems, each with its line
    ├── SetupError             something the surroundings must provide is missing (a key, a package)
    ├── SourceError            a camera, file or folder cannot be read
    │   ├── SourceOpenError    it could not be opened
    │   ├── SourceReadError    it stopped giving frames
    │   └── SourceEnded        a file came to its end (not a fault)
    ├── SignOnError            an identity provider gave no answer, or none that holds
    ├── BackupError            a backup is damaged, or cannot be made or put back here
    ├── EvidenceError          evidence does not hold: altered, unsigned or incomplete
    ├── PlateReaderError       a licence-plate reader gave no usable answer
    ├── DetectorError          the detector could not look
    │   ├── WeightsError       weights are missing, unknown or altered
    │   ├── InferenceError     the network failed on a frame
    │   ├── RedactionError     a picture could not be made unrecognisable: it must not leave
    │   └── ClipError          no film could be made
    ├── StoreError             the database refused or is not there
    │   ├── NotFoundError      no such order, subscription or file
    │   └── ConflictError      the change contradicts what is stored
    │       └── TransitionError  an order cannot go from this status to that
    └── DispatchError          the dispatch service did not take what was posted
        ├── DispatchUnavailable  it may take it later: try again
        └── DispatchRejected     it never will: the request itself is wrong

Errors of libraries are mapped to these at the edge, with ``from``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class StreetwardenError(Exception):
    """Base of all errors that Streetwarden raises on purpose."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One thing wrong in a configuration file."""

    file: str
    line: int
    """Line in the file, counted from 1."""
    where: str
    """Path of the field, such as ``cameras[0].zones[2].polygon``; empty for the whole file."""
    message: str

    def __str__(self) -> str:
        field = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {field}{self.message}"


class ConfigError(StreetwardenError):
    """A configuration file is wrong; carries every problem found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SetupError(StreetwardenError):
    """The surroundings lack something: an environment variable, a package, a file."""


class SourceError(StreetwardenError):
    """A camera, file or folder cannot be read."""


class SourceOpenError(SourceError):
    """A source could not be opened."""


class SourceReadError(SourceError):
    """An open source stopped giving frames."""


class SourceEnded(SourceError):  # noqa: N818 - the end of a file is no fault
    """A file or folder of images came to its end."""


class SignOnError(StreetwardenError):
    """An identity provider cannot be reached, or what it said of somebody does not hold."""


class BackupError(StreetwardenError):
    """A backup is damaged or of a newer version, or it cannot be made or put back here."""


class EvidenceError(StreetwardenError):
    """Evidence does not hold: altered, unsigned, incomplete or signed by somebody else."""


class PlateReaderError(StreetwardenError):
    """A licence-plate reader cannot be reached, or what it answered is of no use."""


class DetectorError(StreetwardenError):
    """The detector could not look; says nothing about what is in the street."""


class WeightsError(DetectorError):
    """Weights are missing, unknown, altered or of a kind that cannot be loaded."""


class InferenceError(DetectorError):
    """The network failed on a frame."""


class RedactionError(DetectorError):
    """A redactor failed: nothing of this picture may leave the machine."""


class ClipError(DetectorError):
    """A film could not be decoded or encoded; the order goes without."""


class StoreError(StreetwardenError):
    """The database refused an operation or cannot be reached."""


class NotFoundError(StoreError):
    """What was asked for is not in the store."""


class ConflictError(StoreError):
    """A change contradicts what is stored."""


class TransitionError(ConflictError):
    """A work order cannot go from its status to the one asked for."""


class DispatchError(StreetwardenError):
    """The dispatch service did not take what was posted."""


class DispatchUnavailable(DispatchError):  # noqa: N818 - names a state that passes
    """The dispatch service cannot be reached or asks to try again later."""


class DispatchRejected(DispatchError):  # noqa: N818 - names an answer
    """The dispatch service will never take this request as it is."""
