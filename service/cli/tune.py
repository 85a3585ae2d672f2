"""``streetwarden tune``: thresholds that would have avoided the false alarms."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from models.city import City
from models.errors import SetupError
from service.cli.recorded import (
    Dispatch,
    From,
    Key,
    Recordings,
    To,
    load_rules,
    open_recordings,
    orders_made,
    span_of,
)
from service.cli.replayed import make_console, share_text, share_values
from service.recording.plot import tradeoff_svg
from service.recording.tuning import Advice, Outcome, RulePlace, advise, frontier, yaml_lines


def tune(
    config: Annotated[Path, typer.Option(help="The city.yaml whose rule is to be tuned.")],
    rule: Annotated[
        str,
        typer.Option(
            help="Camera, zone and rule such as gate/kerb/illegal_parking; `*` for any one of them:"
            " */*/litter tunes all of them together."
        ),
    ],
    begin: From = None,
    end: To = None,
    recordings: Recordings = None,
    dispatch: Dispatch = None,
    key: Key = None,
    plot: Annotated[Path | None, typer.Option(help="Write the trade-off as an SVG here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Propose thresholds that would have avoided false alarms and kept the true ones.

    Replays what was recorded with every setting of a grid (dwell, min_confidence, min_coverage,
    min_count, min_area) and counts which judged orders each would have made. Nothing is advised on
    too few verdicts: it says how many more are needed.
    """
    city = load_rules(config)
    span = span_of(city, begin, end)
    places = _places(city, rule)
    cameras = list({place.camera.camera_id: place.camera for place in places}.values())
    found = open_recordings(recordings, cameras)
    recorded = [place for place in places if place.camera.camera_id in found]
    made = orders_made(city, dispatch or city.dispatch.url, key, list(found), span)
    advice = advise(recorded, found, span, made)
    if plot is not None:
        plot.write_text(tradeoff_svg(advice, ", ".join(advice.rules[:3])), encoding="utf-8")
    if json:
        typer.echo(json_format.dumps(_as_json(advice), ensure_ascii=False))
    else:
        _print(advice, make_console())


def _places(city: City, pattern: str) -> list[RulePlace]:
    """The rules that are meant, all of one kind."""
    parts = pattern.split("/")
    if len(parts) != 3:
        raise typer.BadParameter("--rule is camera/zone/rule, each of them or *")
    places = [
        RulePlace(camera=camera, zone=zone, rule=rule)
        for camera in city.cameras
        for zone in camera.zones
        for rule in zone.rules
        if all(
            part in {"*", name}
            for part, name in zip(
                parts, (camera.camera_id, zone.zone_id, rule.rule_id), strict=True
            )
        )
    ]
    if not places:
        raise SetupError(f"no rule {pattern} in the configuration")
    kinds = {place.rule.kind for place in places}
    if len(kinds) > 1:
        raise typer.BadParameter(f"--rule {pattern} means rules of several kinds: tune one kind")
    return places


def _print(advice: Advice, console: Console) -> None:
    console.print(f"{', '.join(advice.rules)}", style="bold", highlight=False)
    console.print(f"{advice.confirmed} confirmed orders, {advice.false_alarms} false alarms")
    table = Table(title="Settings that no other one beats in both (95 % intervals)")
    for name in ("setting", "confirmed kept", "false alarms left", "unjudged"):
        table.add_column(name)
    for outcome in (advice.outcomes[0], *frontier(advice.outcomes)):
        table.add_row(
            ", ".join(yaml_lines(outcome.setting)) or "as it is",
            share_text(outcome.kept),
            share_text(outcome.false),
            str(outcome.unjudged),
        )
    console.print(table)
    console.print(_conclusion(advice), highlight=False)


def _conclusion(advice: Advice) -> str:
    if advice.lacking:
        return f"No advice on so few verdicts: {advice.lacking} are needed."
    if advice.best is None:
        return "No setting avoids false alarms without losing confirmed orders: change nothing."
    lines = "\n".join(f"  {line}" for line in yaml_lines(advice.best.setting))
    return f"Write into the rule:\n{lines}\nThen try it: streetwarden replay --config city.yaml"


def _as_json(advice: Advice) -> Mapping[str, Any]:
    return {
        "rules": list(advice.rules),
        "confirmed": advice.confirmed,
        "false_alarms": advice.false_alarms,
        "lacking": advice.lacking,
        "best": advice.best and _outcome_values(advice.best),
        "outcomes": _all_values(advice.outcomes),
        "frontier": _all_values(frontier(advice.outcomes)),
    }


def _all_values(outcomes: Sequence[Outcome]) -> list[Mapping[str, Any]]:
    return [_outcome_values(outcome) for outcome in outcomes]


def _outcome_values(outcome: Outcome) -> Mapping[str, Any]:
    return {
        "setting": dict(outcome.setting),
        "yaml": yaml_lines(outcome.setting),
        "kept": share_values(outcome.kept),
        "false": share_values(outcome.false),
        "unjudged": outcome.unjudged,
    }
