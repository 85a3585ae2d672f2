"""Where data lies unless told otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

DATA_ENV = "STREETWARDEN_DATA_DIR"
EDGE_STORE = "edge.sqlite3"
"""In the daemon's state folder: its rules' state and its outbox."""
RECORDINGS = "recordings"
REFERENCES = "references"
"""In the daemon's state folder: what rules were fed."""


def data_folder() -> Path:
    """``STREETWARDEN_DATA_DIR``, else the user's own, such as ``~/.local/share/streetwarden``."""
    named = os.environ.get(DATA_ENV)
    return Path(named) if named else platformdirs.user_data_path("streetwarden")
