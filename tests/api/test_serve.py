"""``streetwarden serve`` and ``create-key`` as processes of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.dispatch import wait_for

KEY = "a-key-of-the-environment"
PROGRAM = (
    "import typer; from service.cli.serve import create_key, serve; app = typer.Typer();"
    " app.command('serve')(serve); app.command('create-key')(create_key); app()"
)


def environment(**variables: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STREETWARDEN_")}
    return {**kept, **variables}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "there is no API key yet"),
        ({"STREETWARDEN_API_KEY": "short"}, "STREETWARDEN_API_KEY is too short to be safe"),
        (
            {"STREETWARDEN_DATABASE_URL": "mysql://root:secret@db/x"},
            "the database must be sqlite or postgresql",
        ),
    ],
    ids=["no-key", "short-key", "database"],
)
def test_what_hinders_the_service_is_said(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    done = run("serve", "--port", "0", "--data-dir", str(tmp_path), **variables)

    assert done.returncode != 0
    assert message in re.sub(r"\W*\n\W*", " ", done.stderr)
    assert "secret@" not in done.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port, "--data-dir", str(tmp_path), STREETWARDEN_API_KEY=KEY)

    assert done.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_it_serves_with_its_keys_and_ends_in_good_order(tmp_path: Path) -> None:
    made = run("create-key", "crew app", "--role", "client", "--data-dir", str(tmp_path))
    assert made.returncode == 0, made.stderr
    crew = {"Authorization": f"Bearer {made.stdout.strip()}"}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    arguments = ["serve", "--port", str(port), "--data-dir", str(tmp_path)]
    with (tmp_path / "log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env=environment(
                STREETWARDEN_API_KEY=KEY, STREETWARDEN_DETECTOR_KEY="only-for-the-detector"
            ),
            stderr=log,
        )
        try:
            wait_for(lambda: process.poll() is not None or _is_up(url), timeout_s=60)
            admin = {"Authorization": f"Bearer {KEY}"}
            orders = f"{url}/api/v1/work-orders"
            assert httpx.get(orders, headers=crew).status_code == 200
            assert httpx.get(orders, headers=admin).status_code == 200
            detector = {"Authorization": "Bearer only-for-the-detector"}
            assert httpx.get(orders, headers=detector).status_code == 403
            assert httpx.get(f"{url}/readyz").json()["checks"]["webhooks"] == "ok"
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
        log.seek(0)
        logged = log.read()
    assert code == 0
    assert '"event": "dispatch service starts"' in logged
    assert KEY not in logged


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).is_success
    except httpx.TransportError:
        return False
