"""Networks an operator brings: one table each in a TOML file. docs/networks.md explains every key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from preprocessing.networks.declaration import DECODERS, FITS, MAX, ORDERS, ROLES, Labels, Network
from preprocessing.networks.known import KNOWN
from preprocessing.networks.tables import TABLES
from preprocessing.pretrained import WEIGHTS

NO_JOINT = "-"


class DeclarationsWrong(ValueError):
    """Everything wrong in the settings or in a file of declarations, one line each."""

    def __init__(self, lines: list[str]):
        super().__init__("\n".join(lines))


def read(path: Path) -> dict[str, Network]:
    """The networks declared in a file, by name.

    Raises:
        DeclarationsWrong: listing everything wrong in it.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DeclarationsWrong([f"{path}: {error}"]) from error
    found, wrong = {}, []
    for name, table in tables.items():
        lines, network = _network(name, table, path.parent)
        wrong += [f"{path.name}: {name}: {line}" for line in lines]
        found[name] = network
    if wrong:
        raise DeclarationsWrong(wrong)
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _list_of(count: int, right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) == count and all(map(right, value))


# What each key must be, in words and as a question.
KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "role": (f"one of {', '.join(ROLES)}", lambda value: value in ROLES),
    "size": ("[height, width] in pixels", _list_of(2, lambda value: _is_whole(value, 1))),
    "decode": ("a word", lambda value: isinstance(value, str)),
    "weight": (f"a name in the registry: {', '.join(WEIGHTS)}", lambda value: value in WEIGHTS),
    "file": ("a path, from this file's folder on", lambda value: isinstance(value, str) and value != ""),
    "sha256": ("64 hexadecimal digits", lambda value: re.fullmatch("[0-9a-f]{64}", str(value)) is not None),
    "labels": ("a table's name or a list of pairs", lambda value: isinstance(value, str | list)),
    "fit": (f"one of {', '.join(FITS)}", lambda value: value in FITS),
    "order": (f"one of {', '.join(ORDERS)}", lambda value: value in ORDERS),
    "divide": (f"a number above 0, or “{MAX}”", lambda value: value == MAX or (_is_number(value) and value > 0)),
    "mean": ("three numbers", _list_of(3, _is_number)),
    "std": ("three numbers above 0", _list_of(3, lambda value: _is_number(value) and value > 0)),
    "output": ("a name or a number", lambda value: isinstance(value, str) or _is_whole(value)),
    "channels": ("[first, behind the last]", lambda value: _list_of(2, _is_whole)(value) and value[0] < value[1]),
    "threshold": ("a number between 0 and 1", lambda value: _is_number(value) and 0 <= value <= 1),
    "refine": ("true or false", lambda value: isinstance(value, bool)),
    "seconds": ("a number above 0", lambda value: _is_number(value) and value > 0),
    "megabytes": ("a whole number above 0", lambda value: _is_whole(value, 1)),
}
REQUIRED = ("role", "size", "decode")


def _network(name: str, table: Any, folder: Path) -> tuple[list[str], Network | None]:
    """What is wrong with one table, and the network when nothing is."""
    if not isinstance(table, dict):
        return ["is not a table; write [name] and the keys below it"], None
    wrong = [f"{key!r} is no key; there are {', '.join(KEYS)}" for key in table if key not in KEYS]
    wrong += [f"{key} is missing: {KEYS[key][0]}" for key in REQUIRED if key not in table]
    wrong += [
        f"{key} is {table[key]!r} instead of {words}"
        for key, (words, right) in KEYS.items()
        if key in table and not _asked(right, table[key])
    ]
    if name in KNOWN:
        wrong.append("this name is taken by a network of the registry")
    wrong += _file_wrong(table)
    if wrong:
        return wrong, None
    role, decode = table["role"], table["decode"]
    if decode not in DECODERS[role]:
        return [f"decode is {decode!r}; for {role} there are {', '.join(DECODERS[role])}"], None
    wrong, labels = _labels(role, table.get("labels"))
    if wrong:
        return wrong, None
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    values |= {"labels": labels, "file": folder / table["file"] if "file" in table else None}
    return [], Network(name=name, **values)


def _asked(right: Callable[[Any], bool], value: Any) -> bool:
    try:
        return right(value)
    except TypeError:  # a list, asked for in a dict
        return False


def _file_wrong(table: dict) -> list[str]:
    if ("weight" in table) == ("file" in table):
        return ["either weight or file says where the network is"]
    if ("file" in table) != ("sha256" in table):
        return ["file and sha256 go together: `sha256sum FILE` prints it"]
    return []


def _labels(role: str, given: Any) -> tuple[list[str], Labels]:
    house = ROLES[role]
    if house is None:
        return (["labels: a cloth mask has none"] if given is not None else []), ()
    if given is None:
        return [f"labels is missing: {KEYS['labels'][0]}"], ()
    if isinstance(given, str):
        if given not in TABLES:
            return [f"labels: no table is called {given!r}; there are {', '.join(TABLES)}"], ()
        if not isinstance(TABLES[given][0][1], house):
            return [f"labels: the table {given} is not one of {house.__name__}"], ()
        return [], TABLES[given]
    wrong, labels = [], []
    for number, pair in enumerate(given):
        if not _list_of(2, lambda word: isinstance(word, str))(pair):
            wrong.append(f"labels: number {number} is {pair!r} instead of [its name there, its name here]")
        elif pair[1] == NO_JOINT and role == "keypoints":
            labels.append((pair[0], None))
        elif pair[1] not in house.__members__:
            wrong.append(
                f"labels: number {number}, {pair[0]!r}: {pair[1]!r} is none of {', '.join(house.__members__)}"
            )
        else:
            labels.append((pair[0], house[pair[1]]))
    if not wrong and not any(label is not None for _, label in labels):
        wrong.append("labels: the table is empty")
    return wrong, tuple(labels)
