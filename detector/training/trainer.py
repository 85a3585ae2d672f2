"""One training run, as ultralytics' trainer with our model, sampling and loss put in."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import structlog
import torch
import yaml
from torch import nn
from torch.utils.data import WeightedRandomSampler
from ultralytics.data.augment import Mosaic
from ultralytics.data.build import InfiniteDataLoader, seed_worker
from ultralytics.data.dataset import YOLODataset
from ultralytics.models.yolo.detect import DetectionTrainer

from detector.training.data import SourceTable, assemble, load_sources, source_of
from detector.training.loss import PartialLabelLoss
from detector.training.model import class_numbers, load_network, save_network, with_classes
from detector.training.teacher import Teacher
from models.errors import ConfigError, Problem

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRun:
    """What one YAML says about a training run."""

    name: str
    classes: tuple[str, ...]
    kept: tuple[str, ...]
    sources: str
    images: str
    clips: str
    start: str
    licensed_only: bool = False
    validation_share: float = 0.15
    clip_frames: int = 24
    seed: int = 11
    image_size_px: int = 512
    batch: int = 16
    epoch_images: int = 1280
    hours: float | None = None
    """Training ends after so long; the learning rate follows it. Without it, ``epochs`` counts."""
    epochs: int = 30
    learning_rate: float = 0.001
    warmup_epochs: float = 1.0
    frozen_layers: int = 5
    mosaic_ratio: float = 0.5
    last_epochs_without_mosaic: int = 3
    precision: str = "bf16"
    threads: int = 1
    device: str = "cpu"
    distil_scores_gain: float = 1.0
    distil_boxes_gain: float = 1.5


def load_run(path: Path) -> TrainingRun:
    """Read a run's YAML; :class:`ConfigError` says what is wrong with it."""
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        return TrainingRun(**fields)
    except (OSError, yaml.YAMLError, TypeError, AttributeError) as error:
        problem = Problem(file=str(path), line=1, where="", message=f"no training run: {error}")
        raise ConfigError([problem]) from error


class KnownMosaic(Mosaic):  # type: ignore[misc]
    """Puts only images together of which the same classes are known, so that one mask fits all."""

    def get_params(self, labels: dict[str, Any]) -> dict[str, Any]:
        """Remember whose partners are wanted, then as ultralytics does."""
        self._partners = self.dataset.partners(labels["im_file"])
        return dict(super().get_params(labels))

    def get_indexes(self) -> list[int]:
        """Numbers of the other images."""
        return random.choices(self._partners, k=self.n - 1)


class StreetDataset(YOLODataset):  # type: ignore[misc]
    """Images whose file names tell their source."""

    known: dict[str, tuple[str, ...]]
    _by_known: dict[tuple[str, ...], list[int]]

    def use_table(self, table: SourceTable) -> None:
        """Tell the set what is known of each source, before the first image is asked for."""
        self.known = {name: tuple(sorted(s.known)) for name, s in table.sources.items()}
        self._by_known = {}
        for number, file in enumerate(self.im_files):
            self._by_known.setdefault(self.known[source_of(file)], []).append(number)
        self._replace_mosaic()

    def partners(self, file: str) -> list[int]:
        """Numbers of the images that may share a mosaic with this one."""
        return self._by_known[self.known[source_of(file)]]

    def close_mosaic(self, hyp: Any) -> None:
        """Stop making mosaics."""
        super().close_mosaic(hyp)
        self._replace_mosaic()

    def _replace_mosaic(self) -> None:
        pipeline = self.transforms.transforms[0]
        for number, step in enumerate(pipeline.transforms):
            if type(step) is Mosaic:
                pipeline.transforms[number] = KnownMosaic(self, imgsz=step.imgsz, p=step.p)


def draw_weights(files: list[str], table: SourceTable) -> list[float]:
    """Probability weight of each image: its source's share, spread over the source's images."""
    sizes = Counter(source_of(file) for file in files)
    return [table.sources[source_of(f)].weight / sizes[source_of(f)] for f in files]


class StreetTrainer(DetectionTrainer):  # type: ignore[misc]
    """Trains on partial labels and a teacher; checkpoints hold a plain ultralytics network."""

    def __init__(self, run: TrainingRun, table: SourceTable, start: Path, **overrides: Any) -> None:
        self.run = run
        self.table = table
        self.start = start
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
        return with_classes(weights.float(), self.run.classes, self.run.kept)

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
        teacher = Teacher(start, shared_layers=self.run.frozen_layers, precision=precision)
        teacher.listen(network)
        network.to(memory_format=torch.channels_last)
        start.to(memory_format=torch.channels_last)
        criterion = PartialLabelLoss(
            network,
            known=self.table.known_mask(self.run.classes),
            kept=[self.run.classes.index(name) for name in self.run.kept],
            teacher=teacher,
            teacher_numbers=class_numbers(start.names, self.run.kept),
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
        "cache": "ram", "workers": 1, "amp": False, "val": False, "plots": False,
        "deterministic": False, "patience": 0, "verbose": False,
    }  # fmt: skip


def train(config: Path, data: Path, output: Path, *, resume: bool = False) -> Path:
    """Train as ``config`` says from the files below ``data``; returns the finished weights."""
    run = load_run(config)
    torch.set_num_threads(run.threads)
    cv2.setNumThreads(run.threads)
    os.environ.setdefault("YOLO_OFFLINE", "1")
    table = load_sources(config.parent / run.sources, licensed_only=run.licensed_only)
    assembled = output / "data" / "data.yaml"
    if not (resume and assembled.exists()):
        assemble(
            images=data / run.images, clips=data / run.clips, output=output / "data", table=table,
            classes=run.classes, validation_share=run.validation_share,
            clip_frames=run.clip_frames,
        )  # fmt: skip
    overrides = _overrides(run, assembled, data / run.start, output)
    last = output / "weights" / "last.pt"
    if resume and last.exists():
        overrides |= {"resume": str(last), "model": str(last)}
    trainer = StreetTrainer(run, table, data / run.start, **overrides)
    log.info("training starts", output=str(output), resumed=bool(trainer.resume))
    trainer.train()
    return Path(trainer.wdir) / f"{run.name}.pt"
