"""Gives a trained detector other classes without losing those it keeps.

Ultralytics rebuilds the class branch when the number of classes changes (its width follows that
number), which throws away what the branch knew. Here only its last layer is exchanged: rows of
kept classes are copied, rows of new ones start from the mean row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import nn
from ultralytics.nn.tasks import load_checkpoint

from detector.weights.form import WeightsFormat
from detector.weights.registry import resolve
from models.errors import WeightsError

PRIOR_OBJECTS = 5.0
"""Objects of all classes expected in a 640 px image, for the start of new biases (ultralytics')."""
PRIOR_IMAGE_PX = 640.0


def weights_file(root: Path, name: str) -> Path:
    """A file below ``root``, or the ``.pt`` of a model in the registry, verified."""
    path = root / name
    return path if path.is_file() else resolve(name, (WeightsFormat.PYTORCH,)).path


def load_network(path: Path) -> nn.Module:
    """The float32 network of an ultralytics checkpoint; :class:`WeightsError` if there is none."""
    try:
        network, _ = load_checkpoint(str(path), device="cpu")
    except (OSError, RuntimeError, KeyError, AttributeError, ModuleNotFoundError) as error:
        raise WeightsError(f"cannot load a network from {path}: {error}") from error
    return network.float()


def class_numbers(names: Mapping[int, str], wanted: Sequence[str]) -> list[int]:
    """Number of each wanted class in a network's names; :class:`WeightsError` if one is missing."""
    by_name = {name: number for number, name in names.items()}
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise WeightsError(f"the start model does not know: {', '.join(missing)}")
    return [by_name[name] for name in wanted]


def shared(network: nn.Module, classes: Sequence[str]) -> tuple[str, ...]:
    """Those of ``classes`` that a network knows."""
    names = set(network.names.values())
    return tuple(name for name in classes if name in names)


def same_layers(first: nn.Module, second: nn.Module, count: int) -> bool:
    """Whether the first ``count`` layers of two networks are the same, weights and all."""
    ours, theirs = (
        nn.ModuleList(list(network.model)[:count]).state_dict() for network in (first, second)
    )
    return ours.keys() == theirs.keys() and all(
        torch.equal(value.cpu(), theirs[name].cpu()) for name, value in ours.items()
    )


def with_classes(start: nn.Module, classes: Sequence[str], kept: Sequence[str]) -> nn.Module:
    """A copy of ``start`` that knows ``classes``; those ``kept`` answer exactly as before."""
    network = deepcopy(start)
    rows = class_numbers(start.names, kept)
    targets = [list(classes).index(name) for name in kept]
    head: Any = network.model[-1]
    for branch, stride in zip(head.cv3, head.stride.tolist(), strict=True):
        branch[-1] = _exchanged(branch[-1], len(classes), rows, targets, stride)
    head.nc = len(classes)
    head.no = head.nc + 4 * head.reg_max
    network.nc = head.nc
    network.names = dict(enumerate(classes))
    network.yaml = {**network.yaml, "nc": head.nc}
    return network


def _exchanged(
    old: nn.Conv2d, classes: int, rows: Sequence[int], targets: Sequence[int], stride: float
) -> nn.Conv2d:
    new = nn.Conv2d(old.in_channels, classes, 1)
    prior = math.log(PRIOR_OBJECTS / classes / (PRIOR_IMAGE_PX / stride) ** 2)
    if old.bias is None or new.bias is None:
        raise WeightsError("the last layer of the class branch has no bias")
    with torch.no_grad():
        new.weight.copy_(old.weight.mean(0, keepdim=True).expand_as(new.weight))
        new.bias.fill_(prior)
        new.weight[targets] = old.weight[rows]
        new.bias[targets] = old.bias[rows]
    return new.to(old.weight.device)


def interpolated(start: nn.Module, end: nn.Module, share: float) -> nn.Module:
    """A network whose weights lie at ``share`` of the way from ``start`` to ``end``."""
    mixed = deepcopy(end)
    first, last = start.state_dict(), end.state_dict()
    mixed.load_state_dict(
        {
            name: first[name] + share * (value - first[name])
            if value.dtype.is_floating_point
            else value
            for name, value in last.items()
        }
    )
    return mixed


def merged(start: nn.Module, trial: nn.Module, share: float, kept: Sequence[str]) -> nn.Module:
    """``start`` moved by ``share`` towards a ``trial`` that was trained from it.

    Both have the same classes. Last rows are not mixed: of classes ``kept`` they are the start's,
    of the others, which the start does not know, the trial's.
    """
    mixed = interpolated(start, trial, share)
    rows = class_numbers(start.names, kept)
    heads: list[Any] = [network.model[-1] for network in (mixed, start, trial)]
    with torch.no_grad():
        for ours, first, last in zip(*(head.cv3 for head in heads), strict=True):
            for name in ("weight", "bias"):
                values = getattr(last[-1], name).clone()
                values[rows] = getattr(first[-1], name)[rows]
                getattr(ours[-1], name).copy_(values)
    return mixed


def save_network(network: nn.Module, path: Path, arguments: Mapping[str, Any]) -> None:
    """Write a checkpoint in half precision that ultralytics loads, without optimiser and loss."""
    saved: Any = deepcopy(network).half().to(memory_format=torch.contiguous_format)
    saved.criterion = None
    saved.pt_path = None  # where it was loaded from is nobody's business
    saved.args = dict(arguments)
    for parameter in saved.parameters():
        parameter.requires_grad = False
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(
        {
            "epoch": -1,
            "model": saved,
            "ema": None,
            "optimizer": None,
            "train_args": dict(arguments),
            "license": "AGPL-3.0",
            "date": None,
            "version": "8.4",
        },
        path,
    )
