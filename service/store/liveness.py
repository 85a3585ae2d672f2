"""Tells a dead PostgreSQL connection in the pool without asking the server at each use."""

from __future__ import annotations

import select
import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError

ASK_AFTER_S = 30.0
"""A connection that lay idle for so long is asked: its network may be gone without a word."""

_GIVEN_BACK = "streetwarden_given_back_s"


def replace_dead(engine: Engine) -> None:
    """Have connections that died in the pool replaced when they are taken, instead of failing."""

    def taken(connection: Any, record: Any, _proxy: object) -> None:
        given_back_s = record.info.get(_GIVEN_BACK)
        if given_back_s is None:
            return  # made this moment
        is_long_idle = time.monotonic() - given_back_s > ASK_AFTER_S
        if (is_long_idle or _has_word(connection)) and not _answers(engine, connection):
            raise DisconnectionError("the connection died while it lay in the pool")

    sa.event.listen(engine, "checkin", _given_back)
    sa.event.listen(engine, "checkout", taken)


def _given_back(_connection: Any, record: Any) -> None:
    record.info[_GIVEN_BACK] = time.monotonic()


def _has_word(connection: Any) -> bool:
    """Whether something came in unasked, as when the server ends the connection."""
    if connection.closed:
        return True
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


def _answers(engine: Engine, connection: Any) -> bool:
    driver_error: type[Exception] = getattr(engine.dialect.dbapi, "Error", DBAPIError)
    try:
        engine.dialect.do_ping(connection)
    except driver_error:
        return False
    return True
