"""Is this installation what it should be? Asked by ``doctor`` and before the daemon starts."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "streetwarden"
OUR_PACKAGES = ("detector", "models", "service", "zones")
"""Top-level names so plain that another distribution may use them too."""
NATIVE_MODULES = {
    "opencv-python-headless": "cv2",
    "av": "av",
    "openvino": "openvino",
    "shapely": "shapely",
}
"""Distributions with compiled parts, which may be there and yet not load."""
RIVAL_OPENCVS = ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")

_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?$")
_LIMIT = re.compile(r"^(>=|<=|==|!=|<|>|~=)\s*([0-9][0-9.]*)")


class State(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    detail: str
    advice: str = ""


def check_installation() -> list[Check]:
    """Every check of the installation itself."""
    checks = check_package_names()
    try:
        own = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        advice = "pip install -e . in the checkout"
        detail = "is not installed, only its files are there"
        checks.append(Check(name=DISTRIBUTION, state=State.FAIL, detail=detail, advice=advice))
    else:
        checks.append(_check_python(own["Requires-Python"] or ""))
        checks += check_requirements(own.get_all("Requires-Dist") or [])
    checks += [_check_loads(name, module) for name, module in NATIVE_MODULES.items()]
    return [*checks, _check_rival_opencv(), _check_films(), _check_ultralytics()]


def check_package_names(
    owners: Mapping[str, Sequence[str]] | None = None, paths: Sequence[str] | None = None
) -> list[Check]:
    """Whether ``detector``, ``models``, ``service`` and ``zones`` are ours and nobody else's.

    ``owners``: which distributions bring which top-level names; ``paths``: where Python looks.
    Both default to those of this process.
    """
    owned = metadata.packages_distributions() if owners is None else owners
    ours = Path(__file__).resolve().parents[2]
    return [_check_name(name, owned.get(name, ()), ours, paths) for name in OUR_PACKAGES]


def check_requirements(requirements: Iterable[str]) -> list[Check]:
    """Whether each required distribution is there in a version within its range."""
    return [
        _check_requirement(found[1], found[2].strip())
        for requirement in requirements
        if (found := _REQUIREMENT.match(requirement)) and "extra" not in (found[3] or "")
    ]


def is_within(version: str, limits: str) -> bool:
    """Whether a version lies within limits such as ``>=1.2,<2``; only numbers are compared."""
    return all(_meets(_numbers(version), limit.strip()) for limit in limits.split(",") if limit)


def _check_name(name: str, owners: Sequence[str], ours: Path, paths: Sequence[str] | None) -> Check:
    title = f"package {name}"
    others = sorted({owner for owner in owners if owner.lower() != DISTRIBUTION})
    if others:
        return Check(
            name=title,
            state=State.FAIL,
            detail=f"also brought by {', '.join(others)}",
            advice=f"install {DISTRIBUTION} into an environment of its own",
        )
    place = _place_of(name, paths)
    if place != ours:
        return Check(
            name=title,
            state=State.FAIL,
            detail=f"Python finds it at {place}, not at {ours}" if place else "cannot be found",
            advice="unset PYTHONPATH, and start from another folder",
        )
    return Check(name=title, state=State.OK, detail=str(ours / name))


def _place_of(name: str, paths: Sequence[str] | None) -> Path | None:
    """Folder in which Python would find a top-level package if it were imported afresh."""
    for path in sys.path if paths is None else paths:
        folder = Path(path or ".").resolve()
        if (folder / name / "__init__.py").is_file() or (folder / f"{name}.py").is_file():
            return folder
    return None


def _check_python(limits: str) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = is_within(version, limits)
    return Check(
        name="python",
        state=State.OK if fits else State.FAIL,
        detail=f"{version} (needs {limits})" if not fits else version,
    )


def _check_requirement(name: str, limits: str) -> Check:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(
            name=name,
            state=State.FAIL,
            detail="is not installed",
            advice=f"pip install '{name}{limits}'",
        )
    if not is_within(version, limits):
        return Check(
            name=name,
            state=State.WARN,
            detail=f"{version} is outside {limits}",
            advice=f"pip install '{name}{limits}'",
        )
    return Check(name=name, state=State.OK, detail=version)


def _check_loads(distribution: str, module: str) -> Check:
    try:
        importlib.import_module(module)
    except (ImportError, OSError) as error:
        return Check(
            name=f"import {module}",
            state=State.FAIL,
            detail=str(error),
            advice=f"pip install --force-reinstall {distribution}",
        )
    return Check(name=f"import {module}", state=State.OK, detail="loads")


def _check_rival_opencv() -> Check:
    rivals = [name for name in RIVAL_OPENCVS if _version_of(name)]
    if not rivals:
        return Check(name="opencv", state=State.OK, detail="one build, headless")
    return Check(
        name="opencv",
        state=State.WARN,
        detail=f"{', '.join(rivals)} overwrites the headless build",
        advice=f"pip uninstall {' '.join(rivals)}, then reinstall opencv-python-headless",
    )


def _check_films() -> Check:
    # imported here: doctor must be able to say that PyAV or OpenCV do not load
    try:
        from detector.clip import encoder

        name = encoder()
    except ImportError as error:
        return Check(name="films", state=State.WARN, detail=f"cannot be made: {error}")
    if name is None:
        return Check(
            name="films",
            state=State.WARN,
            detail="PyAV has no H.264 encoder here: orders go without films",
            advice="pip install --force-reinstall av (its wheels have libx264)",
        )
    return Check(name="films", state=State.OK, detail=f"encoded by {name}")


def _check_ultralytics() -> Check:
    version = _version_of("ultralytics-opencv-headless") or _version_of("ultralytics")
    detail = version or "not installed; only needed for .pt weights, training and export"
    return Check(name="extra ultralytics", state=State.OK, detail=detail)


def _version_of(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _meets(version: tuple[int, ...], limit: str) -> bool:
    found = _LIMIT.match(limit)
    if found is None:
        return True
    sign, bound = found[1], _numbers(found[2])
    length = max(len(version), len(bound))
    left = version + (0,) * (length - len(version))
    right = bound + (0,) * (length - len(bound))
    meets = {
        ">=": left >= right,
        "<=": left <= right,
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        ">": left > right,
        "~=": left >= right and left[: len(bound) - 1] == right[: len(bound) - 1],
    }
    return meets[sign]


def _numbers(version: str) -> tuple[int, ...]:
    """``1.2.3rc1`` → (1, 2, 3)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
