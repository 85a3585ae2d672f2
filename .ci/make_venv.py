"""Create the virtual environment that everything runs in; say what is missing if that fails.

Debian splits ``ensurepip`` off into ``python3-venv``; as root it is installed here.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

OLDEST = (3, 11)


def install_ensurepip() -> None:
    """Install Debian's venv package where we may, or say which one is needed."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"This Python cannot make virtual environments: install {package} and try again")
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", package], check=True)


def main(folder: Path) -> None:
    """Make ``folder`` a virtual environment with pip that knows dependency groups."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    if importlib.util.find_spec("ensurepip") is None:
        install_ensurepip()
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip>=25.1"], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
