"""Incidents of which the dispatch service wants a new picture: their orders were reopened.

It says so in its answer to an observation, each time until the picture has come; so nothing here
needs to outlive a restart. The sender's thread hears it, the cameras' owners take the pictures.
"""

from __future__ import annotations

import json
import threading

from service.daemon.edge import OutboxRequest

MOST = 1000
"""More than that are open incidents of no daemon; the oldest wishes go first."""
OBSERVATION = "/observation"


class PictureWishes:
    """Which incidents are to be photographed at their next sight. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: dict[str, None] = {}

    def heard(self, request: OutboxRequest, answer: bytes) -> None:
        """Take in the answer to a request that the service has taken."""
        if not (request.path.endswith(OBSERVATION) and _wants_picture(answer)):
            return
        with self._lock:
            self._wanted[request.incident_id] = None
            while len(self._wanted) > MOST:
                del self._wanted[next(iter(self._wanted))]

    def take(self, incident_id: str) -> bool:
        """Whether a picture of the incident is wanted; from now on it no longer is."""
        with self._lock:
            if incident_id not in self._wanted:
                return False
            del self._wanted[incident_id]
            return True


def _wants_picture(answer: bytes) -> bool:
    try:
        said = json.loads(answer)
    except ValueError:
        return False  # the request was taken all the same; another service need not know of wishes
    return isinstance(said, dict) and said.get("wants_picture") is True
