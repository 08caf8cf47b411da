"""What a network that makes a map costs, how right it is, and sheets to judge it by.

    ./dev bench networks                              # time and memory of each whose file is here
    ./dev bench networks --data DIR                   # and the clothes of DIR/annotated's people against their maps
    ./dev bench networks --try NAME PICTURE ... --sheet OUT.png

Seconds are through the network's own process: the first answer with loading, then the median of three, waited and CPU.
Memory is that process's peak, and what it holds between two pictures.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import psutil
from PIL import Image

from preprocessing import networks
from preprocessing.labels import BOTTOMS, TOPS, Parse
from preprocessing.networks import Network, NetworkFailed, clothes
from preprocessing.networks.own_process import Process
from preprocessing.person.prepare import prepare_person, working_size

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
HEIGHT = 400


def pixels(path: Path) -> np.ndarray:
    return working_size(np.asarray(Image.open(path).convert("RGB")))


def memory_mb(process: Process) -> tuple[float, float]:
    """Peak and present memory of a network's process."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    kilobytes = {
        name: int(value.split()[0]) for name, _, value in (line.partition(":") for line in lines) if "kB" in value
    }
    return kilobytes["VmHWM"] / 1024, kilobytes["VmRSS"] / 1024


def cost(network: Network, image: np.ndarray) -> None:
    process, waited, worked = Process(network), [], [0.0]
    for _ in range(4):
        start = time.perf_counter()
        process.look(image)
        waited.append(time.perf_counter() - start)
        worked.append(sum(psutil.Process(process.pid).cpu_times()[:2]))
    peak, idle = memory_mb(process)
    process.end()
    print(
        f"{network.name:18} first {waited[0]:.1f} s, then {statistics.median(waited[1:]):.1f} s "
        f"({statistics.median(np.diff(worked)[1:]):.1f} CPU s); peak {peak:.0f} MB, between pictures {idle:.0f} MB"
    )


def overlap(found: np.ndarray, truth: np.ndarray, labels: tuple[Parse, ...]) -> str:
    """IoU of a group of labels; "-" where the truth has none of them."""
    one, other = np.isin(found, labels), np.isin(truth, labels)
    return f"{(one & other).sum() / (one | other).sum():.3f}" if other.any() else "-"


def compare(network: Network, data: Path) -> None:
    pairs = [
        (image, image.parent.parent / "image-parse-v3" / f"{image.stem}.png")
        for image in sorted(data.glob("annotated/*/test/image/*.jpg"))
    ]
    if not pairs:
        sys.exit(f"{data} has no annotated/*/test/image; --data takes a folder in the layout of VITON-HD")
    process = Process(network)
    for path, annotation in pairs:
        person = prepare_person(pixels(path))
        truth = np.asarray(Image.open(annotation).resize(person.image.shape[1::-1], Image.Resampling.NEAREST))
        seen = process.look(person.image)
        both = clothes.with_clothes(person.parse, seen, network) if clothes.sees_clothes_alone(network) else seen
        for part, labels in (("upper", TOPS), ("lower", BOTTOMS), ("dress", (Parse.DRESS,))):
            scores = (overlap(found, truth, labels) for found in (person.parse, seen, both))
            if scores := [score for score in scores if score != "-"]:
                print(f"{path.stem} {part}: our own {scores[0]}, {network.name} {scores[1]}, together {scores[2]}")
    process.end()


def drawn(network: Network, image: np.ndarray, found: np.ndarray) -> np.ndarray:
    """A picture with its map over it."""
    if network.role == "keypoints":
        canvas = image.copy()
        for x, y, confidence in found:
            if confidence:
                cv2.circle(canvas, (round(float(x)), round(float(y))), 5, (255, 0, 200), -1)
        return canvas
    if network.role == "cloth_mask":
        return np.round(image * found[..., None] + (1 - found[..., None]) * (255, 0, 255)).astype(np.uint8)
    colours = cv2.applyColorMap((np.arange(256) * 10 % 256).astype(np.uint8)[:, None], cv2.COLORMAP_HSV)[:, 0]
    return np.where(found[..., None] > 0, image // 2 + colours[found] // 2, image)


def sheet(network: Network, pictures: list[Path], out: Path) -> None:
    process, rows = Process(network), []
    for path in pictures:
        image = pixels(path)
        try:
            found = process.look(image)
        except NetworkFailed as failure:
            sys.exit(str(failure))
        row = np.hstack([image, drawn(network, image, found)])
        rows.append(
            cv2.resize(row, (round(row.shape[1] * HEIGHT / row.shape[0]), HEIGHT), interpolation=cv2.INTER_AREA)
        )
    process.end()
    width = max(row.shape[1] for row in rows)
    Image.fromarray(np.vstack([np.pad(row, ((0, 4), (0, width - row.shape[1]), (0, 0))) for row in rows])).save(out)
    print(f"{len(rows)} pictures in {out}")


def main() -> None:
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--try", dest="name")
    parser.add_argument("--sheet", type=Path, default=Path("networks.png"))
    parser.add_argument("pictures", type=Path, nargs="*")
    options = parser.parse_args()
    known = networks.declared()
    if options.name:
        if options.name not in known or not options.pictures:
            parser.error(f"--try takes one of {', '.join(known)}, and pictures")
        sheet(known[options.name], options.pictures, options.sheet)
        return
    image = pixels(next(iter(sorted((SAMPLE / "garments").glob("*.jpg")))))
    for network in known.values():
        if network.problem:
            print(f"{network.name:18} not here: {network.problem}")
            continue
        cost(network, image)
        if options.data and network.role == "parse":
            compare(network, options.data)


if __name__ == "__main__":
    main()
