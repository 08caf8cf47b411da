"""Where the pretrained files lie, and which are missing. Compares sizes, so it costs nothing; standard library only.

preprocessing/pretrained.py lists them; `./dev weights` gets them and compares their full hashes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.pretrained import WEIGHTS, File, Weight

REPOSITORY = Path(__file__).resolve().parent.parent


class WeightsMissing(Refusal):
    """Some weights are not there, or not whole; `detail` lists all of them with the command that gets each."""

    def __init__(self, names: list[str]):
        lines = [f"{name}: {problem(name)} ({WEIGHTS[name].command})" for name in names]
        super().__init__(
            "weights.missing",
            gettext_noop("This shop has not set this up yet. Please choose another way to try on."),
            "weights are missing: " + "; ".join(lines),
        )
        self.names = names


def folder() -> Path:
    """Where the weights lie: WEIGHTS_DIR, or .local/weights in the checkout."""
    return Path(os.environ.get("WEIGHTS_DIR") or REPOSITORY / ".local" / "weights")


def file_path(weight: Weight, file: File) -> Path:
    return folder() / file.name if len(weight.files) == 1 else folder() / weight.name / file.name


def provenance_path(target: Path) -> Path:
    return target.with_name(target.name + ".provenance.json")


def expected(weight: Weight, file: File) -> tuple[int | None, str | None]:
    """Size and sha256 a file must have: the registry's, else those recorded when it came in, else None."""
    if file.sha256:
        return file.size, file.sha256
    try:
        recorded = json.loads(provenance_path(file_path(weight, file)).read_text())
        return recorded["size"], recorded["sha256"]
    except (OSError, ValueError, KeyError):
        return None, None


def problem(name: str) -> str:
    """What is wrong with a weight by name and size, one phrase; empty when nothing is."""
    weight = WEIGHTS[name]
    for file in weight.files:
        target = file_path(weight, file)
        if not target.is_file():
            return f"{file.name} is not in {target.parent}"
        size, _ = expected(weight, file)
        if size is None:
            return f"{file.name} was not brought in by ./dev weights, so its hash is not recorded"
        if target.stat().st_size != size:
            return f"{file.name} has {target.stat().st_size} bytes instead of {size}"
    return ""


def present(name: str) -> bool:
    return not problem(name)


def missing(names: Iterable[str]) -> list[str]:
    return [name for name in names if not present(name)]


def paths(*names: str) -> tuple[Path, ...]:
    """The file of each weight, or its folder where it has several files.

    Raises:
        WeightsMissing: listing every one of `names` that is missing or has the wrong size.
    """
    if gone := missing(names):
        raise WeightsMissing(gone)
    found = []
    for weight in map(WEIGHTS.__getitem__, names):
        first = file_path(weight, weight.files[0])
        found.append(first if len(weight.files) == 1 else first.parent)
    return tuple(found)


def path(name: str) -> Path:
    """As `paths`, for one."""
    return paths(name)[0]
