"""Credentials of cameras are seen by nobody who reads messages, values or tracebacks."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from models.errors import ConfigError
from models.urls import redact_url
from service.config import load_city
from service.config.forms import CityFile
from tests.config.builders import VALID, changed, write

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://viewer:hunter2@h:554/1", "rtsp://***@h:554/1"),
        ("rtsp://viewer:hun@ter/2@h/1", "rtsp://***@h/1"),
        ("rtsp://hunter2@h/1", "rtsp://***@h/1"),
        ("cannot open rtsp://viewer:hunter2@h/1: 401", "cannot open rtsp://***@h/1: 401"),
        (
            "http://h/cgi?user=a&password=hunter2&channel=1",
            "http://h/cgi?user=***&password=***&channel=1",
        ),
        ("rtsp://h/user=a&pwd=hunter2&channel=1", "rtsp://h/user=***&pwd=***&channel=1"),
        ("http://h/a?api_key=hunter2", "http://h/a?api_key=***"),
        ("http://h/a?channel=1&monkey=3", "http://h/a?channel=1&monkey=3"),
        ("rtsp://h/1", "rtsp://h/1"),
        ("/videos/a.mp4", "/videos/a.mp4"),
    ],
)
def test_credentials_are_taken_out_of_addresses(text: str, shown: str) -> None:
    assert redact_url(text) == shown


def test_a_loaded_city_does_not_show_them(tmp_path: Path) -> None:
    text = changed("192.0.2.10/stream1", "viewer:hunter2@192.0.2.10/1")
    city = load_city(write(tmp_path, text))
    assert SECRET in city.cameras[0].source
    assert SECRET not in repr(city)


def test_a_program_that_reads_no_camera_needs_no_password(tmp_path: Path) -> None:
    text = changed("192.0.2.10/stream1", "viewer:${CAMERA_PASSWORD}@192.0.2.10/1")
    city = load_city(write(tmp_path, text), environ={}, resolve_sources=False)
    assert city.cameras[0].source == "rtsp://viewer:${CAMERA_PASSWORD}@192.0.2.10/1"


def test_the_form_does_not_show_them() -> None:
    form = CityFile.model_validate(
        {
            "city": {"name": "x", "timezone": "UTC"},
            "cameras": [{"id": "a", "source": "rtsp://a:hunter2@h/1", "legal_basis": "x"}],
        }
    )
    assert SECRET not in repr(form)


LEAKS = {
    "item that is no mapping": VALID + "  - source:rtsp://a:hunter2@h/1\n",
    "key that is an address": VALID + "rtsp://a:hunter2@h/1: x\n",
    "address in the wrong field": changed("Asia/Shanghai", "rtsp://a:hunter2@h/1"),
    "address as a department": changed("default: traffic", "default: 'rtsp://a:hunter2@h/1'"),
    "broken address": changed("192.0.2.10/stream1", "a:hunter2@h:port/1"),
    "placeholder in a broken address": changed("192.0.2.10/stream1", "a:${PASSWORD}@h:port/1"),
    "wrong type": changed("rtsp://192.0.2.10/stream1", "{url: rtsp://a:hunter2@h/1}"),
    "key instead of its variable": VALID + "dispatch: {api_key_env: hunter2-x}\n",
    "syntax": changed("rtsp://192.0.2.10/stream1", "rtsp://a:hunter2@h: x: y"),
    "tag": changed("rtsp://192.0.2.10/stream1", "!rtsp://a:hunter2@h/1 x"),
}


@pytest.mark.parametrize("text", LEAKS.values(), ids=LEAKS.keys())
def test_no_error_shows_them(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_city(write(tmp_path, text), environ={"PASSWORD": SECRET})
    assert SECRET not in "".join(traceback.format_exception(refused.value))
