"""./dev bench retrieval --data DIR: how often the garments an encoder finds are right.

DIR holds catalogue/ and catalogue/labels.csv with the columns file, class, group_id (equal for one design), view
("main" is the front) and colour. CLIP is measured where RECOMMEND_CLIP names one whose weights are there, in both
precisions.
"""

import argparse
import csv
import json
import os
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from django.conf import settings
from PIL import Image

from preprocessing.garment.prepare import prepare_garment
from recommend.encoders.clip import PRECISIONS, Clip
from recommend.encoders.colour import Colour
from recommend.encoders.efficientnet import COLOUR_SHARE, EfficientNet
from recommend.encoders.vectors import joined, unit
from recommend.tasks import with_mask

LOWER, DRESS = {"pants", "shorts", "skirt", "trousers"}, {"dress"}
NEAREST = 5
THUMBNAIL = 8  # pixels a side


def read_catalogue(data: Path) -> tuple[list[dict], list[np.ndarray]]:
    """The rows of the labels, and each picture as an encoder takes it."""
    labels = data / "catalogue" / "labels.csv"
    if not labels.is_file():
        raise SystemExit(f"{labels} is not there; give a folder with catalogue/labels.csv by --data")
    with labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = []
    for done, row in enumerate(rows, 1):
        category = "lower" if row["class"] in LOWER else "dress" if row["class"] in DRESS else "upper"
        with Image.open(data / row["file"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        try:
            pictures.append(with_mask(prepare_garment(pixels, category)))
        except Exception as error:  # the shop embeds a picture whole when its analysis fails
            print(f"\n{row['file']}: {error!r}")
            pictures.append(pixels)
        print(f"\r{done} of {len(rows)} pictures prepared", end="", flush=True)
    print()
    return rows, pictures


def encoded(pictures: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Unit rows by the name of what made them."""
    looks, colour = EfficientNet().looks(pictures), Colour().encode(pictures)
    sets = {
        "colour and thumbnail": joined([(0.5, colour), (0.5, thumbnails(pictures))]),
        "colour": colour,
        "EfficientNet-Lite2": looks,
    }
    for share in (0.04, COLOUR_SHARE, 0.1, 0.2, 0.4):
        sets[f"EfficientNet-Lite2 with {share:.0%} colour"] = joined([(1 - share, looks), (share, colour)])
    if settings.RECOMMEND_CLIP:
        for precision in PRECISIONS:
            clip = Clip(settings.RECOMMEND_CLIP, precision)
            if problem := clip.problem():
                raise SystemExit(problem)
            seen = clip.encode(pictures)
            sets[f"{clip.label}, {precision}"] = seen
            sets[f"{clip.label}, {precision}, with {COLOUR_SHARE:.0%} colour"] = joined(
                [(1 - COLOUR_SHARE, seen), (COLOUR_SHARE, colour)]
            )
    return sets


def thumbnails(pictures: list[np.ndarray]) -> np.ndarray:
    """The whole picture at 8 x 8, about its mean."""
    small = [
        Image.fromarray(np.ascontiguousarray(picture[..., :3])).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        for picture in pictures
    ]
    rows = np.array([np.asarray(image, np.float32).ravel() for image in small])
    return unit(rows - rows.mean(axis=1, keepdims=True))


def retrieval(vectors: np.ndarray, rows: list[dict]) -> dict[str, float]:
    """Shares, each picture asking in turn.

    class P@5: of the five nearest of other designs, those of its class. design hit@5: whether one of the five nearest
    is of its design, of pictures whose design has another. kind R@1: as the first, of the one nearest. colour R@1: of
    named colours, among the fronts of its class and of other designs.
    """
    kind, design, view, colour = (
        np.array([row[key] for row in rows]) for key in ("class", "group_id", "view", "colour")
    )
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    same = design[:, None] == design[None]
    others = np.argsort(-np.where(same, -2, scores), axis=1, kind="stable")[:, :NEAREST]
    all_nearest = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
    found = (design[all_nearest] == design[:, None]).any(axis=1)
    named = (view == "main") & (colour != "")
    beside = np.where(~same & named[None] & (kind[:, None] == kind[None]), scores, -2).argmax(axis=1)
    return {
        f"class P@{NEAREST}": float((kind[others] == kind[:, None]).mean()),
        f"design hit@{NEAREST}": float(found[same.sum(axis=1) > 1].mean()),
        "class R@1": float((kind[others[:, 0]] == kind).mean()),
        "colour R@1": float((colour[beside] == colour)[named].mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with catalogue/labels.csv")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    rows, pictures = read_catalogue(options.data)
    found = {name: retrieval(vectors, rows) for name, vectors in encoded(pictures).items()}
    for name, figures in found.items():
        print(f"{name:48}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
