"""./dev weights: what is there, getting more, bringing files of one's own, checking them in full."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from devtools import checkpoints, fetch
from devtools.fetch import SourceFailed
from devtools.layout import Trouble, locked
from devtools.setup import say
from preprocessing import weights as registry
from preprocessing.pretrained import WEIGHTS, File, Weight

USAGE = """\
./dev weights list                  what there is, what is here, what each licence allows
./dev weights fetch NAME ...        from the first source that has the right file
./dev weights fetch                 those the shop starts with
./dev weights import NAME FILE ...  your own copy: a file, several, or a folder that holds them; checkpoints (.pth)
                                    are compared with their network and kept as safetensors
./dev weights verify [NAME ...]     read every file and compare its sha256
"""


def weights(arguments: list[str]) -> int:
    match arguments:
        case ["list"]:
            return show()
        case ["fetch", *names]:
            return fetch_all(names or defaults())
        case ["import", name, first, *files]:
            return bring(name, [Path(file) for file in (first, *files)])
        case ["verify", *names]:
            return verify(names)
    say(USAGE)
    return 2


def defaults() -> list[str]:
    return [name for name, weight in WEIGHTS.items() if weight.default]


def known(name: str) -> Weight:
    if name not in WEIGHTS:
        raise Trouble(f"No weights are called {name!r}; there are: {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A folder on the same disk as the weights, so that moving into place is one step; one command at a time."""
    folder = registry.folder()
    with locked(folder / "fetch.lock"):
        for left_behind in folder.glob("fetch-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=folder) as name:
            yield Path(name)


def megabytes(weight: Weight) -> str:
    return f"{weight.size / 1e6:.0f} MB" if weight.size else "size unknown"


def licence(weight: Weight) -> str:
    use = "commercial use allowed" if weight.commercial_use else "NO commercial use"
    return f"{weight.licence}: {use}; {weight.conditions}"


def show() -> int:
    for weight in WEIGHTS.values():
        present = registry.present(weight.name)
        mark, default = "here   " if present else "missing", " (default)" if weight.default else ""
        say(f"{mark}  {weight.name}{default}: {weight.role}, {megabytes(weight)}")
        say(f"         {licence(weight)}")
        if not present:
            say(f"         Without it: {weight.without} {weight.command}")
            continue
        for file in weight.files:
            if file.made_from:
                say(f"         {file.name}{origin(weight, file)}")
    return 0


def fetch_all(names: list[str]) -> int:
    """Fetch what is missing; one that cannot be had does not keep the others away."""
    wanted = [known(name) for name in names]
    failed = False
    for weight in wanted:
        if registry.present(weight.name):
            say(f"{weight.name}: here")
            continue
        try:
            say(f"{weight.name}: fetching, {megabytes(weight)}, {weight.licence}")
            fetch_one(weight)
        except Trouble as trouble:
            failed = True
            say(f"{weight.name}: not fetched. {weight.without}\n{trouble}")
    return int(failed)


def fetch_one(weight: Weight) -> None:
    if not all(file.sources for file in weight.files):
        raise Trouble(f"  It cannot be fetched; bring your own copy: {weight.command}")
    with scratch() as folder:
        for file in weight.files:
            target = registry.file_path(weight, file)
            size, _ = registry.expected(weight, file)
            if size is not None and target.is_file() and target.stat().st_size == size:
                continue
            for failure in fetch.fetch_file(weight, file, folder):
                say(f"  passed over {failure}")


def bring(name: str, given: list[Path]) -> int:
    """Take an operator's own files in, all of them right or none."""
    weight = known(name)
    from_checkpoints = all(file.made_from for file in weight.files)
    with scratch() as folder:
        arrivals = (checkpoints.bring if from_checkpoints else copied)(weight, given, folder)
        if weight.check:
            checkpoints.check(weight, folder)
        fetch.put_in_place(*arrivals)
    for file in weight.files:
        say(f"{name}: {file.name} is here{origin(weight, file)}")
    say(f"{name}: {licence(weight)}")
    if not weight.commercial_use:
        say("Engines that need it stay off until ALLOW_NONCOMMERCIAL_ENGINES=true is set (docs/deploy.md).")
    return 0


def copied(weight: Weight, given: list[Path], folder: Path) -> list[fetch.Arrival]:
    """Copies of the files given, each of them compared with what it should be."""
    sources = match_files(weight, given)
    arrivals = []
    for file in weight.files:
        candidate, source = folder / file.name, sources[file.name]
        shutil.copyfile(source, candidate)
        # Without a known hash the operator's file is trusted, now and each time it is imported anew.
        try:
            found = fetch.check(candidate, file.size, file.sha256)
        except SourceFailed as failure:
            raise Trouble(f"{source} is not {file.name} of {weight.name}: {failure}. Nothing was changed.")
        arrivals.append(
            fetch.Arrival(candidate, registry.file_path(weight, file), *found, f"import {source.resolve()}")
        )
    return arrivals


def origin(weight: Weight, file: File) -> str:
    """What there is to say of a file that is here and whose hash nobody could know; empty for others."""
    recorded = registry.provenance(weight, file)
    if checkpoint := recorded.get("made_from"):
        if checkpoint["published"]:
            return f", made from {checkpoint['name']} as it was published"
        return (
            f", made from {checkpoint['name']}, which is NOT the published {file.made_from.name} (a training of your "
            f"own?): its keys and shapes fit, its sha256 is {checkpoint['sha256']}"
        )
    return "" if file.sha256 else f", taken on trust; its sha256 {recorded['sha256']} holds from now on"


def match_files(weight: Weight, given: list[Path]) -> dict[str, Path]:
    """Which given file is meant for which of the weight's: one may have any name, several go by name."""
    for path in given:
        if not path.exists():
            raise Trouble(f"{path} does not exist")
    found = [inner for path in given for inner in (path.iterdir() if path.is_dir() else [path])]
    if len(weight.files) == 1 and len(found) == 1:
        return {weight.files[0].name: found[0]}
    by_name = {path.name: path for path in found if path.is_file()}
    if lacking := [file.name for file in weight.files if file.name not in by_name]:
        raise Trouble(f"{weight.name} also needs: {', '.join(lacking)}")
    return by_name


def verify(names: list[str]) -> int:
    """Compare full hashes. Missing weights count as wrong only when asked for by name."""
    wrong = False
    for weight in [known(name) for name in names] or WEIGHTS.values():
        if not registry.present(weight.name):
            lies_there = any(registry.file_path(weight, file).exists() for file in weight.files)
            wrong = wrong or bool(names) or lies_there
            say(f"{weight.name}: {registry.problem(weight.name)}")
            continue
        for file in weight.files:
            try:
                fetch.check(registry.file_path(weight, file), *registry.expected(weight, file))
                say(f"{weight.name}: {file.name} is right")
            except SourceFailed as failure:
                wrong = True
                say(f"{weight.name}: {file.name} is wrong, {failure}; get it again: {weight.command}")
    return int(wrong)
