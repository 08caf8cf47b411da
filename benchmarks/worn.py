"""./dev bench worn --data DIR [--sheet FILE]: searching by a photo of somebody who wears the garment.

DIR holds catalogue/ with labels.csv (benchmarks/retrieval.py), where the view "flat" shows no person, pairs.csv with
the columns person, garment, cloth_type and relation ("paired": that very garment is worn), and garment pictures in
garment/ and annotated/. Each catalogue picture with a person asks for its design among all other pictures, each
paired person for the garment's own. What recommend/sight.py cuts out is compared with the whole photo. FILE shows
photos, what was cut out of them and the first five found.
"""

import argparse
import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from PIL import Image, ImageOps

from benchmarks.retrieval import category, prepared, read_labels
from preprocessing.errors import Refusal
from recommend import sight
from recommend.encoders import Encoder
from recommend.encoders.joined import BOTH, EFFICIENTNET
from recommend.encoders.vectors import amid

HITS = 1, 5, 10
NEAREST = 5
NOT_WORN_THERE = {"shoes", "hat"}  # not upper, lower or dress
SIDE, COLUMNS, ROWS = 150, 7, 12  # a sheet's pictures in pixels; photo, cut-out and five found; photos on it


# What may be compared of an `Asked`, by name.
SEARCHED = "cut out and as worn"
WAYS = {
    SEARCHED: lambda one: one.seen,
    "cut out": lambda one: one.seen[:1],
    "as worn": lambda one: one.seen[-1:],
    "whole": lambda one: (one.whole,),
}


@dataclass(frozen=True)
class Shown:
    """A picture of the gallery. `design` is equal for one design, `kind` is empty where no label says it."""

    file: str
    design: str
    kind: str
    category: str
    flat: bool


@dataclass(frozen=True)
class Asked:
    """A photo, and what is worn on it.

    Attributes:
        seen: what is searched for of it; its vector lies amid theirs.
        found: whether that is the garment meant, cut out of a person.
    """

    shown: Shown
    whole: np.ndarray
    seen: tuple[np.ndarray, ...]
    found: bool


def read_gallery(data: Path) -> list[Shown]:
    gallery = []
    for row in read_labels(data):
        worn = "other" if row["class"] in NOT_WORN_THERE else category(row["class"])
        gallery.append(Shown(row["file"], row["group_id"], row["class"], worn, row["view"] == "flat"))
    for file in sorted([*data.glob("garment/*/*"), *data.glob("annotated/**/cloth/*")]):
        worn = "upper" if file.parent.name == "cloth" else file.parent.name
        gallery.append(Shown(str(file.relative_to(data)), str(file), "", worn, True))
    return gallery


def read_photos(data: Path, gallery: list[Shown]) -> list[Asked]:
    worn = [shown for shown in gallery if not shown.flat]
    with (data / "pairs.csv").open(newline="") as file:
        pairs = [row for row in csv.DictReader(file) if row["relation"] == "paired"]
    worn += [Shown(row["person"], str(data / row["garment"]), "", row["cloth_type"], False) for row in pairs]
    asked = []
    for done, shown in enumerate(worn, 1):
        asked.append(look_at(shown, read(data / shown.file)))
        print(f"\r{done} of {len(worn)} photos looked at", end="", flush=True)
    print()
    return asked


def look_at(shown: Shown, photo: np.ndarray) -> Asked:
    try:
        seen = sight.look(photo)
    except Refusal as refusal:
        print(f"\n{shown.file}: {refusal}")
        return Asked(shown, photo, (photo,), False)
    # The shopper chooses among what was seen; where the garment meant is not among it, the largest is compared.
    meant = next((one for one in seen if one.part == shown.category), None)
    return Asked(shown, photo, (meant or seen[0]).pictures, meant is not None)


