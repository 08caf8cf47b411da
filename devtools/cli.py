"""./dev up         start everything and print the shop's address  [--port N]
./dev test       lint, migrations, tests against real servers   [pytest arguments: only those tests]
./dev doctor     what is there, what is missing, how to mend it
./dev stop       stop whatever runs
./dev manage     manage.py with the servers it needs            COMMAND [arguments]
./dev bench      a benchmark with the servers it needs          NAME [arguments]
./dev parity     our HR-VITON against a recorded run            FILE.npz
./dev weights    pretrained files: list, fetch, import, verify  [NAME ...]
"""

from __future__ import annotations

import signal
import sys

from devtools.layout import State, Terminated, Trouble, local
from devtools.setup import prepare


def up(arguments: list[str]) -> int:
    from devtools.up import up

    return up(arguments)


def test(arguments: list[str]) -> int:
    from devtools.testing import test

    return test(arguments)


def manage(arguments: list[str]) -> int:
    from devtools.servers import python, services

    prepare()
    with services(State(local())) as env:
        return python("manage.py", *arguments, env=env)


def bench(arguments: list[str]) -> int:
    from devtools.servers import python, services

    if not arguments:
        raise Trouble("Which benchmark? ./dev bench NAME, one of the files in benchmarks/")
    prepare("dev")
    with services(State(local())) as env:
        # In a new checkout nothing has laid the tables yet.
        return python("manage.py", "migrate", "--verbosity=0", env=env) or python(
            "-m", f"benchmarks.{arguments[0]}", *arguments[1:], env=env
        )


def parity(arguments: list[str]) -> int:
    from devtools.servers import django_environment, python

    prepare("dev")
    return python("-m", "benchmarks.parity", *arguments, env=django_environment(State(local())))


def stop(arguments: list[str]) -> int:
    from devtools.up import stop

    return stop()


def doctor(arguments: list[str]) -> int:
    from devtools.doctor import doctor

    return doctor()


def weights(arguments: list[str]) -> int:
    from devtools.weights import weights

    return weights(arguments)


COMMANDS = {command.__name__: command for command in (up, test, doctor, stop, manage, bench, parity, weights)}


def terminate(signum: int, frame: object) -> None:
    raise Terminated


def main(arguments: list[str]) -> int:
    name, *rest = arguments or ["help"]
    if name not in COMMANDS:
        print(__doc__)
        return 0 if name in ("help", "-h", "--help") else 2
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, terminate)
    try:
        return COMMANDS[name](rest)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
