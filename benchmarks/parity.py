"""How far our maps and networks are from the papers' own, on recorded inputs and outputs.

    ./dev bench parity --data DIR            # DIR/hr_viton_small_A.npz: bytes that differ, 0 is the bar
    ./dev bench parity --pictures DIR        # DIR/image, DIR/image-densepose: how our DensePose map overlaps theirs

The npz holds a person's picture, parse map and joints, and the agnostic and parse-agnostic that HR-VITON made of them.
The pictures are in VITON-HD's folders; DensePose's are its label maps in HR-VITON's colours.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from preprocessing.labels import DensePose
from preprocessing.person.agnostic import agnostic, parse_agnostic
from preprocessing.person.densepose import densepose, labels_of

RECORDED = "hr_viton_small_A.npz"
# A part smaller than this share of the picture says nothing about how parts are found.
SMALLEST_PART = 0.002


def differing(ours: np.ndarray, theirs: np.ndarray) -> int:
    return int((ours != theirs).sum())


def maps(recorded: dict[str, np.ndarray]) -> dict[str, int]:
    """Bytes that differ, by map."""
    image, parse, points = (recorded[f"in_{name}"] for name in ("image_u8", "parse20_u8", "keypoints25x3"))
    no_densepose = np.zeros_like(parse)
    return {
        "agnostic": differing(agnostic("upper", image, parse, points, no_densepose), recorded["in_agnostic_u8"]),
        "parse_agnostic": differing(parse_agnostic("upper", parse, points), recorded["in_parse_agnostic20_u8"]),
    }


def overlaps(ours: np.ndarray, theirs: np.ndarray) -> dict[str, float]:
    """Intersection over union of two DensePose maps: of the body, and of each part that is large enough in theirs."""
    body = {"body": ((ours > 0), (theirs > 0))}
    parts = {part.name: (ours == part, theirs == part) for part in DensePose if part}
    large = {name: pair for name, pair in parts.items() if pair[1].mean() >= SMALLEST_PART}
    return {name: float((a & b).sum() / (a | b).sum()) for name, (a, b) in (body | large).items()}


def compare_densepose(folder: Path) -> None:
    from preprocessing.person.prepare import prepare_person  # heavy: the networks

    pictures = sorted((folder / "image-densepose").glob("*.[jp][pn]g"))
    if not pictures:
        sys.exit(f"no pictures in {folder / 'image-densepose'}")
    for path in pictures:
        image = np.asarray(Image.open(next((folder / "image").glob(f"{path.stem}.*"))).convert("RGB"))
        theirs = cv2.medianBlur(labels_of(np.asarray(Image.open(path).convert("RGB"))), 5)  # JPEG's specks
        ours = densepose(prepare_person(image))
        print(path.name)
        for name, overlap in overlaps(ours, theirs).items():
            print(f"  {name:24}{overlap:.2f}")


def compare_bytes(folder: Path) -> bool:
    path = folder / RECORDED
    if not path.is_file():
        sys.exit(f"{path} is not there; --data takes the folder that holds {RECORDED}")
    with np.load(path, allow_pickle=False) as recorded:
        found = maps(recorded)
    for name, bytes_off in found.items():
        print(f"{name:16}{bytes_off:>10} bytes differ")
    return not any(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--pictures", type=Path, metavar="DIR")
    given = parser.parse_args()
    if not (given.data or given.pictures):
        parser.error("--data or --pictures is needed")
    if given.pictures:
        compare_densepose(given.pictures)
    if given.data and not compare_bytes(given.data):
        sys.exit(1)


if __name__ == "__main__":
    main()
