"""Entry point of the command ``streetwarden`` and of ``python -m service``."""

from __future__ import annotations

import sys

from service.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
