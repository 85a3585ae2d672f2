"""The dispatch service as a process of its own, to be killed. Run with ``python -m``."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from service.api.deps import ApiDeps, ApiSettings
from service.cli import serve as command
from service.cli.serve import build_app
from service.delivery.post import Poster
from service.delivery.worker import DeliverySettings
from service.store.database import open_database
from service.store.files import FileStore


def main(url: str, folder: Path, port: int) -> None:
    """Serve with short leases, so that a restarted process need not wait for them."""
    with command._listen("127.0.0.1", port) as listener, open_database(url) as database:
        deps = ApiDeps(
            database=database,
            files=FileStore(folder),
            settings=ApiSettings(public_url=f"http://127.0.0.1:{port}"),
            now=lambda: datetime.now(UTC),
        )
        settings = DeliverySettings(poll_s=0.05, retry_scale=0.002, lease_s=2)
        app = build_app(deps, Poster(allow_private=True, timeout_s=1), settings)
        command._run(app, listener)


if __name__ == "__main__":
    main(os.environ["TEST_DATABASE_URL"], Path(sys.argv[1]), int(sys.argv[2]))
