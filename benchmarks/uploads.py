"""Time and memory that one upload can cost.

    python -m benchmarks.uploads               # the costliest inputs we know how to make
    python -m benchmarks.uploads --data DIR    # every file below a folder of hostile pictures

Each file is cleaned in a process of its own, so that the peak memory is that file's (the interpreter with numpy
and Pillow, about 50 MB, included).
"""

import argparse
import collections
import io
import multiprocessing
import os
import resource
import struct
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from preprocessing.errors import Refusal
from shop.images import clean_image

fork = multiprocessing.get_context("fork")


class Row(NamedTuple):
    outcome: str
    seconds: float
    peak_mb: float


def clean(path: Path, options: dict) -> Row:
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as warned, path.open("rb") as file:
        warnings.simplefilter("always")
        try:
            picture = clean_image(file, **options)
            outcome = f"{picture.format} {picture.width}x{picture.height}, {len(picture.content) / 1e6:.1f} MB"
        except Refusal as refusal:
            outcome = refusal.code
        except Exception as error:
            outcome = f"RAISED {type(error).__name__}: {error}"
    if warned:
        outcome = f"WARNED {warned[0].message}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Row(outcome, time.perf_counter() - start, peak)


def in_own_process(function: Callable, *arguments):
    ours, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=lambda: theirs.send(function(*arguments)))
    process.start()
    theirs.close()
    try:
        result = ours.recv()
    except EOFError:
        result = Row("DIED", float("nan"), float("nan"))
    process.join()
    return result


# --- The costliest inputs ---------------------------------------------------------------------------------
def noise(width: int, height: int, mode: str) -> Image.Image:
    """Blocks of noise: work for a decoder, in a file that stays below the limit of bytes."""
    channels = len(mode)
    small = np.random.default_rng(1).integers(0, 256, (height // 8 + 1, width // 8 + 1, channels), np.uint8)
    pixels = small.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    return Image.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())


def many_scans(path: Path, scans: int) -> None:
    """A progressive JPEG whose last scan is repeated: every scan is a pass over all coefficients."""
    buffer = io.BytesIO()
    Image.new("L", (5000, 5000), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * scans + b"\xff\xd9")


def many_segments(path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (512, 512)).save(buffer, "JPEG")
    path.write_bytes(b"\xff\xd8" + b"\xff\xe1\0\2" * 2_900_000 + buffer.getvalue()[2:])


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(path: Path, extra: bytes, width: int = 512, height: int = 512) -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\x80" * 3 * width) * height)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def text_bombs(path: Path) -> None:
    bomb = zlib.compress(bytes(100_000_000), 9)
    png_with(path, chunk(b"zTXt", b"Comment\0\0" + bomb) * 100)


def profile_bomb(path: Path) -> None:
    png_with(path, chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(1_000_000_000), 9)))


def exif_turning(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def picture(form: str, width: int, height: int, mode: str = "RGB", **options) -> Callable[[Path], None]:
    return lambda path: noise(width, height, mode).save(path, form, **options)


INPUTS = [
    ("JPEG 25 MP", picture("JPEG", 5000, 5000), {}),
    ("JPEG 25 MP, max_side 2048", picture("JPEG", 5000, 5000), {"max_side": 2048}),
    ("JPEG 24 MP, turned", picture("JPEG", 6000, 4000, exif=exif_turning(6)), {}),
    ("JPEG 24 MP, progressive", picture("JPEG", 6000, 4000, progressive=True), {}),
    ("JPEG 18 MP, progressive CMYK", picture("JPEG", 4500, 4000, "CMYK", progressive=True, subsampling=0), {}),
    ("JPEG 25 MP, 40 scans", lambda path: many_scans(path, 35), {}),
    ("JPEG 25 MP, 10,000 scans", lambda path: many_scans(path, 10_000), {}),
    ("PNG 25 MP", picture("PNG", 5000, 5000), {}),
    ("PNG 25 MP, alpha", picture("PNG", 5000, 5000, "RGBA"), {}),
    ("PNG 25 MP, alpha kept", picture("PNG", 5000, 5000, "RGBA"), {"keep_alpha": True}),
    ("PNG 25 MP, alpha, max_side 2048", picture("PNG", 5000, 5000, "RGBA"), {"keep_alpha": True, "max_side": 2048}),
    ("PNG 169 MP of one bit", lambda path: Image.new("1", (13_000, 13_000)).save(path, "PNG"), {}),
    ("PNG, 10 GB of zipped text", text_bombs, {}),
    ("PNG, 1 GB of zipped profile", profile_bomb, {}),
    ("PNG, 90,000 empty data chunks", lambda path: png_with(path, chunk(b"IDAT", b"") * 90_000), {}),
    ("PNG, 900,000 empty chunks", lambda path: png_with(path, chunk(b"tEXt", b"") * 900_000), {}),
    ("JPEG, 2.9 million empty segments", many_segments, {}),
    ("WebP 12 MP", picture("WEBP", 4000, 3000), {}),
    ("WebP 12 MP, lossless with alpha", picture("WEBP", 4000, 3000, "RGBA", lossless=True, method=0), {}),
    ("WebP 25 MP", picture("WEBP", 5000, 5000, method=0), {}),
]


def costliest(folder: Path) -> None:
    print(f"{'input':34} {'file':>8} {'time':>8} {'peak':>8}  outcome")
    for name, make, options in INPUTS:
        path = folder / "input"
        in_own_process(make, path)
        row = in_own_process(clean, path, options)
        size = path.stat().st_size / 1e6
        print(f"{name:34} {size:5.1f} MB {row.seconds:6.2f} s {row.peak_mb:5.0f} MB  {row.outcome}")


def all_below(folder: Path) -> None:
    """One row a sub-folder, then the slowest and the largest, then whatever must not happen."""
    rows = {path: in_own_process(clean, path, {"min_side": 1}) for path in sorted(folder.rglob("*")) if path.is_file()}
    groups = collections.defaultdict(collections.Counter)
    for path, row in rows.items():
        groups[path.parent.relative_to(folder).as_posix()][row.outcome.split()[0]] += 1
    for group, outcomes in groups.items():
        counts = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
        print(f"{group:20} {sum(outcomes.values()):4}  {counts}")
    print(f"{'all':20} {len(rows):4}")
    for title, key in (("slowest", lambda item: item[1].seconds), ("largest", lambda item: item[1].peak_mb)):
        path, row = max(rows.items(), key=key)
        print(f"{title}: {row.seconds:.2f} s, {row.peak_mb:.0f} MB, {path.relative_to(folder)}: {row.outcome}")
    for path, row in rows.items():
        if row.outcome.startswith(("RAISED", "WARNED", "DIED")):
            print(f"{path.relative_to(folder)}: {row.outcome}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory that one upload can cost.")
    parser.add_argument("--data", type=Path, help="a folder of pictures, hostile ones for instance")
    arguments = parser.parse_args()
    if arguments.data and not arguments.data.is_dir():
        parser.error(f"{arguments.data} is not a folder")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    os.environ.setdefault("SECRET_KEY", "unused by this command")
    if arguments.data:
        all_below(arguments.data)
        return
    with tempfile.TemporaryDirectory() as folder:
        costliest(Path(folder))


if __name__ == "__main__":
    main()
