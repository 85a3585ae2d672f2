"""``streetwarden demo``: the main job on the sample videos, on this machine alone."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.demo.plan import Place, Plan, load_plan
from service.demo.processes import Children
from service.demo.receiver import WebhookReceiver
from service.demo.show import Show, line_of, place_of, start_show

ONCE_TIMEOUT_S = 240.0

console = Console()


def demo(
    once: Annotated[
        bool,
        typer.Option("--once", help="End by itself; exit code 0 if every expected order arrived."),
    ] = False,
    port: Annotated[int | None, typer.Option(help="Port of the page; 8080 if it is free.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait with --once.")] = ONCE_TIMEOUT_S,
) -> None:
    """Run everything on the sample videos: RTSP server, daemon, dispatch, webhook receiver.

    演示: 在样例视频上运行全部流程(RTSP 服务器、检测守护进程、派单服务、Webhook 接收端)。
    """
    plan = load_plan()
    started = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="streetwarden-demo-")))
        receiver = stack.enter_context(
            WebhookReceiver(lambda r: console.print(line_of(r), soft_wrap=True))
        )
        children = stack.enter_context(Children(folder=folder))
        show = start_show(plan, children, receiver, port=port)
        stack.callback(show.http.close)
        _introduce(plan, show)
        if not once:
            _until_interrupted(show)
            return
        arrived = show.wait_for(plan, timeout, console.print)
        summary, good = _summary(plan, show)
    console.print(summary)
    console.print(f"{time.monotonic() - started:.0f} s in all")
    raise typer.Exit(0 if arrived and good else 1)


def _introduce(plan: Plan, show: Show) -> None:
    console.print(f"{len(plan.videos)} cameras over RTSP, webhooks to {show.receiver.url}")
    console.print(f"Page / 网页: [bold]{show.page_url}[/]", soft_wrap=True)
    console.print("Ctrl-C ends it. Webhooks as they arrive / 收到的 Webhook:")


def _until_interrupted(show: Show) -> None:
    try:
        show.run_for_ever()
    except KeyboardInterrupt:
        console.print("ended / 已结束")


def _summary(plan: Plan, show: Show) -> tuple[Table, bool]:
    """The table of expected and delivered orders, and whether they agree."""
    delivered = Counter(show.places())
    stored = Counter(_places_in_store(show))
    table = Table(title="Work orders / 工单")
    for heading in ("camera", "zone", "rule"):
        table.add_column(heading, overflow="fold")
    for heading in ("expected", "orders", "delivered"):
        table.add_column(heading, justify="right")
    for place in sorted({*plan.expected, *stored, *delivered}):
        counts = (plan.expected.get(place, 0), stored[place], delivered[place])
        table.add_row(
            place.camera_id, place.zone_id, place.rule_kind, *(str(count) for count in counts)
        )
    wrong = plan.missing(delivered.elements()) or plan.unexpected(stored.elements())
    table.caption = f"signatures refused: {show.receiver.refused}"
    return table, not wrong and show.receiver.refused == 0


def _places_in_store(show: Show) -> list[Place]:
    return [place_of(order) for order in show.orders()]
