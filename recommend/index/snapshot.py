"""Snapshots: an index's columns as files that all processes of a machine map and so share.

A snapshot is a folder that appears by one rename, complete, and is never changed. Its name holds the number of the
newest change in it and the digest of its manifest, and the manifest holds the digest of every file. It is made from
the database and may be deleted at any time.
"""

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recommend.index.base import Source
from recommend.index.block import Block, Reach
from recommend.index.columns import Columns, Key
from recommend.index.load import Truth

log = logging.getLogger(__name__)

FORMAT = 1  # raised when the files mean something else
MANIFEST = "manifest.json"
KEPT = 3  # the newest ones; older ones go
NAME = re.compile(r"(\d{15})-([0-9a-f]{16})")
UNFINISHED = ".unfinished-"


class SnapshotRefused(Exception):
    """It is not, or no longer, what was written."""


@dataclass(frozen=True)
class Manifest:
    version: str  # the folder's name
    source: Source
    tables: str  # as in `load.Truth`
    seq: int
    count: int
    dim: int
    reach: Reach | None
    keys: tuple[Key, ...]
    brand_names: tuple[str, ...]
    colour_names: tuple[str, ...]
    files: dict[str, dict[str, Any]]  # by name: "bytes" and "sha256"

    def fits(self, truth: Truth) -> bool:
        """Whether it was made of this database, no later than this, and by the encoder served."""
        return (self.source, self.tables) == (truth.source, truth.tables) and self.seq <= truth.seq


def versions(folder: Path) -> list[str]:
    """Newest first; none where the folder cannot be read."""
    try:
        return sorted(filter(NAME.fullmatch, os.listdir(folder)), reverse=True)
    except OSError:
        return []


def read_manifest(folder: Path, version: str) -> Manifest:
    """Raises:
    SnapshotRefused: it is not as it was written, or files are missing or of another size.
    """
    try:
        text = (folder / version / MANIFEST).read_bytes()
        if hashlib.sha256(text).hexdigest()[:16] != NAME.fullmatch(version)[2]:
            raise SnapshotRefused(f"{version}: the manifest was changed")
        values = json.loads(text)
        if values.pop("format") != FORMAT:
            raise SnapshotRefused(f"{version}: another format")
        for name, file in values["files"].items():
            if (folder / version / name).stat().st_size != file["bytes"]:
                raise SnapshotRefused(f"{version}: {name} has another size")
    except OSError as error:
        raise SnapshotRefused(f"{version}: {error}") from error
    names = {name: tuple(values.pop(name)) for name in ("brand_names", "colour_names")}
    names["keys"] = tuple(Key(*key) for key in values.pop("keys"))
    reach = values.pop("reach")
    return Manifest(
        version=version, source=Source(**values.pop("source")), reach=reach and Reach(*reach), **names, **values
    )


def read(folder: Path, version: str) -> tuple[Manifest, Block]:
    """A snapshot, mapped. Every byte is read once and compared with its digest: a second for a million garments.

    Raises:
        SnapshotRefused: it is not what was written.
    """
    manifest = read_manifest(folder, version)
    arrays = {}
    for name, file in manifest.files.items():
        path = folder / version / name
        try:
            with path.open("rb") as opened:
                if hashlib.file_digest(opened, "sha256").hexdigest() != file["sha256"]:
                    raise SnapshotRefused(f"{version}: {name} was changed")
            arrays[path.stem] = _mapped(path)
        except OSError as error:
            raise SnapshotRefused(f"{version}: {error}") from error
    columns = Columns(
        dim=manifest.dim, keys=manifest.keys, brand_names=manifest.brand_names, colour_names=manifest.colour_names,
        **arrays,
    )  # fmt: skip
    return manifest, Block(columns, manifest.reach)


def _mapped(path: Path) -> np.ndarray:
    # As a plain array: slices of a memmap take three times as long. An empty file of numbers cannot be mapped.
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)


def write(folder: Path, columns: Columns, truth: Truth, reach: Reach | None) -> str:
    """Store columns that hold all changes up to `truth.seq`; returns the version. One process at a time may write."""
    folder.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        place.chmod(0o755)  # web may run as another user than the worker
        files = {f"{name}.npy": _store(place / f"{name}.npy", getattr(columns, name)) for name in Columns.arrays()}
        manifest = {
            "format": FORMAT, "source": asdict(truth.source), "tables": truth.tables, "seq": truth.seq,
            "count": len(columns), "dim": columns.dim, "reach": reach, "keys": columns.keys,
            "brand_names": columns.brand_names, "colour_names": columns.colour_names, "files": files,
        }  # fmt: skip
        text = json.dumps(manifest, ensure_ascii=False).encode()
        with (place / MANIFEST).open("wb") as file:
            file.write(text)
            _sync(file)
        version = f"{truth.seq:015d}-{hashlib.sha256(text).hexdigest()[:16]}"
        _sync_folder(place)
        place.rename(folder / version)
        _sync_folder(folder)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return version


def _store(path: Path, array: np.ndarray) -> dict[str, Any]:
    with path.open("w+b") as file:
        np.save(file, array, allow_pickle=False)
        _sync(file)
        file.seek(0)
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _sync(file) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def tidy(folder: Path, truth: Truth) -> None:
    """Delete old snapshots, those that are unsound or of another database, and what a killed writer left.

    Processes that have one mapped keep it.
    """
    kept = 0
    for version in versions(folder):
        try:
            own = read_manifest(folder, version).tables == truth.tables
        except SnapshotRefused:
            own = False
        kept += own
        if not own or kept > KEPT:
            shutil.rmtree(folder / version, ignore_errors=True)
    for left in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
