"""A camera's watched assets: learns how they look, and says at each look how they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from detector.assets.compare import Learnt, Verdict, judge, learnt_from
from detector.assets.patch import Place, cut, place_of, tone
from models.geometry import Box
from models.seeing import Image
from models.upkeep import AssetState, AssetView
from models.zone import Camera, Zone

LEARNT_SAMPLES = 10
MOST_SAMPLES = 12
LEARN_SPACING = timedelta(seconds=3)
"""Samples that make a reference are at least so far apart: who walks past is in few of them."""
REFRESH_SPACING = timedelta(minutes=10)
"""Later ones, so that a reference follows weather, seasons and paint that fades."""
REFRESH_LIKENESS = 0.7
OCCLUDED_RATIO = 0.1
"""Share of the asset's box that somebody or something in front of it covers."""
ANY_TONE = 0.5
"""In a light that was not learnt yet, this likeness to another light's reference is trusted."""

REUSED_LOOKS = 4
SETTLED = frozenset({AssetState.ALIKE, AssetState.UNKNOWN})
COLOURFUL = frozenset({"bright", "dim"})
"""Kinds of light in which colours can be compared, also from one to the other."""

Samples = Mapping[str, Sequence[Image]]
"""Patches by kind of light."""


class AssetWatch:
    """Watches one asset. One owner at a time; looks in order."""

    def __init__(self, zone: Zone, samples: Samples | None = None) -> None:
        self.zone = zone
        self._samples = {name: list(given) for name, given in (samples or {}).items()}
        self._pending: dict[str, list[Image]] = {}
        self._learnt: dict[str, Learnt] = {}
        self._taken_at: dict[str, datetime] = {}
        self._places: dict[tuple[int, int], Place] = {}
        self._known: AssetState | None = None
        self._reused = 0
        self._is_defaced = False
        """As last seen in colour."""
        self.version = 0
        """Grows whenever a sample was taken: time to save them."""

    @property
    def samples(self) -> Samples:
        """What the references are made of, to be saved."""
        return self._samples

    @property
    def is_learnt(self) -> bool:
        """Whether the asset is known in any light."""
        return any(len(given) >= LEARNT_SAMPLES for given in self._samples.values())

    def forget(self) -> None:
        """Learn the asset anew, as it looks from now on."""
        for known in (self._samples, self._pending, self._learnt, self._taken_at):
            known.clear()
        self.version += 1

    def look(
        self,
        image: Image,
        at: datetime,
        resolution: tuple[int, int] | None,
        in_front: Sequence[Box] = (),
    ) -> AssetView:
        """How the asset looks; ``in_front``: boxes of persons and vehicles in this picture."""
        corners = self.zone.corners_px(resolution, image.shape[1], image.shape[0])
        box = _bounds(corners)
        if any(box.covered_by(other) >= OCCLUDED_RATIO for other in in_front):
            return self._view(AssetState.UNKNOWN, occluded=True)
        place = self._place(image, corners)
        patch = cut(image, place)
        name = tone(patch)
        if not self.is_learnt:
            self._take(self._samples, name, patch, at, LEARN_SPACING)
            return self._view(AssetState.UNKNOWN)
        verdict = self._judge(patch, name, place)
        self._remember(verdict)
        self._learn(patch, name, at, verdict)
        return self._view(verdict.state, verdict.likeness)

    def _view(
        self, state: AssetState, likeness: float = 0.0, *, occluded: bool = False
    ) -> AssetView:
        return AssetView(
            asset_id=self.zone.zone_id, state=state, likeness=likeness, occluded=occluded
        )

    def _place(self, image: Image, corners: tuple[tuple[float, float], ...]) -> Place:
        size = (image.shape[1], image.shape[0])
        if size not in self._places:
            # A stream has one size, seldom another after a change of its settings: keep the latest.
            self._places = {size: place_of(corners)}
        return self._places[size]

    def _judge(self, patch: Image, name: str, place: Place) -> Verdict:
        tones = [name] if self._reference(name, patch) is not None else list(self._samples)
        verdicts = []
        for tone_name in tones:
            reference = self._reference(tone_name, patch)
            if reference is not None:
                has_colour = COLOURFUL.issuperset((name, tone_name))
                found = judge(patch, reference, place, has_colour=has_colour, known=self._known)
                verdicts.append((found, has_colour))
        if not verdicts:
            return Verdict(state=AssetState.UNKNOWN, likeness=0.0)
        # One that can see colours sees more than one that cannot.
        verdict, has_colour = max(verdicts, key=lambda pair: (pair[1], pair[0].likeness))
        if has_colour:
            self._is_defaced = verdict.state is AssetState.DEFACED
        elif self._is_defaced and verdict.state is AssetState.ALIKE:
            # Paint cannot be seen in this light: that is not the same as gone.
            return Verdict(state=AssetState.UNKNOWN, likeness=verdict.likeness)
        return verdict

    def _remember(self, verdict: Verdict) -> None:
        """What has happened to an asset is looked into only now and then: it takes long."""
        is_due = self._reused >= REUSED_LOOKS or verdict.state in SETTLED
        self._reused = 0 if is_due or self._known is None else self._reused + 1
        self._known = None if is_due else verdict.state

    def _reference(self, name: str, patch: Image) -> Learnt | None:
        given = self._samples.get(name, [])
        if len(given) < LEARNT_SAMPLES or given[0].shape != patch.shape:
            return None
        if name not in self._learnt:
            self._learnt[name] = learnt_from(given)
        return self._learnt[name]

    def _learn(self, patch: Image, name: str, at: datetime, verdict: Verdict) -> None:
        if verdict.state is AssetState.UNKNOWN:
            # Too different a light to tell; if the asset is found as it was, this was it as well.
            self._take(self._pending, name, patch, at, LEARN_SPACING)
            return
        if verdict.state is not AssetState.ALIKE:
            self._pending.clear()
            return
        self._adopt_pending()
        is_known = len(self._samples.get(name, ())) >= LEARNT_SAMPLES
        if not is_known and verdict.likeness >= ANY_TONE:
            self._take(self._samples, name, patch, at, LEARN_SPACING)
        elif verdict.likeness >= REFRESH_LIKENESS:
            self._take(self._samples, name, patch, at, REFRESH_SPACING)

    def _adopt_pending(self) -> None:
        for name, given in self._pending.items():
            if len(given) >= LEARNT_SAMPLES and len(self._samples.get(name, ())) < LEARNT_SAMPLES:
                self._samples[name] = given
                self.version += 1
        self._pending.clear()

    def _take(
        self,
        known: dict[str, list[Image]],
        name: str,
        patch: Image,
        at: datetime,
        spacing: timedelta,
    ) -> None:
        taken_at = self._taken_at.get(name)
        if taken_at is not None and abs(at - taken_at) < spacing:
            return
        given = known.setdefault(name, [])
        if given and given[0].shape != patch.shape:
            given.clear()
        given.append(patch)
        del given[:-MOST_SAMPLES]
        self._taken_at[name] = at
        self._learnt.pop(name, None)
        self.version += known is self._samples


def asset_watches(camera: Camera, saved: Mapping[str, Samples]) -> tuple[AssetWatch, ...]:
    """One for each watched asset of a camera, with what was saved of it."""
    return tuple(AssetWatch(asset.zone(), saved.get(asset.asset_id, {})) for asset in camera.assets)


def _bounds(corners: Sequence[tuple[float, float]]) -> Box:
    xs, ys = zip(*corners, strict=True)
    return Box(min(xs), min(ys), max(xs), max(ys))
