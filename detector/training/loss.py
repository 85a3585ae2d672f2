"""The training loss: partial labels from the sets, vehicles and persons from a teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from ultralytics.utils.loss import v8DetectionLoss
from ultralytics.utils.tal import make_anchors

from detector.training.sources import source_of

Predictions = dict[str, Any]
"""Raw output of a detection head: ``boxes`` [image, 4 x bins, anchor], ``scores``, ``feats``."""

SURE_ENOUGH = 0.05
"""Teacher scores below it say nothing about where a box is."""


def masked_score_loss(logits: Tensor, targets: Tensor, known: Tensor, learnt: Tensor) -> Tensor:
    """Sum of the cross-entropy where it is known what the answer is.

    ``logits`` and ``targets``: [image, anchor, class]. ``known`` [image, class]: a place without a
    box is a negative. ``learnt`` [class]: classes that labels teach at all. On a labelled object
    every class is known, whatever the source labels: what is a rubbish bag is no piece of litter.
    """
    loss = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (loss * labels_say(targets, known, learnt)).sum()


def labels_say(targets: Tensor, known: Tensor, learnt: Tensor) -> Tensor:
    """Where labels say what the answer is: [image, anchor, class], of booleans."""
    on_object = targets.amax(-1, keepdim=True) > 0
    return (known[:, None, :] | on_object) & learnt


def distilled_scores(student: Tensor, teacher: Tensor, where: Tensor | None = None) -> Tensor:
    """How far the student's scores are from the teacher's, per certain object of the teacher.

    All are [image, anchor, class]: logits, and booleans that say ``where`` to learn, by default
    everywhere. Zero when they agree (the entropy is taken off).
    """
    aim = teacher.sigmoid()
    cross = functional.binary_cross_entropy_with_logits(student, aim, reduction="none")
    own = functional.binary_cross_entropy_with_logits(teacher, aim, reduction="none")
    gap = cross - own if where is None else (cross - own) * where
    return gap.sum() / aim.sum().clamp(min=float(len(student)))


def distilled_boxes(student: Tensor, teacher: Tensor, weight: Tensor, bins: int) -> Tensor:
    """Mean divergence of the side distributions [image, anchor, 4 x bins] where ``weight`` > 0."""
    chosen = weight > 0
    if not bool(chosen.any()):
        return student.sum() * 0.0
    shape = (-1, 4, bins)
    ours = functional.log_softmax(student[chosen].view(shape), dim=-1)
    aim = functional.log_softmax(teacher[chosen].view(shape), dim=-1)
    divergence = functional.kl_div(ours, aim, reduction="none", log_target=True).sum(-1).mean(-1)
    weights = weight[chosen]
    return (divergence * weights).sum() / weights.sum()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Said:
    """Where the labels of a batch say something."""

    classes: Tensor
    """[image, anchor, class]: whether it is that class."""
    objects: Tensor
    """[image, anchor]: that a labelled object is there."""


class PartialLabelLoss(v8DetectionLoss):  # type: ignore[misc]
    """Ultralytics' loss for labelled classes, distillation for those that the teacher knows.

    Classes ``kept`` are the teacher's alone; those ``elsewhere`` are where labels say nothing.
    ``teacher_numbers``: of both, in this order, among the teacher's classes.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        known: Mapping[str, Any],
        kept: Sequence[int],
        teacher: Callable[[Tensor], Predictions],
        teacher_numbers: Sequence[int],
        scores_gain: float,
        boxes_gain: float,
        elsewhere: Sequence[int] = (),
    ) -> None:
        super().__init__(network)
        self.known = {name: torch.as_tensor(mask) for name, mask in known.items()}
        self.taught = [*kept, *elsewhere]
        self.learnt = torch.ones(self.nc, dtype=torch.bool, device=self.device)
        self.learnt[list(kept)] = False
        self.teacher = teacher
        self.teacher_numbers = list(teacher_numbers)
        self.gains = (scores_gain, boxes_gain)
        self.loss_names = ("box_loss", "cls_loss", "dfl_loss", "keep_cls", "keep_box")

    def loss(
        self, preds: Predictions, batch: Mapping[str, Any]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of one batch, times its size as ultralytics expects, and its parts."""
        boxes = preds["boxes"].float().permute(0, 2, 1).contiguous()
        scores = preds["scores"].float().permute(0, 2, 1).contiguous()
        labelled, said = self._labelled_loss(boxes, scores, preds["feats"], batch)
        taught = self._taught_loss(boxes, scores, said, batch["img"])
        parts = torch.stack((*labelled, *taught))
        return parts * len(scores), dict(zip(self.loss_names, parts.detach(), strict=True))

    def _known(self, files: Sequence[str]) -> Tensor:
        return torch.stack([self.known[source_of(file)] for file in files]).to(self.device)

    def _labelled_loss(
        self, boxes: Tensor, scores: Tensor, feats: list[Tensor], batch: Mapping[str, Any]
    ) -> tuple[tuple[Tensor, Tensor, Tensor], _Said]:
        anchors, strides = make_anchors(feats, self.stride, 0.5)
        anchors, strides = anchors.float(), strides.float()
        size = torch.tensor(feats[0].shape[2:], device=self.device).float() * self.stride[0]
        columns = (batch["batch_idx"].view(-1, 1), batch["cls"].view(-1, 1), batch["bboxes"])
        truth = self.preprocess(torch.cat(columns, 1), len(scores), size[[1, 0, 1, 0]])
        labels, true_boxes = truth.split((1, 4), 2)
        decoded = self.bbox_decode(anchors, boxes)
        _, aims, aim_scores, foreground, _ = self.assigner(
            scores.detach().sigmoid(),
            decoded.detach() * strides,
            anchors * strides,
            labels,
            true_boxes,
            true_boxes.sum(2, keepdim=True).gt_(0.0),
        )
        total = aim_scores.sum().clamp(min=1)
        known = self._known(batch["im_file"])
        score_loss = masked_score_loss(scores, aim_scores, known, self.learnt) / total
        said = labels_say(aim_scores, known, self.learnt)
        box_loss, side_loss = self.bbox_loss(
            boxes, decoded, anchors, aims / strides, aim_scores, total, foreground, size, strides
        )
        hyp = self.hyp
        parts = (box_loss * hyp.box, score_loss * hyp.cls, side_loss * hyp.dfl)
        return parts, _Said(classes=said, objects=foreground)

    def _taught_loss(
        self, boxes: Tensor, scores: Tensor, said: _Said, images: Tensor
    ) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            raw = self.teacher(images)
            aim_boxes = raw["boxes"].float().permute(0, 2, 1)
            aim_scores = raw["scores"].float().permute(0, 2, 1)[..., self.teacher_numbers]
            sure = aim_scores.sigmoid().amax(-1)
            chosen = (sure > SURE_ENOUGH) & ~said.objects
            sure = torch.where(chosen, sure, torch.zeros_like(sure))
        unsaid = ~said.classes[..., self.taught]
        score_loss = distilled_scores(scores[..., self.taught], aim_scores, unsaid)
        box_loss = distilled_boxes(boxes, aim_boxes, sure, self.reg_max)
        hyp, (scores_gain, boxes_gain) = self.hyp, self.gains
        return score_loss * hyp.cls * scores_gain, box_loss * hyp.dfl * boxes_gain
