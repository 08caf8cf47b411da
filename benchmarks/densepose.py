"""How far our DensePose map is from DensePose's own, on pictures of people that have both.

    ./dev bench densepose --data DIR         # DIR/image, DIR/image-densepose: how the two overlap

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
from preprocessing.person.densepose import densepose, labels_of

# A part smaller than this share of the picture says nothing about how parts are found.
SMALLEST_PART = 0.002


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="DIR", required=True)
    compare_densepose(parser.parse_args().data)


if __name__ == "__main__":
    main()
