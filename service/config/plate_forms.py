"""The form of a licence-plate reader, which must be close by: what it gets is not redacted."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from models.evidence import PlateReader
from service.config.rule_forms import Form
from service.config.scalars import Positive, Text

NEAR = tuple(
    ipaddress.ip_network(each)
    for each in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
"""This machine, and private networks by RFC 1918 and RFC 4193."""


def check_reader_url(url: str) -> str:
    """The address, if it is of this machine or a private network; else :class:`ValueError`.

    Names other than localhost are refused: whoever answers for a name may let it lead elsewhere.
    """
    example = "should be an address such as 'http://127.0.0.1:9100/read'"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(example) from None
    if not host or port == 0 or parts.scheme not in {"http", "https"}:
        raise ValueError(example)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("should have no credentials and no fragment")
    if not _is_near(host):
        raise ValueError(
            "should be localhost, or the IP address of this machine or of a private network, such"
            " as 127.0.0.1 or 10.0.0.5: the reader gets pictures with readable plates"
        )
    return url


def _is_near(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(address in network for network in NEAR)


class PlateReaderForm(Form):
    """The city's own licence-plate reader; only where the law allows it."""

    url: Annotated[str, AfterValidator(check_reader_url)]
    """Where it listens: this machine or a private network, never the internet."""
    timeout: Annotated[Positive, Field(le=30)] = 3.0
    """How long to wait for its answer; an order never waits."""
    legal_basis: Text
    """Why plates at this place may be read, for example a decision."""


def to_plate_reader(form: PlateReaderForm | None) -> PlateReader | None:
    """The reader that the program asks; ``None``: none."""
    return None if form is None else PlateReader(url=form.url, timeout_s=form.timeout)
