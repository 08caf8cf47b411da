"""From a bare machine to a .venv in which everything imports."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from devtools.layout import PYTHON, REPOSITORY, VENV, Trouble, locked

STAMP = VENV / "fitroom.json"
REQUIREMENTS = {
    "runtime": ("requirements.txt", "requirements-web.txt", "constraints.txt"),
    "dev": ("requirements-dev.txt", "requirements.txt", "requirements-web.txt", "constraints.txt"),
}
# What OpenCV and MediaPipe load; a minimal system has none of them.
LIBRARIES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libGLESv2.so.2": "libgles2",
    "libglib-2.0.so.0": "libglib2.0-0",
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
KOREAN_FONTS = ("Noto Sans CJK", "NotoSansCJK", "Nanum")


def say(text: str) -> None:
    """Print; when the terminal is gone, the work and above all the stopping go on."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def pip(*arguments: str, **options) -> subprocess.CompletedProcess:
    """Run pip as it is configured on this machine: .venv's, else that of the Python that runs us.

    Raises:
        Trouble: neither has pip.
    """
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    for python in (str(PYTHON), sys.executable):
        if has_pip(python):
            return subprocess.run([python, "-m", "pip", "--disable-pip-version-check", *arguments], **options)
    raise Trouble("pip is needed: run ./dev up once, or install it (apt-get install python3-pip)")


def has_pip(python: str) -> bool:
    if not Path(python).exists():
        return False
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def install_packages(packages: list[str], why: str) -> bool:
    """Install system packages as root on Debian and the like; otherwise print the line that does. True when done."""
    if not packages:
        return True
    line = f"apt-get install -y --no-install-recommends {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        say(f"Needed for {why}: sudo {line}")
        return False
    say(f"Installing for {why}: {' '.join(packages)}")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = None
    for command in ("apt-get update", line):
        done = subprocess.run(command.split(), capture_output=True, text=True, env=env)
    if done.returncode != 0:
        say(f"That failed; run it by hand: {line}\n{done.stderr.strip()}")
    return done.returncode == 0


def missing_libraries() -> list[str]:
    """Debian packages of the libraries that cannot be loaded."""
    packages = []
    for library, package in LIBRARIES.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            packages.append(package)
    return packages


def missing_browser() -> list[str]:
    """Debian packages of what the browser tests need."""
    packages = [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    fonts = ""
    if shutil.which("fc-list"):
        fonts = subprocess.run(["fc-list"], capture_output=True, text=True).stdout
    if not any(name in fonts for name in KOREAN_FONTS):
        packages.append("fonts-noto-cjk")
    return packages


def fingerprint(kind: str) -> str:
    """Changes when another set of packages is asked for."""
    digest = hashlib.sha256()
    for name in REQUIREMENTS[kind]:
        digest.update(f"{name}\0".encode() + (REPOSITORY / name).read_bytes())
    return digest.hexdigest()


def stamped() -> dict[str, str]:
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def up_to_date(kind: str) -> bool:
    return PYTHON.exists() and stamped().get(kind) == fingerprint(kind)


def make_venv() -> None:
    if has_pip(str(PYTHON)):
        return
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        if not install_packages(["python3-venv"], "a virtual environment"):
            raise Trouble(f"Python here cannot make a virtual environment: install python3-venv (or {package})")
    say("Making .venv")
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"The virtual environment could not be made:\n{(done.stderr or done.stdout).strip()}")


def prepare(kind: str = "runtime") -> None:
    """Make .venv and the system ready; next to nothing to do when the requirements have not changed.

    Args:
        kind: "runtime", or "dev" for what tests need besides.

    Raises:
        Trouble: something that only the person at the terminal can mend.
    """
    with locked(REPOSITORY / ".local" / "setup.lock"):
        if not up_to_date(kind):
            make_venv()
            say("Installing Python packages (the first time takes minutes)")
            chosen = "requirements-dev.txt" if kind == "dev" else "requirements.txt"
            wanted = ["-r", str(REPOSITORY / chosen), "-c", str(REPOSITORY / "constraints.txt")]
            quiet = [] if sys.stdout.isatty() else ["--quiet"]
            if pip("install", *quiet, *wanted, stdout=None, stderr=None).returncode != 0:
                raise Trouble("pip could not install the packages; its message is above")
            done = {"runtime": fingerprint("runtime"), kind: fingerprint(kind)}
            STAMP.write_text(json.dumps(stamped() | done, indent=1))
        if lacking := missing_libraries():
            install_packages(lacking, "reading photos")
        if kind == "dev" and (lacking := missing_browser()):
            install_packages(lacking, "the browser tests")
