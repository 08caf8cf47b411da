"""./dev doctor: what is there, what is missing and how to mend it. Only looks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from devtools import processes, setup
from devtools.layout import PYTHON, REPOSITORY, VENV, State, local
from devtools.servers import django_environment
from devtools.setup import say
from preprocessing import networks, weights
from preprocessing.pretrained import WEIGHTS
from tryon.engines import ENGINES

LEAST_DISK_GB = 2
ASK_POSTGRES = "import os, psycopg2; psycopg2.connect(os.environ['DATABASE_URL'], connect_timeout=5)"
ASK_REDIS = "import os, redis; redis.from_url(os.environ['REDIS_URL'], socket_connect_timeout=5).ping()"
ASK_ENCODER = "import django; django.setup(); from recommend import encoders; print(encoders.problem())"
ASK_TORCH = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        mend: what to do about it; empty when all is well.
        needed: whether the shop cannot run as it is.
    """

    text: str
    mend: str = ""
    needed: bool = False


def doctor() -> int:
    findings = [
        *system(),
        *packages(),
        *servers(),
        *pretrained(),
        *engines(),
        *networks_chosen(),
        *similar_items(),
        *machine(),
    ]
    for finding in findings:
        mark = "ok  " if not finding.mend else "BAD " if finding.needed else "note"
        say(f"{mark}  {finding.text}" + (f"\n      -> {finding.mend}" if finding.mend else ""))
    return int(any(finding.needed and finding.mend for finding in findings))


def system() -> Iterator[Finding]:
    yield Finding(f"Python {sys.version.split()[0]}")
    lacking = setup.missing_libraries()
    mend = f"sudo apt-get install -y {' '.join(lacking)}" if lacking else ""
    yield Finding("system libraries for OpenCV and MediaPipe", mend, needed=True)
    lacking = setup.missing_browser()
    mend = f"for the browser tests: sudo apt-get install -y {' '.join(lacking)}" if lacking else ""
    yield Finding("a browser and Korean letters for the tests", mend)


def packages() -> Iterator[Finding]:
    if not PYTHON.exists():
        yield Finding(f"no {VENV.name}", "./dev up makes it", needed=True)
        return
    changed = not setup.up_to_date("runtime")
    yield Finding("Python packages", "the requirements have changed; ./dev up installs them" if changed else "")


def ask(program: str, env: dict[str, str]) -> tuple[bool, str]:
    """Whether a few lines succeed in the project's Python, and what they say, or the error that ended them."""
    done = subprocess.run([str(PYTHON), "-c", program], env=env, capture_output=True, text=True, cwd=REPOSITORY)
    lines = (done.stdout if done.returncode == 0 else done.stderr).splitlines()
    # An error may go on in indented lines.
    said = [line.strip() for line in lines if line.strip() and not line[0].isspace()]
    return done.returncode == 0, said[-1] if said else ""


def servers() -> Iterator[Finding]:
    state = State(local())
    for name, variable, question in (
        ("postgres", "DATABASE_URL", ASK_POSTGRES),
        ("redis", "REDIS_URL", ASK_REDIS),
    ):
        if os.environ.get(variable):
            answered, said = ask(question, django_environment(state)) if PYTHON.exists() else (True, "")
            mend = "" if answered else f"{said}; start it, or unset {variable} to use an embedded one"
            yield Finding(f"{name} of your own ({variable})", mend, needed=True)
        elif record := processes.running(state, name):
            silent = not processes.answers(record.port)
            mend = (
                f"it does not answer: ./dev stop, then look into {processes.log_path(state, name)}" if silent else ""
            )
            yield Finding(f"embedded {name}, process {record.pid}, port {record.port}", mend, needed=True)
        else:
            yield Finding(f"embedded {name}, not running; ./dev up starts it")
    web = processes.running(state, "web")
    yield Finding(f"the shop at http://127.0.0.1:{web.port}/" if web else "the shop is not running")
    if not web and processes.answers(8000):
        yield Finding("port 8000 is taken by something else", "./dev up then takes another, or say --port N")


def pretrained() -> Iterator[Finding]:
    yield Finding(f"weights in {weights.folder()}")
    for weight in WEIGHTS.values():
        problem = weights.problem(weight.name)
        mend = f"{problem}. {weight.without} Mend: {weight.command}" if problem else ""
        others = "" if problem else ", ".join(weights.unpublished(weight.name))
        origin = f" ({others}: NOT made from the published checkpoint)" if others else ""
        yield Finding(f"weights {weight.name}: {weight.role}{origin}", mend, needed=weight.default)


def engines() -> Iterator[Finding]:
    for engine in ENGINES.values():
        gone = weights.missing(engine.weights)
        use = "" if engine.commercial_use else ", not for commercial use: ALLOW_NONCOMMERCIAL_ENGINES switches it on"
        mend = f"not offered to shoppers: needs {', '.join(gone)}" if gone else ""
        yield Finding(f"engine {engine.name} ({engine.licence}{use})", mend)


def networks_chosen() -> Iterator[Finding]:
    try:
        chosen = networks.choices()
    except networks.DeclarationsWrong as wrong:
        yield Finding("networks", f"{wrong}. Mend NETWORKS or its file (docs/networks.md)", needed=True)
        return
    if not chosen:
        yield Finding("networks: none chosen, every map is our own")
    for role, network in chosen.items():
        mend = f"the default map is used: {network.problem}" if network.problem else ""
        yield Finding(f"{role} by the network {network.name}", mend)


def similar_items() -> Iterator[Finding]:
    if PYTHON.exists():
        env = django_environment(State(local())) | {"DJANGO_SETTINGS_MODULE": "shop.settings"}
        _, mend = ask(ASK_ENCODER, env)
        yield Finding("the encoder of similar items", mend)


def machine() -> Iterator[Finding]:
    if PYTHON.exists():
        imported, device = ask(ASK_TORCH, dict(os.environ))
        mend = "" if imported else f"torch does not import: {device}"
        yield Finding(
            f"CUDA device {device}" if imported and device else "no CUDA device: networks run on the CPU", mend
        )
    free = shutil.disk_usage(local()).free / 1e9
    mend = "" if free >= LEAST_DISK_GB else f"less than {LEAST_DISK_GB} GB: make room, or set FITROOM_LOCAL elsewhere"
    yield Finding(f"{free:.0f} GB free for {local()}", mend, needed=True)
