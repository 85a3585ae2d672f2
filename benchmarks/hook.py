"""A receiver of signed webhooks, as a process of its own: each verified one becomes a line of JSON.

    python -m benchmarks.hook SECRET_FILE LINES_FILE

Prints the port it listens on. The secret may come later than the process: it is read when it is
needed.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

from service.demo.receiver import Received, WebhookReceiver


def main() -> None:
    secret, lines = Path(sys.argv[1]), Path(sys.argv[2])
    with lines.open("w", encoding="utf-8") as file:

        def note(received: Received) -> None:
            line = {"at_s": time.time(), "type": received.event_type, "data": received.data}
            file.write(json.dumps(line) + "\n")
            file.flush()

        with WebhookReceiver(note) as receiver:
            sys.stdout.write(receiver.url + "\n")
            sys.stdout.flush()
            while not secret.exists():
                time.sleep(0.05)
            receiver.trust(secret.read_text(encoding="utf-8"))
            threading.Event().wait()


if __name__ == "__main__":
    main()