def read(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def figures(queries: np.ndarray, vectors: np.ndarray, asked: list[Asked], gallery: list[Shown]) -> dict[str, float]:
    """Shares.

    design hit@k, own picture hit@k: of catalogue photos whose design has another picture, and of pairs. class P@5: of
    the five nearest of other designs, of catalogue photos. class P@5, flat: as that, among pictures without a person,
    of the classes these have. category P@5, flat: of upper, lower or dress.
    """
    names = ("design", "kind", "category", "file", "flat")
    design, kind, part, file, flat = (np.array([getattr(shown, name) for shown in gallery]) for name in names)
    hits: dict[str, list[bool]] = {}
    kinds, flat_kinds, parts = [], [], []
    for query, one in zip(queries, asked, strict=True):
        scores = np.where(file == one.shown.file, -2, vectors @ query)
        order = np.argsort(-scores, kind="stable")
        right = design[order] == one.shown.design
        name = "design" if one.shown.kind else "own picture"
        if ((design == one.shown.design) & (file != one.shown.file)).any():
            for k in HITS:
                hits.setdefault(f"{name} hit@{k}", []).append(bool(right[:k].any()))
        others = order[~right]
        if one.shown.kind:
            kinds.append((kind[others[kind[others] != ""][:NEAREST]] == one.shown.kind).mean())
        if one.shown.kind and one.shown.kind in kind[flat]:
            labelled = others[flat[others] & (kind[others] != "")]
            flat_kinds.append((kind[labelled[:NEAREST]] == one.shown.kind).mean())
        parts.append((part[others[flat[others]][:NEAREST]] == one.shown.category).mean())
    shares = {name: float(np.mean(values)) for name, values in hits.items()}
    return shares | {
        f"class P@{NEAREST}": float(np.mean(kinds)),
        f"class P@{NEAREST}, flat": float(np.mean(flat_kinds)),
        f"category P@{NEAREST}, flat": float(np.mean(parts)),
    }


def sheet(asked: list[Asked], queries: np.ndarray, vectors: np.ndarray, gallery: list[Shown], data: Path):
    """A `PIL.Image.Image`: rows of photo, cut-out and the first five found, of photos from all over the list."""
    rows = np.linspace(0, len(asked) - 1, min(ROWS, len(asked))).astype(int)
    drawn = Image.new("RGB", (COLUMNS * SIDE, len(rows) * SIDE), "grey")
    for y, row in enumerate(rows):
        one = asked[row]
        scores = np.where([shown.file == one.shown.file for shown in gallery], -2, vectors @ queries[row])
        found = [read(data / gallery[place].file) for place in np.argsort(-scores)[: COLUMNS - 2]]
        for x, picture in enumerate([one.whole, one.seen[0][..., :3], *found]):
            small = ImageOps.contain(Image.fromarray(np.ascontiguousarray(picture)), (SIDE - 4, SIDE - 4))
            drawn.paste(small, (x * SIDE + 2, y * SIDE + 2))
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with catalogue/labels.csv and pairs.csv")
    parser.add_argument("--sheet", type=Path, help="draw photos, cut-outs and what was found there")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    data = options.data
    gallery = read_gallery(data)
    asked = read_photos(data, gallery)
    print(f"{len(asked)} photos; of {sum(one.found for one in asked)} the garment meant was cut out")
    # The shop has no category for shoes and hats; they go as tops.
    pictures = [prepared(data / one.file, one.category.replace("other", "upper")) for one in gallery]
    told = {}
    encoders: list[Encoder] = [encoder for encoder in (EFFICIENTNET, BOTH) if not encoder.problem()]
    for encoder in encoders:
        vectors = encoder.encode(pictures)
        for name, looks in WAYS.items():
            queries = np.stack([amid(encoder.encode(list(looks(one)))) for one in asked])
            told[f"{encoder.label}, {name}"] = found = figures(queries, vectors, asked, gallery)
            print(f"{encoder.label}, {name}:", *(f"{key} {value:.3f}" for key, value in found.items()), sep="  ")
            if options.sheet and name == SEARCHED:
                sheet(asked, queries, vectors, gallery, data).save(options.sheet)
    if options.json:
        options.json.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
