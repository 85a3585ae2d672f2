"""``streetwarden detect`` and ``streetwarden eval``: the pipeline on recordings."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from detector.backends import Detector, load_detector, model_facts
from detector.readers import REPLAY_START, read_file
from detector.readers.capture import Capture
from models.city import ModelChoice
from models.errors import SourceError
from models.seeing import Frame, Look
from models.zone import CloserLook
from service.cli.findings import Tally, print_changes, print_report
from service.evaluation import Terms
from service.evaluation import evaluate as evaluate_clips
from service.evaluation.cameras import camera_of
from service.evaluation.film import Film, draw_look, subject_ids
from service.evaluation.scene import load_scene
from service.evaluation.truth import ClipTruth, load_conditions
from service.pipeline import CameraPipeline

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ImageSize = Annotated[
    int | None, typer.Option("--imgsz", help="Longer side that the network sees, in pixels.")
]


def detect(
    video: Annotated[str, typer.Argument(help="Video file or folder of images.")],
    zones: Annotated[Path, typer.Option(help="A city.yaml, or a YAML with `zones` alone.")],
    out: Annotated[Path | None, typer.Option(help="Write an annotated MP4 here.")] = None,
    json: AsJson = False,
    camera: Annotated[
        str | None, typer.Option(help="Id of the camera in a city.yaml that has several.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Name in the registry, or path; default: the YAML's.")
    ] = None,
    imgsz: ImageSize = None,
    look_interval: Annotated[
        float | None, typer.Option(min=0.02, help="Seconds between looks; default: the YAML's.")
    ] = None,
    start: Annotated[
        datetime | None, typer.Option(help="When the recording began (for schedules), UTC.")
    ] = None,
) -> None:
    """Run a camera's rules over a recording, as fast as possible.

    Time comes from the recording, so that every run gives the same incidents. With --json one line
    for each change of an incident, else a table of all incidents at the end.
    """
    chosen = partial(_choice, model=model, image_size_px=imgsz)
    _, city = load_scene(zones, camera, lambda base: model_facts(chosen(base)))
    begins_at = REPLAY_START if start is None else _aware(start)
    with ExitStack() as stack:
        detector = stack.enter_context(_detector(chosen(city.model)))
        # Once more, now that it is loaded: only that tells which labels one's own weights have.
        found, _ = load_scene(zones, camera, lambda base: model_facts(chosen(base), detector))
        interval_s = look_interval or found.look_interval_s
        watched = replace(found, source=video, paced=False, loop=False, look_interval_s=interval_s)
        film = stack.enter_context(Film(out, interval_s)) if out is not None else None
        step = stack.enter_context(_progress(_duration_s(video)))
        tally = Tally(begins_at=begins_at)
        pipeline = CameraPipeline(watched, detector)
        for frame in read_file(watched, begins_at):
            processed = pipeline.process(frame)
            tally.add(processed.changes)
            if json:
                print_changes(processed.changes, begins_at)
            if film is not None:
                highlighted = subject_ids(processed.look, pipeline.incidents)
                film.add(draw_look(frame, processed.look, watched, highlighted), frame.stream_s)
            step(frame.stream_s, video)
    if not json:
        tally.print()


def evaluate(
    clips: Annotated[Path, typer.Option(help="Folder of clips, each with a ground-truth YAML.")],
    model: Annotated[str, typer.Option(help="Name in the registry, or path.")] = "street-n",
    dwell: Annotated[
        str | None, typer.Option(help="Thresholds in seconds, such as 5,10; default: all known.")
    ] = None,
    json: AsJson = False,
    look_interval: Annotated[float, typer.Option(min=0.02, help="Seconds between looks.")] = 1.0,
    imgsz: ImageSize = None,
    closer_look: Annotated[
        CloserLook | None,
        typer.Option(help="What a closer look at candidates is for; default: as in a city.yaml."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write an annotated MP4 of each clip here.")
    ] = None,
    conditions: Annotated[
        Path | None,
        typer.Option(help="YAML of clips and words, such as `a.mp4: [rain]`, to tell apart by."),
    ] = None,
) -> None:
    """Run the whole pipeline on clips with ground truth, and count what it got right."""
    dwells_s = _seconds(dwell)
    words = {} if conditions is None else load_conditions(conditions)
    choice = _choice(ModelChoice(), model, imgsz)
    with ExitStack() as stack:
        detector = stack.enter_context(_detector(choice))
        terms = Terms(
            look_interval_s=look_interval,
            facts=model_facts(choice, detector),
            closer_look=closer_look,
        )
        films = stack.enter_context(_Films(out, terms))
        step = stack.enter_context(_progress(None))
        report = evaluate_clips(
            clips,
            detector,
            dwells_s=dwells_s,
            terms=terms,
            on_clip=lambda clip: _joined(films.begin(clip), clip, step),
            conditions=words,
        )
    if json:
        typer.echo(json_format.dumps(report.as_json()))
    else:
        print_report(report)


class _Films:
    """Annotated films of the clips, one after the other; none without a folder."""

    def __init__(self, folder: Path | None, terms: Terms) -> None:
        self._folder, self._terms = folder, terms
        self._current = ExitStack()

    def begin(self, clip: ClipTruth) -> Callable[[Frame, Look], None] | None:
        """End the film before; what adds looks to the new one."""
        self._current.close()
        if self._folder is None or not clip.zones:
            return None
        camera = camera_of(clip, self._terms)
        path = self._folder / f"{Path(clip.name).stem}.mp4"
        film = self._current.enter_context(Film(path, self._terms.look_interval_s))
        return lambda frame, look: film.add(draw_look(frame, look, camera), frame.stream_s)

    def __enter__(self) -> _Films:
        return self

    def __exit__(self, *error: Any) -> None:
        self._current.__exit__(*error)


def _choice(base: ModelChoice, model: str | None, image_size_px: int | None) -> ModelChoice:
    choice = base if model is None else replace(base, weights=model)
    return choice if image_size_px is None else replace(choice, image_size_px=image_size_px)


@contextmanager
def _detector(choice: ModelChoice) -> Iterator[Detector]:
    detector = load_detector(choice)
    try:
        yield detector
    finally:
        detector.close()


@contextmanager
def _progress(duration_s: float | None) -> Iterator[Callable[[float, str], None]]:
    """A bar on stderr (only where somebody looks at it); what moves it on."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=duration_s)

        def step(stream_s: float, name: str) -> None:
            progress.update(task, completed=stream_s, description=Path(name).name)

        yield step


def _joined(
    film: Callable[[Frame, Look], None] | None, clip: ClipTruth, step: Callable[[float, str], None]
) -> Callable[[Frame, Look], None]:
    def on_look(frame: Frame, look: Look) -> None:
        step(frame.stream_s, clip.name)
        if film is not None:
            film(frame, look)

    return on_look


def _duration_s(source: str) -> float | None:
    """Length of a video file; ``None`` where only reading it will tell."""
    try:
        capture = Capture(source, raw=True)
    except SourceError:
        return None  # reading it says why, or it is a folder of images
    try:
        return capture.frame_count / capture.fps if capture.fps > 0 else None
    finally:
        capture.close()


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _seconds(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        dwells = tuple(float(part) for part in text.split(","))
    except ValueError:
        dwells = ()
    if not dwells or min(dwells) <= 0:
        raise typer.BadParameter(f"{text!r}: give seconds, such as 5,10", param_hint="--dwell")
    return dwells
