"""Draws the sample shop's garments: `python -m sample.draw_garments [NAME ...]`.

Writes sample/garments/NAME.jpg and NAME.mask.png, and what is known exactly of each into
sample/garments/landmarks.json. The same command gives the same pictures: every random choice comes from the name.
"""

import argparse
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np

from sample.drawing import skirts, tops, trousers
from sample.drawing.cloth import FABRICS, Folds
from sample.drawing.geometry import HEIGHT, WIDTH, Stage
from sample.drawing.render import Camera
from sample.drawing.wardrobe import WARDROBE

HERE = Path(__file__).parent
QUALITIES = range(88, 60, -3)
LIMIT = 90_000  # bytes a picture


def photograph(name):
    """One garment of the wardrobe -> RGB uint8 (1200, 900, 3), mask uint8 (1200, 900), and its exact geometry."""
    item = WARDROBE[name]
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    stage = Stage(item.extent(), rng)
    folds = Folds(stage, FABRICS[item.fabric], rng)
    kind = {trousers.Trousers: trousers, skirts.Skirt: skirts}.get(type(item), tops)
    kind.crease(item, folds, rng)
    garment = kind.draw(item)
    picture, mask = Camera(stage, folds, rng).shoot(garment)
    return picture, mask, geometry(name, stage, garment)


def geometry(name, stage, garment):
    """What is known exactly of a picture, in its pixels, ready for JSON."""
    landmarks = {key: stage.pixels(point)[0] for key, point in garment.landmarks.items()}
    lowest = int(np.argmax([y for _, y in garment.neckline])) if garment.neckline else 0
    kept = [i for i in range(len(garment.neckline)) if i % 4 == 0 or i in (lowest, len(garment.neckline) - 1)]
    neckline = [stage.pixels(garment.neckline[i])[0] for i in kept]
    return {
        "size": [HEIGHT, WIDTH],
        "mask": f"{name}.mask.png",
        "landmarks": {key: np.round(point, 1).tolist() for key, point in landmarks.items()},
        "neckline": np.round(neckline, 1).tolist(),
    }


def save(name, picture, mask):
    folder = HERE / "garments"
    folder.mkdir(exist_ok=True)
    for quality in QUALITIES:
        options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
        data = cv2.imencode(".jpg", picture[..., ::-1], options)[1]
        if len(data) <= LIMIT:
            break
    (folder / f"{name}.jpg").write_bytes(data)
    # Sixteen steps of edge are as good as 256 to whoever cuts along it, and a third of the size.
    steps = np.round(mask / 17).astype(np.uint8) * 17
    cv2.imwrite(str(folder / f"{name}.mask.png"), steps, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="which to draw; all without")
    names = parser.parse_args().names or list(WARDROBE)
    notes = HERE / "garments" / "landmarks.json"
    known = json.loads(notes.read_text()) if notes.exists() else {}
    for name in names:
        picture, mask, known[name] = photograph(name)
        save(name, picture, mask)
        print(name, flush=True)
    ordered = {name: known[name] for name in WARDROBE if name in known}
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(entry)}" for name, entry in ordered.items())
    notes.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    main()
