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
NOT_SET_UP = gettext_noop("This shop has not set this up yet. Please choose another way to try on.")


class WeightsMissing(Refusal):
    """Some weights are not there, or not whole; `detail` lists all of them with the command that gets each."""

    def __init__(self, names: list[str]):
        lines = [f"{name}: {problem(name)} ({WEIGHTS[name].command})" for name in names]
        super().__init__(
            "weights.missing",
            NOT_SET_UP,
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
    recorded = provenance(weight, file)
    return recorded.get("size"), recorded.get("sha256")


def provenance(weight: Weight, file: File) -> dict:
    """What was recorded when a file came in; empty when it did not come in by ./dev weights.

    `sha256`, `size`, `source` and `date`; of a file that was made from a checkpoint also `made_from`, with the
    checkpoint's `name`, `size` and `sha256`, and whether it is the `published` one.
    """
    try:
        recorded = json.loads(provenance_path(file_path(weight, file)).read_text())
    except (OSError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) and {"sha256", "size"} <= recorded.keys() else {}


def unpublished(name: str) -> list[str]:
    """The files of a weight that are here, and were made from another checkpoint than the published one."""
    weight = WEIGHTS[name]
    return [
        file.name
        for file in weight.files
        if file.made_from and not provenance(weight, file).get("made_from", {}).get("published", False)
    ]


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
