"""The trade-off of settings as an SVG picture, written by hand: the base install has no plotter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape

from service.recording.tuning import Advice, Outcome, frontier, yaml_lines

WIDTH_PX, HEIGHT_PX, MARGIN_PX = 640, 420, 64
_GREY, _BLUE, _RED, _GREEN = "#9aa4ad", "#1b6ec2", "#c0392b", "#1e8449"


def tradeoff_svg(advice: Advice, title: str) -> str:
    """False alarms (across) against true incidents kept (upwards), one dot for each outcome."""
    alarms = max(1, *(outcome.false.part for outcome in advice.outcomes))
    confirmed = max(1, advice.confirmed)

    def at(outcome: Outcome) -> tuple[float, float]:
        x = MARGIN_PX + outcome.false.part / alarms * (WIDTH_PX - 2 * MARGIN_PX)
        y = HEIGHT_PX - MARGIN_PX - outcome.kept.part / confirmed * (HEIGHT_PX - 2 * MARGIN_PX)
        return round(x, 1), round(y, 1)

    parts = [*_axes(title, alarms, confirmed)]
    line = " ".join(f"{x},{y}" for x, y in map(at, frontier(advice.outcomes)))
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_BLUE}" stroke-width="1.5"/>')
    places = Counter(at(outcome) for outcome in advice.outcomes)
    for place, count in places.items():
        parts.append(_dot(place, _GREY, 3 + min(5.0, count**0.5), f"{count} setting(s)"))
    parts.append(_dot(at(advice.outcomes[0]), _RED, 6, "as it is"))
    if advice.best is not None:
        parts.append(_dot(at(advice.best), _GREEN, 6, ", ".join(yaml_lines(advice.best.setting))))
    parts += _legend()
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}"'
        f' font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDTH_PX}" height="{HEIGHT_PX}" fill="white"/>\n{body}\n</svg>\n'
    )


def _axes(title: str, alarms: int, confirmed: int) -> Sequence[str]:
    left, right = MARGIN_PX, WIDTH_PX - MARGIN_PX
    top, bottom = MARGIN_PX, HEIGHT_PX - MARGIN_PX
    middle = (top + bottom) / 2
    return (
        _text(WIDTH_PX / 2, 24, title, size=14),
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="black"/>',
        _text(left, bottom + 18, "0"),
        _text(right, bottom + 18, str(alarms)),
        _text(WIDTH_PX / 2, bottom + 36, "false alarms that would still be filed"),
        _text(left - 12, bottom + 4, "0"),
        _text(left - 14, top + 4, str(confirmed)),
        f'<g transform="rotate(-90 {left - 36} {middle})">'
        f"{_text(left - 36, middle, 'confirmed incidents kept')}</g>",
    )


def _legend() -> Sequence[str]:
    y = HEIGHT_PX - 10
    entries = ((_RED, "as it is"), (_GREEN, "proposed"), (_BLUE, "best trade-offs"))
    return [
        part
        for number, (colour, name) in enumerate(entries)
        for part in (
            f'<circle cx="{MARGIN_PX + 160 * number}" cy="{y - 4}" r="5" fill="{colour}"/>',
            _text(MARGIN_PX + 160 * number + 10, y, name, anchor="start"),
        )
    ]


def _dot(place: tuple[float, float], colour: str, radius: float, note: str) -> str:
    x, y = place
    return (
        f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="{colour}" fill-opacity="0.8">'
        f"<title>{escape(note)}</title></circle>"
    )


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
    )
