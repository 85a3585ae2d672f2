"""Ultralytics' data set with mosaics that one mask of known classes fits."""

from __future__ import annotations

import random
from typing import Any

from ultralytics.data.augment import Mosaic
from ultralytics.data.dataset import YOLODataset

from detector.training.sources import SourceTable, source_of


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
