"""One training run, as ultralytics' trainer with our model, sampling and loss put in."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import structlog
import torch
from torch import nn
from torch.utils.data import WeightedRandomSampler
from ultralytics.data.build import InfiniteDataLoader, seed_worker
from ultralytics.data.dataset import YOLODataset
from ultralytics.models.yolo.detect import DetectionTrainer

from detector.training.data import assemble
from detector.training.dataset import StreetDataset
from detector.training.loss import PartialLabelLoss
from detector.training.model import (
    class_numbers,
    load_network,
    merged,
    same_layers,
    save_network,
    shared,
    weights_file,
    with_classes,
)
from detector.training.run import TrainingRun, load_run
from detector.training.sources import SourceTable, load_sources, source_of, with_extra
from detector.training.teacher import Teacher
from models.errors import ConfigError, Problem

BACKBONE_LAYERS = 11
"""Of YOLO11; the neck begins after them."""

log = structlog.get_logger(__name__)


def draw_weights(files: list[str], table: SourceTable) -> list[float]:
    """Probability weight of each image: its source's share, spread over the source's images."""
    sizes = Counter(source_of(file) for file in files)
    return [table.sources[source_of(f)].weight / sizes[source_of(f)] for f in files]


class StreetTrainer(DetectionTrainer):  # type: ignore[misc]
    """Trains on partial labels and a teacher; checkpoints hold a plain ultralytics network."""

    def __init__(self, run: TrainingRun, table: SourceTable, root: Path, **overrides: Any) -> None:
        self.run = run
        self.table = table
        self.root = root
        self.start = weights_file(root, run.start)
        self.merge_with = root / run.merge_with if run.merge_with else None
        super().__init__(overrides=overrides)
        self.add_callback("on_pretrain_routine_end", StreetTrainer._install_loss)

    def get_model(
        self, cfg: Any = None, weights: nn.Module | None = None, verbose: bool = True
    ) -> nn.Module:
        """The start model with our classes; when resuming, the checkpoint's network as it is."""
        del cfg, verbose
        if weights is None:
            weights = load_network(self.start)
        if self.resume:
            return weights.float()
        if self.run.continue_from is not None:
            earlier = load_network(weights_file(self.root, self.run.continue_from))
            return with_classes(earlier, self.run.classes, shared(earlier, self.run.classes))
        if self.run.teacher_elsewhere:
            known = shared(weights, self.run.classes)
            return with_classes(weights.float(), self.run.classes, known)
        network = with_classes(weights.float(), self.run.classes, self.run.kept)
        if self.merge_with is None:
            return network
        return merged(network, load_network(self.merge_with), self.run.merge_share, self.run.kept)

    def build_optimizer(self, model: nn.Module, *args: Any, **options: Any) -> Any:
        """As ultralytics does, with rates of their own for exchanged and for early layers."""
        optimizer = super().build_optimizer(model, *args, **options)
        layers: Any = model.model
        exchanged = {id(p) for branch in layers[-1].cv3 for p in branch[-1].parameters()}
        early = {id(p) for p in layers[:BACKBONE_LAYERS].parameters()}
        with_rate(optimizer, exchanged, self.run.last_layer_rate_factor)
        with_rate(optimizer, early, self.run.early_layers_rate_factor)
        return optimizer

    def _model_train(self) -> None:
        super()._model_train()
        if self.run.frozen_statistics:
            for layer in self.model.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """Draws images by the weights of their sources; validation as ultralytics does it."""
        if mode != "train":
            return super().get_dataloader(dataset_path, batch_size, rank, mode)
        dataset = StreetDataset(
            img_path=dataset_path,
            imgsz=self.args.imgsz,
            batch_size=batch_size,
            augment=True,
            hyp=self.args,
            cache=self.args.cache or None,
            data=self.data,
            task="detect",
            stride=32,
            prefix="train: ",
        )
        dataset.use_table(self.table)
        weights = draw_weights(dataset.im_files, self.table)
        generator = torch.Generator().manual_seed(self.run.seed + self.start_epoch)
        workers = 1 if self.run.epoch_images > 4 * batch_size else 0
        return InfiniteDataLoader(
            dataset=dataset,
            batch_size=batch_size,
            sampler=WeightedRandomSampler(weights, self.run.epoch_images, generator=generator),
            num_workers=workers,
            prefetch_factor=3 if workers else None,
            collate_fn=YOLODataset.collate_fn,
            worker_init_fn=seed_worker,
            drop_last=self.run.epoch_images >= batch_size,
        )

    def validate(self) -> tuple[dict[str, float], None]:
        """Nothing during training: partial labels would be scored as whole ones."""
        return {}, None

    def final_eval(self) -> None:
        """Write the averaged network without its optimiser; scoring is a step of its own."""
        if self.ema is not None:
            save_network(self.ema.ema, self.wdir / f"{self.run.name}.pt", _arguments(self.run))

    def _install_loss(self) -> None:
        """After the averaged copy is made, so that neither teacher nor loss gets into it."""
        network: Any = self.model
        precision = torch.bfloat16 if self.run.precision == "bf16" else torch.float32
        mixed = precision != torch.float32
        start = load_network(self.start)
        # Frozen layers never change: the teacher need not run those that it has in common.
        frozen = self.run.frozen_layers
        common = frozen if same_layers(network, start, frozen) else 0
        teacher = Teacher(start, shared_layers=common, precision=precision)
        teacher.listen(network)
        network.to(memory_format=torch.channels_last)
        start.to(memory_format=torch.channels_last)
        elsewhere = self._taught_elsewhere(start)
        criterion = PartialLabelLoss(
            network,
            known=self.table.known_mask(self.run.classes),
            kept=[self.run.classes.index(name) for name in self.run.kept],
            elsewhere=[self.run.classes.index(name) for name in elsewhere],
            teacher=teacher,
            teacher_numbers=class_numbers(start.names, (*self.run.kept, *elsewhere)),
            scores_gain=self.run.distil_scores_gain,
            boxes_gain=self.run.distil_boxes_gain,
        )
        network.criterion = criterion

        def loss(batch: dict[str, Any], preds: Any = None) -> Any:
            if preds is None:
                images = batch["img"].contiguous(memory_format=torch.channels_last)
                with torch.autocast(images.device.type, dtype=precision, enabled=mixed):
                    preds = network.forward(images)
            return criterion(preds, batch)

        network.loss = loss

    def _taught_elsewhere(self, teacher: nn.Module) -> tuple[str, ...]:
        if not self.run.teacher_elsewhere:
            return ()
        return tuple(n for n in shared(teacher, self.run.classes) if n not in self.run.kept)


