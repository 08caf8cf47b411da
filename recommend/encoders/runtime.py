"""Networks in ONNX Runtime: half the memory of torch or less, and no import of it in a worker that stays.

What ONNX Runtime needs is made from the weights once, in a process of its own (recommend/encoders/exports), and kept
in `cache/` beside them.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from preprocessing import weights
from preprocessing.errors import Refusal, gettext_noop

EXPORT_SECONDS = 900


def session(file: Path):
    """An `onnxruntime.InferenceSession` on one thread: a worker has more processes than cores."""
    import onnxruntime  # workers only

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def exported(name: str, module: str, *arguments: str) -> Path:
    """The file or folder `name` of the cache; made by `module` of recommend.encoders.exports when it is not there.

    Raises:
        Refusal: encoder.not_exported.
    """
    target = cache_folder() / name
    if not target.exists():
        with (target.parent / "export.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of all workers one does the work
            if not target.exists():
                export(module, arguments, target)
    return target


def cache_folder() -> Path:
    """Beside the weights; where that cannot be written, this user's own in the machine's temporary folder."""
    beside = weights.folder() / "cache"
    try:
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside
    except OSError:
        pass
    own = Path(tempfile.gettempdir()) / f"fitroom-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.lstat().st_uid != os.getuid():
        raise PermissionError(f"{own} belongs to someone else; what lies there cannot be trusted")
    return own


def export(module: str, arguments: tuple[str, ...], target: Path) -> None:
    """Write `target` at once or not at all. In a process of its own, so that no worker keeps torch in memory."""
    for left_behind in target.parent.glob("export-*/"):
        shutil.rmtree(left_behind, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=target.parent) as aside:
        made = Path(aside) / target.name
        command = [sys.executable, "-m", f"recommend.encoders.exports.{module}", *arguments, str(made)]
        try:
            done = subprocess.run(
                command, cwd=weights.REPOSITORY, capture_output=True, text=True, timeout=EXPORT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise _not_exported(f"{module}: not done in {EXPORT_SECONDS} s") from late
        if done.returncode:
            raise _not_exported(done.stderr.strip()[-2000:])
        os.replace(made, target)


def _not_exported(reason: str) -> Refusal:
    return Refusal(
        "encoder.not_exported",
        gettext_noop("The encoder could not be set up. The log of the worker says why."),
        reason,
    )
