"""Publishes events on an MQTT broker, from the outbox of webhooks. Needs the extra ``mqtt``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

import structlog

from models.errors import SetupError
from service.decisions.retry import Outcome
from service.delivery.post import Answer
from service.delivery.topics import Message, available, messages_of, place_of

if TYPE_CHECKING:
    from paho.mqtt.client import Client

DEFAULT_PREFIX = "streetwarden"
PORTS = {"mqtt": 1883, "mqtts": 8883}
ACKNOWLEDGED_S = 10.0
LONGEST_RECONNECT_S = 60
AT_LEAST_ONCE = 1
TAKEN = 200
"""The broker has no status codes: in the log of attempts its acknowledgement is this one."""

CountOpen = Callable[[str, str], int]
"""Camera and zone → orders there of which something is left to be done."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerAddress:
    """Where a broker is and how to sign in there."""

    host: str
    port: int
    is_tls: bool
    prefix: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """The address without user and password."""
        scheme = "mqtts" if self.is_tls else "mqtt"
        return f"{scheme}://{self.host}:{self.port}/{self.prefix}"


def parse_address(url: str) -> BrokerAddress:
    """Read ``mqtt://USER:PASSWORD@HOST:PORT/PREFIX``; raises :class:`SetupError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SetupError("the MQTT address has no usable port") from error
    if parts.scheme not in PORTS or not parts.hostname:
        raise SetupError("the MQTT address must be mqtt://HOST/PREFIX or mqtts://HOST/PREFIX")
    prefix = parts.path.strip("/") or DEFAULT_PREFIX
    if set(prefix) & {"+", "#"}:
        raise SetupError("the prefix of MQTT topics must not hold + or #")
    return BrokerAddress(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        is_tls=parts.scheme == "mqtts",
        prefix=prefix,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


class MqttBroker:
    """A connection that comes back by itself; a context manager."""

    def __init__(self, address: BrokerAddress, count_open: CountOpen) -> None:
        self._address = address
        self._count_open = count_open
        # Counts of a zone are read and published by one thread at a time, so that the last is true.
        self._lock = threading.Lock()
        self._client = _client(address)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected

    def __enter__(self) -> Self:
        self._client.connect_async(self._address.host, self._address.port)
        self._client.loop_start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_connected:
            try:
                message = Message(
                    topic=available(self._address.prefix), payload="offline", retain=True
                )
                self._send([message])
            except (OSError, RuntimeError, ValueError) as failure:
                log.warning("the broker was not told of the end", reason=str(failure))
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_connected(self) -> bool:
        """Whether something can be published now."""
        return bool(self._client.is_connected())

    def publish(self, event: str) -> Answer:
        """Publish an event and wait until the broker has all of it."""
        started_s = time.monotonic()
        status: int | None = TAKEN
        error = None
        try:
            with self._lock:
                place = place_of(event)
                count = 0 if place is None else self._count_open(*place)
                self._send(messages_of(event, self._address.prefix, count))
        except (OSError, RuntimeError, ValueError) as failure:
            status, error = None, f"{type(failure).__name__}: {failure}"[:300]
        return Answer(
            outcome=Outcome(status_code=status),
            duration_s=time.monotonic() - started_s,
            error=error,
        )

    def _send(self, messages: list[Message]) -> None:
        under_way = [
            self._client.publish(each.topic, each.payload, AT_LEAST_ONCE, each.retain)
            for each in messages
        ]
        end_s = time.monotonic() + ACKNOWLEDGED_S
        for each in under_way:
            each.wait_for_publish(max(0.01, end_s - time.monotonic()))
            if not each.is_published():
                raise TimeoutError("the broker did not acknowledge in time")

    def _connected(self, client: Client, *_what: object) -> None:
        # The library calls this for refusals too.
        if client.is_connected():
            client.publish(available(self._address.prefix), "online", AT_LEAST_ONCE, retain=True)
            log.info("connected to the broker", broker=self._address.shown)
        else:
            log.error("the broker refuses the connection", broker=self._address.shown)

    def _disconnected(self, *_what: object) -> None:
        log.warning("the broker is away: events wait for it", broker=self._address.shown)


def _client(address: BrokerAddress) -> Client:
    try:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion
    except ModuleNotFoundError as error:
        raise SetupError("MQTT needs the extra: pip install 'streetwarden[mqtt]'") from error
    client = Client(CallbackAPIVersion.VERSION2)
    if address.username is not None:
        client.username_pw_set(address.username, address.password)
    if address.is_tls:
        client.tls_set()
    client.reconnect_delay_set(1, LONGEST_RECONNECT_S)
    client.will_set(available(address.prefix), "offline", AT_LEAST_ONCE, retain=True)
    return client
