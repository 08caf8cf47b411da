"""Bringing in published checkpoints: told apart, compared and made into safetensors by the Python that has torch."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

from devtools import fetch
from devtools.layout import PYTHON, REPOSITORY, Trouble
from devtools.setup import prepare, say
from preprocessing import weights
from preprocessing.pretrained import File, Weight


def bring(weight: Weight, given: list[Path], scratch: Path) -> list[fetch.Arrival]:
    """The files of a weight, made from an operator's checkpoints and ready to be put in place.

    Raises:
        Trouble: with all that is wrong with the files; nothing but `scratch` has been touched.
    """
    files = chosen(weight, given)
    say(f"{weight.name}: reading {', '.join(str(file) for file in files)}")
    request = {
        "files": [str(file) for file in files],
        "networks": {file.name: file.made_from.network for file in weight.files},
        "folder": str(scratch),
    }
    done = subprocess.run(
        [python_with_torch(), "-m", "tryon.engines.checkpoints"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
    )
    if done.returncode != 0:
        ended = f"The reading ended with {done.returncode}; was there memory enough?"
        lookup = map(published, weight.files) if done.returncode == 1 else ()
        raise Trouble("\n".join([done.stderr.strip() or ended, *lookup, "Nothing was changed."]))
    sources = json.loads(done.stdout)
    return [arrival(weight, file, Path(sources[file.name]), scratch / file.name) for file in weight.files]


def check(weight: Weight, folder: Path) -> None:
    """Have the files in a folder read by the weight's own check.

    Raises:
        Trouble: with all that is wrong with them.
    """
    say(f"{weight.name}: reading its {len(weight.files)} files")
    command = [python_with_torch(), "-m", weight.check, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    if done.returncode != 0:
        told = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-20:])
        raise Trouble(f"These files are not {weight.name}:\n{told}\nNothing was changed.")


def chosen(weight: Weight, given: list[Path]) -> list[Path]:
    """As many files as the weight has: those named, or those in a folder that bear the published names."""
    for path in given:
        if not path.exists():
            raise Trouble(f"{path} does not exist")
    names = [file.made_from.name for file in weight.files]
    # Files of any name: which is which is told by what is in them.
    files = [inner for path in given for inner in (map(path.joinpath, names) if path.is_dir() else [path])]
    files = list(dict.fromkeys(path.resolve() for path in files if path.is_file()))
    if len(files) != len(names):
        raise Trouble(f"{weight.name} needs {len(names)} files ({', '.join(names)}); {len(files)} were given")
    return files


def published(file: File) -> str:
    checkpoint = file.made_from
    return f"As published, {checkpoint.name} has {checkpoint.size} bytes and the sha256 {checkpoint.sha256}."


def arrival(weight: Weight, file: File, source: Path, candidate: Path) -> fetch.Arrival:
    original = {"name": source.name, "size": source.stat().st_size, "sha256": fetch.digest(source)}
    original["published"] = original["sha256"] == file.made_from.sha256
    size, sha256 = fetch.check(candidate, None, None)
    target = weights.file_path(weight, file)
    return fetch.Arrival(candidate, target, size, sha256, f"import {source}", {"made_from": original})


def python_with_torch() -> str:
    """Ours where it has the right torch, as in the image; else .venv's, made ready first."""
    wanted = re.search(r"^torch==(\S+)", (REPOSITORY / "requirements.txt").read_text(), re.MULTILINE)[1]
    try:
        here = importlib.metadata.version("torch").partition("+")[0]
    except importlib.metadata.PackageNotFoundError:
        here = None
    if here == wanted:
        return sys.executable
    prepare()
    return str(PYTHON)
