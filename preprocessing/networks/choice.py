"""Which network makes which map: the settings NETWORKS and NETWORKS_FILE. Standard library only."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from preprocessing import weights
from preprocessing.networks.declaration import ROLES, Network
from preprocessing.networks.file import DeclarationsWrong, read
from preprocessing.networks.known import KNOWN

FILE = "networks.toml"


def declared() -> dict[str, Network]:
    """Every network there is a declaration of: the registry's and the operator's own, by name.

    Raises:
        DeclarationsWrong: listing everything wrong in the operator's file.
    """
    named = os.environ.get("NETWORKS_FILE", "")
    file = Path(named) if named else weights.folder() / FILE
    return KNOWN | (read(file) if named or file.exists() else {})


def choices() -> dict[str, Network]:
    """The chosen network of each role, as the environment says.

    Raises:
        DeclarationsWrong: listing everything wrong in NETWORKS, or in the operator's file.
    """
    names = ("NETWORKS", "NETWORKS_FILE", "WEIGHTS_DIR")
    return _choices(*(os.environ.get(name, "") for name in names))


@cache
def _choices(wanted: str, file: str, folder: str) -> dict[str, Network]:
    if not wanted and not file:
        return {}
    known, found, wrong = declared(), {}, []
    for part in filter(None, (part.strip() for part in wanted.split(","))):
        role, _, name = (word.strip() for word in part.partition("="))
        if role not in ROLES:
            wrong.append(f"NETWORKS: {part!r} does not begin with one of {', '.join(ROLES)} and “=”")
        elif role in found:
            wrong.append(f"NETWORKS: {role} is named twice")
        elif name not in known:
            wrong.append(f"NETWORKS: no network is called {name!r}; there are {', '.join(known)}")
        elif known[name].role != role:
            wrong.append(f"NETWORKS: {name} makes the {known[name].role}, not the {role}")
        else:
            found[role] = known[name]
    if wrong:
        raise DeclarationsWrong(wrong)
    return found
