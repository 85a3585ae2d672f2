"""Signs of faults in one look of a camera, compared with its learnt home view.

Each sign is true, false, or ``None`` where the look cannot tell: only what lasts is reported
(``zones.upkeep``), and time in which nobody could tell counts for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from detector.camera_faults.judged import Judged, Signs
from detector.camera_faults.picture import Grey, Picture, measure, samples_of
from detector.camera_faults.reference import (
    Comparison,
    Reference,
    Shift,
    begin,
    compare,
    continuity,
    find_shift,
    fits,
    learn,
    tone,
)
from detector.gate import small_luma
from models.geometry import Box
from models.seeing import Image
from models.upkeep import FaultKind

BLACK_RATIO = 0.985
"""Any lamp in the street lights more than the rest."""
OVEREXPOSED_RATIO = 0.8
SAME_PIXELS_RATIO = 0.85
"""Of two pictures a second apart, real cameras gave at most half of the pixels exactly alike, for
sensors make noise; a clock in a frozen picture changes few."""
HOME_AGREEING = 0.6
"""Fixed real cameras: 0.83 and more; other views: 0.38 and less."""
HOME_STRENGTH = 0.4
OTHER_STRENGTH = 0.3
"""Fixed real cameras: 0.7 and more; other views: 0.26 and less, at whatever shift."""
LARGEST_SWAY = 0.025
"""Masts sway; real clips show up to 0.017 of the picture. More leaves zones in the wrong place."""
ALIEN_RATIO = 0.3
COVERED_RATIO = 0.8
SPRAYED_RATIO = 0.15
SPRAYED_ALIEN_RATIO = 0.15
UNSHARP, SHARP = 0.5, 0.6
"""Compared with the contrast of the whole picture, so that fog and dusk are no blur. Real cameras:
0.62 and more; blurred by 0.6 % of the picture's width: 0.5 and less."""
SAME_COARSE, SAME_CONTRAST, MOST_CONTRAST = 0.7, 0.5, 1.6
"""Of the very small pictures: out of focus keeps them; a cover does not, nor does a white lorry."""
CONTINUOUS = 0.5
"""Two looks with so much the same edges show the same view in the same light."""
RESTART_CONTINUITY = 0.35
ABRUPT_S = 120.0
"""Night does not fall in so short a time."""
DENSE_LOOKS = 200
"""A reference takes every look until it has so many, then one a minute."""
SPARSE = timedelta(seconds=60)