def with_rate(optimizer: torch.optim.Optimizer, chosen: set[int], factor: float) -> None:
    """Move parameters, chosen by ``id``, to groups of their own with ``factor`` of the rate."""
    for group in list(optimizer.param_groups) if factor != 1.0 else ():
        moved = [p for p in group["params"] if id(p) in chosen]
        if moved:
            group["params"] = [p for p in group["params"] if id(p) not in chosen]
            optimizer.add_param_group({**group, "params": moved, "lr": group["lr"] * factor})


def _arguments(run: TrainingRun) -> dict[str, Any]:
    return {"task": "detect", "imgsz": run.image_size_px, "single_cls": False}


def _overrides(run: TrainingRun, data: Path, start: Path, output: Path) -> dict[str, Any]:
    return {
        "model": str(start), "data": str(data), "save_dir": str(output), "exist_ok": True,
        "imgsz": run.image_size_px, "batch": run.batch, "nbs": run.batch, "epochs": run.epochs,
        "time": run.hours, "device": run.device, "seed": run.seed, "optimizer": "AdamW",
        "lr0": run.learning_rate, "lrf": 0.02, "momentum": 0.9, "weight_decay": 0.0005,
        "cos_lr": True, "warmup_epochs": run.warmup_epochs, "warmup_bias_lr": 0.0,
        "freeze": run.frozen_layers, "mosaic": run.mosaic_ratio,
        "close_mosaic": run.last_epochs_without_mosaic, "scale": 0.5, "translate": 0.1,
        "degrees": 4.0, "fliplr": 0.5, "hsv_h": 0.015, "hsv_s": 0.6, "hsv_v": 0.45,
        "cache": "ram", "workers": 1, "amp": False, "val": True, "plots": False,
        "deterministic": False, "patience": 0, "verbose": False,
    }  # fmt: skip


def _with_classes_of_start(run: TrainingRun, root: Path) -> TrainingRun:
    if run.classes:
        return run
    start = load_network(weights_file(root, run.start))
    return replace(run, classes=tuple(start.names[number] for number in sorted(start.names)))


def _table(run: TrainingRun, config: Path, root: Path) -> SourceTable:
    """The run's own sources and the extra ones; :class:`ConfigError` if there are none at all."""
    table = SourceTable(label_ids=(), sources={})
    if run.sources is not None:
        table = load_sources(
            config.parent / run.sources,
            licensed_only=run.licensed_only,
            generated=run.generated is not None,
            held_out=run.held_out,
            left_out=run.left_out,
        )
    table = with_extra(table, [root / path for path in run.extra_sources])
    if not table.sources:
        message = "neither sources nor extra_sources name any"
        raise ConfigError([Problem(file=str(config), line=1, where="", message=message)])
    return table


def train(config: Path, data: Path, output: Path, *, resume: bool = False) -> Path:
    """Train as ``config`` says from the files below ``data``; returns the finished weights."""
    run = _with_classes_of_start(load_run(config), data)
    torch.set_num_threads(run.threads)
    cv2.setNumThreads(run.threads)
    os.environ.setdefault("YOLO_OFFLINE", "1")
    table = _table(run, config, data)
    assembled = output / "data" / "data.yaml"
    if not (resume and assembled.exists()):
        assemble(
            images=data / run.images, clips=data / run.clips,
            generated=data / run.generated if run.generated else None,
            output=output / "data", table=table, classes=run.classes,
            validation_share=run.validation_share, clip_frames=run.clip_frames,
        )  # fmt: skip
    overrides = _overrides(run, assembled, weights_file(data, run.start), output)
    last = output / "weights" / "last.pt"
    if resume and last.exists():
        overrides |= {"resume": str(last), "model": str(last)}
    trainer = StreetTrainer(run, table, data, **overrides)
    log.info("training starts", output=str(output), resumed=bool(trainer.resume))
    trainer.train()
    return Path(trainer.wdir) / f"{run.name}.pt"
