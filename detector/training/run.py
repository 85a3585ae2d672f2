"""What the YAML of a training run says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from models.errors import ConfigError, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingRun:
    """What one YAML says about a training run."""

    name: str
    start: str
    """The network to begin from, which is also the teacher: a file, or a name in the registry."""
    classes: tuple[str, ...] = ()
    """Empty: those of ``start``."""
    kept: tuple[str, ...] = ()
    """Learnt from the teacher alone; labels of them are ignored."""
    teacher_elsewhere: bool = False
    """Other classes that the teacher knows are learnt from it wherever labels say nothing."""
    sources: str | None = None
    extra_sources: tuple[str, ...] = ()
    """Further tables, each beside its sets, such as those that ``model harvest`` writes."""
    images: str = "."
    clips: str = "clips"
    continue_from: str | None = None
    """Weights to go on from instead of ``start``; the classes that they know keep their rows."""
    merge_with: str | None = None
    """Earlier weights of the same classes, trained from ``start``, to begin nearer to."""
    merge_share: float = 0.5
    licensed_only: bool = False
    held_out: tuple[str, ...] = ()
    """Sources kept for validation as a whole: what is reached there is reached on unseen ones."""
    left_out: tuple[str, ...] = ()
    """Sources neither trained nor validated on."""
    generated: str | None = None
    """Folder of rendered and pasted sets; without it the sources marked so are left out."""
    validation_share: float = 0.15
    clip_frames: int = 24
    seed: int = 11
    image_size_px: int = 512
    batch: int = 16
    epoch_images: int = 1280
    hours: float | None = None
    """Training ends after so long; the learning rate follows it. Without it, ``epochs`` counts."""
    epochs: int = 30
    learning_rate: float = 0.0004
    last_layer_rate_factor: float = 5.0
    """The exchanged layers start from nothing, the others from what they know."""
    early_layers_rate_factor: float = 1.0
    """Below 1, the backbone (layers 0 to 10 of YOLO11) moves less than neck and head: what it knows
    of the teacher's classes stays."""
    frozen_statistics: bool = True
    """Keep the running statistics of the start model: its answers then change only by learning."""
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