_OF_VIEW = (FaultKind.MOVED, FaultKind.COVERED, FaultKind.SPRAYED, FaultKind.DEFOCUSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    """What a look says of the view."""

    signs: Signs
    is_home: bool = False


class CameraHealth:
    """Judges one camera's looks by its home view, which is learnt from its first looks.

    ``references`` are those of an earlier run, by kind of light. One owner at a time.
    """

    def __init__(self, references: Mapping[str, Reference] | None = None) -> None:
        self._references = dict(references or {})
        self._pending: dict[str, Reference] = {}
        self._learnt_at: dict[str, datetime] = {}
        self._before: Picture | None = None
        self._samples: Grey | None = None
        self._anchor: Grey | None = None
        self._judged: Judged | None = None
        self._home_tone: str | None = None
        self._home_at: datetime | None = None
        self._is_abrupt = False
        self.version = 0
        """Grows whenever a reference was begun or learnt: time to save them."""

    @property
    def references(self) -> Mapping[str, Reference]:
        """The learnt views of home, by kind of light."""
        return {name: one for name, one in self._references.items() if one.is_learnt}

    def accept_view(self) -> None:
        """What the camera shows from now on is its home view: learn it anew."""
        self._references.clear()
        self._pending.clear()
        self._home_tone = self._home_at = self._judged = None
        self.version += 1

    def look(self, image: Image, at: datetime, hidden: Sequence[Box] = ()) -> Signs:
        """The signs of one look; ``hidden``: boxes of what stands before the view, in its pixels.

        Takes about a millisecond of a 1080p picture where nothing is wrong, two where it is, and a
        third of one where it shows what the last one did.
        """
        luma = small_luma(image)
        if self._judged is not None and self._judged.holds(luma, at):
            return {**self._judged.signs, FaultKind.FROZEN: self._is_frozen(samples_of(image))}
        signs = self._measured(image, at, hidden)
        is_well = self._home_at == at and self._home_tone in self.references
        is_well = is_well and not any(signs.values())
        self._judged = Judged(luma=luma, at=at, signs=signs) if is_well else None
        return signs

    def _measured(self, image: Image, at: datetime, hidden: Sequence[Box]) -> Signs:
        picture = measure(image)
        signs: Signs = dict.fromkeys(_OF_VIEW)
        signs[FaultKind.BLACK] = picture.dark_ratio >= BLACK_RATIO
        signs[FaultKind.OVEREXPOSED] = picture.bright_ratio >= OVEREXPOSED_RATIO
        if signs[FaultKind.BLACK] or signs[FaultKind.OVEREXPOSED]:
            signs[FaultKind.FROZEN] = None  # without noise nobody can tell
            self._samples, self._anchor = picture.samples, None
        else:
            signs[FaultKind.FROZEN] = self._is_frozen(picture.samples)
            signs |= self._view(picture, at, _cells_of(hidden, image, picture))
        self._before = picture
        return signs

    def _is_frozen(self, samples: Grey) -> bool:
        anchor, before, self._samples = self._anchor, self._samples, samples
        is_same = (
            anchor is not None
            and before is not None
            and _same(before, samples)
            and _same(anchor, samples)
        )
        if not is_same:
            self._anchor = samples
        return is_same

    def _view(self, picture: Picture, at: datetime, hidden: NDArray[np.bool_] | None) -> Signs:
        learnt = {name: one for name, one in self.references.items() if fits(one, picture)}
        if not learnt:
            return self._first_looks(picture, at)
        name = tone(picture)
        verdict = self._judge(picture, learnt, name, hidden)
        if verdict.is_home:
            self._at_home(picture, name, at)
        else:
            self._away(picture, name, at, verdict)
        return verdict.signs

    def _first_looks(self, picture: Picture, at: datetime) -> Signs:
        if self.references:  # of another shape: the picture was turned or cut
            return {**dict.fromkeys(_OF_VIEW), FaultKind.MOVED: True}
        before, name = self._before, tone(picture)
        if before is not None and continuity(before, picture) < RESTART_CONTINUITY:
            self._references.clear()
        self._take_in(name, picture, at)
        if (
            self._references[name].is_learnt
            and compare(self._references[name], picture).textured == 0
        ):
            del self._references[name]  # a blank view can be no home
        return dict.fromkeys(_OF_VIEW)

    def _judge(
        self,
        picture: Picture,
        learnt: Mapping[str, Reference],
        name: str,
        hidden: NDArray[np.bool_] | None,
    ) -> _Verdict:
        own = learnt.get(name)
        if own is not None:
            found = compare(own, picture, hidden)
            if found.agreeing >= HOME_AGREEING:
                return _Verdict(signs=_signs_at_home(found), is_home=True)
        best, reference = max(
            ((compare(one, picture, hidden), one) for one in learnt.values()),
            key=lambda pair: pair[0].agreeing,
        )
        if best.agreeing >= HOME_AGREEING:
            # In another light detail differs: only that it looks the same way is certain.
            return _Verdict(signs=_at_home_in_other_light(), is_home=True)
        shift = find_shift(reference, picture)
        if shift.strength >= HOME_STRENGTH and shift.size <= LARGEST_SWAY:
            signs = _signs_at_home(best) if own is reference else _at_home_in_other_light()
            return _Verdict(signs=signs, is_home=True)
        if own is None and self._continues(picture):
            return _Verdict(signs=_at_home_in_other_light(), is_home=True)
        # Infrared shows another picture of the same street: until it is learnt, nobody can tell.
        same_colours = own is not None or not name.endswith("-grey")
        is_comparable = own is not None or self._is_abrupt or self._leaves_home(picture)
        usual = own or learnt.get(self._home_tone or "", reference)
        judged = best if usual is reference else compare(usual, picture, hidden)
        signs = _signs_away(judged, shift, is_comparable=is_comparable)
        if not same_colours and signs[FaultKind.MOVED] and shift.strength < HOME_STRENGTH:
            signs[FaultKind.MOVED] = None
        return _Verdict(signs=signs)

    def _continues(self, picture: Picture) -> bool:
        """The light changes slowly: this look is like the last one, and that one was home."""
        return (
            self._home_at is not None
            and self._before is not None
            and continuity(self._before, picture) >= CONTINUOUS
        )

    def _leaves_home(self, picture: Picture) -> bool:
        """It was home just now and is something quite different."""
        before = self._before
        return (
            self._home_at is not None
            and before is not None
            and continuity(before, picture) < CONTINUOUS
        )

    def _at_home(self, picture: Picture, name: str, at: datetime) -> None:
        # What was seen in between, and was not called another view, was home as well.
        for pending, one in self._pending.items():
            if one.is_learnt and pending not in self.references:
                self._references[pending] = one
                self.version += 1
        self._pending.clear()
        self._home_tone, self._home_at, self._is_abrupt = name, at, False
        self._take_in(name, picture, at)

    def _away(self, picture: Picture, name: str, at: datetime, verdict: _Verdict) -> None:
        if self._home_tone is not None and self._home_at is not None:
            is_soon = (at - self._home_at).total_seconds() <= ABRUPT_S
            self._is_abrupt = is_soon and self._leaves_home(picture)
        self._home_at = None
        if not self._is_abrupt:
            self._home_tone = None
        if any(verdict.signs.values()):
            self._pending.clear()
        elif name not in self.references:
            one = self._pending.get(name)
            same_shape = one is not None and fits(one, picture)
            self._pending[name] = learn(one, picture) if one and same_shape else begin(picture)

    def _take_in(self, name: str, picture: Picture, at: datetime) -> None:
        one = self._references.get(name)
        if one is None or not fits(one, picture):
            self._references[name] = begin(picture)
            self._learnt_at[name] = at
            return
        last_at = self._learnt_at.get(name)
        if one.looks >= DENSE_LOOKS and last_at is not None and abs(at - last_at) < SPARSE:
            return
        was_learnt = one.is_learnt
        self._references[name] = learn(one, picture)
        self._learnt_at[name] = at
        self.version += was_learnt != self._references[name].is_learnt


def _signs_at_home(found: Comparison) -> Signs:
    return {
        FaultKind.MOVED: False,
        FaultKind.COVERED: False,
        FaultKind.SPRAYED: _is_sprayed(found),
        FaultKind.DEFOCUSED: _is_unsharp(found),
    }


def _is_sprayed(found: Comparison) -> bool:
    """A part of the view has lost its edges while the rest is as sharp as ever."""
    return (
        found.lost >= SPRAYED_RATIO and found.alien <= SPRAYED_ALIEN_RATIO and found.rest >= SHARP
    )


def _is_unsharp(found: Comparison) -> bool:
    """Edges are weak everywhere, but the picture as a whole is as it was."""
    return (
        found.textured > 0
        and max(found.sharpness, found.rest) < UNSHARP
        and found.coarse >= SAME_COARSE
        and SAME_CONTRAST <= found.contrast <= MOST_CONTRAST
    )


def _at_home_in_other_light() -> Signs:
    return {
        FaultKind.MOVED: False,
        FaultKind.COVERED: False,
        FaultKind.SPRAYED: None,
        FaultKind.DEFOCUSED: None,
    }


def _signs_away(found: Comparison, shift: Shift, *, is_comparable: bool) -> Signs:
    signs: Signs = dict.fromkeys(_OF_VIEW)
    if shift.strength >= HOME_STRENGTH:
        signs[FaultKind.MOVED] = True
        signs[FaultKind.COVERED] = False
    elif not is_comparable:
        return signs
    elif found.lost >= COVERED_RATIO:
        is_covered = found.coarse < SAME_COARSE or found.contrast < SAME_CONTRAST
        signs[FaultKind.COVERED if is_covered else FaultKind.DEFOCUSED] = True
    elif _is_unsharp(found):
        signs[FaultKind.DEFOCUSED] = True
    elif shift.strength < OTHER_STRENGTH and found.alien >= ALIEN_RATIO:
        signs[FaultKind.MOVED] = True
        signs[FaultKind.COVERED] = False
    elif _is_sprayed(found):
        signs[FaultKind.SPRAYED] = True
    return signs


def _same(one: Grey, other: Grey) -> bool:
    if one.shape != other.shape:
        return False
    return int(np.count_nonzero(one == other)) >= SAME_PIXELS_RATIO * one.size


def _cells_of(boxes: Sequence[Box], image: Image, picture: Picture) -> NDArray[np.bool_] | None:
    """Cells that the boxes touch."""
    if not boxes:
        return None
    rows, columns = picture.energy.shape
    height, width = image.shape[:2]
    cells = np.zeros((rows, columns), np.bool_)
    for box in boxes:
        inside = box.clipped(width, height).scaled(columns / width, rows / height)
        left, top = int(inside.x1), int(inside.y1)
        cells[top : int(np.ceil(inside.y2)), left : int(np.ceil(inside.x2))] = True
    return cells
