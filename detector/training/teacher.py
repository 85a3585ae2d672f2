"""The frozen start model as teacher, without running the layers that it shares with the student."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from detector.training.loss import Predictions


class Teacher:
    """Answers for the images that the student has just seen.

    While the student's first ``shared_layers`` are frozen they are the teacher's own, so the
    student's features there are taken over instead of being computed again.
    """

    def __init__(self, network: nn.Module, *, shared_layers: int, precision: torch.dtype) -> None:
        self._layers: Any = network.float().eval().model
        self._saved = set(network.save)
        self._shared = shared_layers
        self._precision = precision
        self._features: dict[int, Tensor] = {}
        for parameter in network.parameters():
            parameter.requires_grad_(requires_grad=False)
        # Raw outputs are wanted; only the head itself looks at this flag.
        self._layers[-1].training = True

    def listen(self, student: nn.Module) -> None:
        """Take over the features of the student's frozen layers from now on."""
        for number in range(self._shared):
            if number in self._saved or number == self._shared - 1:
                student.model[number].register_forward_hook(self._keeper(number))

    def _keeper(self, number: int) -> Any:
        def keep(_layer: nn.Module, _inputs: Any, output: Tensor) -> None:
            self._features[number] = output.detach()

        return keep

    def __call__(self, images: Tensor) -> Predictions:
        """Raw predictions for ``images``."""
        mixed = self._precision != torch.float32
        with (
            torch.no_grad(),
            torch.autocast(images.device.type, dtype=self._precision, enabled=mixed),
        ):
            return self._run(images)

    def _run(self, images: Tensor) -> Predictions:
        outputs: dict[int, Any] = dict(self._features) if self._shared else {}
        current: Any = outputs.get(self._shared - 1, images)
        for layer in self._layers[self._shared :]:
            source = layer.f
            if source != -1:
                wanted = [source] if isinstance(source, int) else source
                gathered = [current if number == -1 else outputs[number] for number in wanted]
                current = gathered[0] if isinstance(source, int) else gathered
            current = layer(current)
            outputs[layer.i] = current
        return dict(current)
