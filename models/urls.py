"""Taking credentials out of addresses before anybody reads or logs them."""

from __future__ import annotations

import re

_USER_INFO = re.compile(r"(?<=://)\S*@")
"""Up to the last ``@``: a password may hold ``/``, ``?`` and ``@``; rather too much goes."""

_SECRET_PARAMETER = re.compile(
    r"(?i)(?P<name>(?:^|(?<=[?&/;_.\s-]))"
    r"(?:user(?:name)?|usr|passw(?:or)?d|pass|pwd|psw|token|auth|secret|sig(?:nature)?|(?:api|access)?_?key)"
    r"=)[^&#/;\s]+"
)
"""``password=x`` in a query or, as some cameras have it, in the path."""

HIDDEN = "***"


def redact_url(text: str) -> str:
    """``text`` with the credentials of every URL in it replaced by ``***``.

    Works on any text that may hold a URL, such as the message of a video library.
    """
    shown = _USER_INFO.sub(f"{HIDDEN}@", text)
    return _SECRET_PARAMETER.sub(rf"\g<name>{HIDDEN}", shown)
