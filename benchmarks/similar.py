"""How fast and how good similar garments are.

    ./dev bench similar                      # times: an index of 1k, 10k and 100k garments; encoding a picture
    ./dev bench similar --data DIR           # and how often the nearest is of the same kind and design

Times are of whole calls of `recommend.services.similar`, database included, with random vectors; the garments are
made in a transaction that is undone. DIR holds catalogue/ and catalogue/labels.csv with the columns file, class,
group_id (equal for one design), view ("main" is the front) and colour.
"""

import argparse
import csv
import json
import os
import time
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from django.db import transaction
from PIL import Image

from preprocessing.garment.prepare import prepare_garment
from recommend import encoders, index, services
from recommend.encoders.colour import Colour
from recommend.encoders.efficientnet import COLOUR_SHARE, EfficientNet
from recommend.encoders.vectors import joined, unit
from recommend.tasks import with_mask
from shop.models import Garment, GarmentPicture

LINE = (
    "{garments:>7} garments: index {build_s:.2f} s, {megabytes:.0f} MB; one added {swap_ms:.1f} ms; "
    "search p50 {search_p50_ms:.2f} p99 {search_p99_ms:.2f} ms; similar p50 {p50_ms:.1f} p99 {p99_ms:.1f} ms"
)
DIM = 480
CALLS = 200
LOWER, DRESS = {"pants", "shorts", "skirt", "trousers"}, {"dress"}


def time_calls(sizes: list[int]) -> list[dict]:
    rows = []
    for size in sizes:
        with transaction.atomic():
            garments = made_garments(size)
            rows.append({"garments": size} | time_size(garments))
            transaction.set_rollback(True)
        print(LINE.format(**rows[-1]))
    return rows


def made_garments(count: int) -> list[Garment]:
    """Three categories and genders, two colours a design, a picture each."""
    garments = Garment.objects.bulk_create(
        [
            Garment(
                sku=f"bench-{number}", slug=f"bench-{number}", title=f"Garment {number}", product_type="tee",
                category=Garment.Category.values[number % 3], gender=Garment.Gender.values[number // 3 % 3],
                colour=("red", "blue")[number % 2], design=f"bench-{number // 2}", price=10, published=True,
            )
            for number in range(count)
        ],
        batch_size=2000,
    )  # fmt: skip
    GarmentPicture.objects.bulk_create(
        [GarmentPicture(garment=g, image="none.jpg", width=1, height=1, sha256=g.sku) for g in garments],
        batch_size=2000,
    )
    return garments


def time_size(garments: list[Garment]) -> dict:
    rng = np.random.default_rng(0)
    vectors = unit(rng.standard_normal((len(garments), DIM), dtype=np.float32)).astype(np.float16)
    items = [
        index.Item(garment.pk, index.Key(garment.category, garment.gender, garment.age_group), garment.design, vector)
        for garment, vector in zip(garments, vectors, strict=True)
    ]
    build, snapshot = timed(lambda: index.Snapshot(index.Source("bench", "1", "Bench")).replaced([], items, 1))
    swap, _ = timed(lambda: snapshot.replaced([items[0].garment_id], items[:1], 2))
    index.current = lambda: snapshot
    asked = [garments[place] for place in rng.integers(0, len(garments), CALLS)]
    calls = [timed(lambda garment=garment: services.similar(garment))[0] for garment in asked]
    searches = [timed(lambda garment=garment: search(snapshot, garment))[0] for garment in asked]
    return {
        "build_s": build,
        "megabytes": sum(part.index.ntotal * part.index.code_size for part in snapshot.parts.values()) / 1e6,
        "swap_ms": 1000 * swap,
        **{f"search_{name}": value for name, value in percentiles(searches).items()},
        **percentiles(calls),
    }


def search(snapshot: index.Snapshot, garment: Garment) -> list[index.Hit]:
    keys = [
        index.Key(garment.category, gender, garment.age_group) for gender in services.genders_beside(garment.gender)
    ]
    return snapshot.search(snapshot.vector(garment.pk), 48, keys)


def timed(function) -> tuple[float, object]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def percentiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{share}_ms": 1000 * float(np.percentile(seconds, share)) for share in (50, 99)}


def time_encoding() -> dict:
    """Of the default encoder and of the one of the settings, a picture at a time."""
    picture = np.random.default_rng(0).integers(0, 256, (1024, 768, 3), np.uint8)
    rows = {}
    for encoder in {encoder.name: encoder for encoder in (EfficientNet(), encoders.wanted())}.values():
        encoder.encode([picture])
        rows[encoder.label] = percentiles([timed(lambda e=encoder: e.encode([picture]))[0] for _ in range(15)])
        print(f"{encoder.label}: p50 {rows[encoder.label]['p50_ms']:.0f} ms a picture")
    return rows


def read_catalogue(data: Path) -> tuple[list[dict], list[np.ndarray]]:
    labels = data / "catalogue" / "labels.csv"
    if not labels.is_file():
        raise SystemExit(f"{labels} is not there; give a folder with catalogue/labels.csv by --data")
    with labels.open(newline="") as file:
        rows = list(csv.DictReader(file))
    pictures = []
    for done, row in enumerate(rows, 1):
        category = "lower" if row["class"] in LOWER else "dress" if row["class"] in DRESS else "upper"
        with Image.open(data / row["file"]) as image:
            pictures.append(with_mask(prepare_garment(np.asarray(image.convert("RGB")), category)))
        print(f"\r{done} of {len(rows)} pictures prepared", end="", flush=True)
    print()
    return rows, pictures


def measure_retrieval(data: Path) -> dict:
    rows, pictures = read_catalogue(data)
    looks, colour = EfficientNet().looks(pictures), Colour().encode(pictures)
    sets = {
        f"colour weighs {share}": joined([(1 - share, looks), (share, colour)])
        for share in (0.0, COLOUR_SHARE, 0.1, 0.2, 0.4)
    }
    wanted = encoders.wanted()
    if wanted.name not in (EfficientNet.name, Colour.name):
        sets[wanted.label] = wanted.encode(pictures)
    found = {name: retrieval(vectors, rows) for name, vectors in sets.items()}
    for name, figures in found.items():
        print(f"{name:20}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()))
    return found


def retrieval(vectors: np.ndarray, rows: list[dict]) -> dict[str, float]:
    """How often the nearest other picture is right (R@1).

    same kind: by class, the own design left out. Same design: by group_id, of pictures whose design has another;
    among fronts: the same with front pictures of other colours alone. Same colour: of named colours, among the
    fronts of its class and of other designs.
    """
    kind, design, view, colour = (
        np.array([row[key] for row in rows]) for key in ("class", "group_id", "view", "colour")
    )
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    same = design[:, None] == design[None]
    named = (view == "main") & (colour != "")

    def right(allowed: np.ndarray, label: np.ndarray, asked: np.ndarray) -> float:
        best = np.where(allowed, scores, -2).argmax(axis=1)
        return float((label[best] == label)[asked].mean())

    everything = np.ones_like(same)
    fronts = np.broadcast_to(view == "main", same.shape)
    return {
        "same kind": right(~same, kind, everything[0]),
        "same design": right(everything, design, same.sum(1) > 1),
        "same design among fronts": right(fronts, design, (view == "main") & ((same & fronts).sum(1) > 1)),
        "same colour": right(~same & named[None] & (kind[:, None] == kind[None]), colour, named),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with catalogue/labels.csv")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="garments in the index")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    figures = {"calls": time_calls(options.sizes), "encoding": time_encoding()}
    if options.data:
        figures["retrieval"] = measure_retrieval(options.data)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
