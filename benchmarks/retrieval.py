"""./dev bench retrieval --data DIR: how often what an encoder finds is right, and which cosines say "the same".

DIR holds catalogue/ and catalogue/labels.csv with the columns file, class, group_id (equal for one design), view
("main" is the front) and colour. Inception is measured where its weights are, and the CLIP of RECOMMEND_CLIP, on
fixed directions and in both precisions. Figures are those of all pictures; of the first two also those of the
designs that the shares were chosen on and of the others, each asking among all.
"""

import argparse
import csv
import json
import os
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from PIL import Image

from preprocessing.garment.prepare import prepare_garment
from recommend import encoders
from recommend.encoders import Encoder, networks
from recommend.encoders.clip import PRECISIONS, Clip
from recommend.encoders.colour import Colour
from recommend.encoders.joined import BOTH, EFFICIENTNET, Joined
from recommend.encoders.networks import Network
from recommend.encoders.vectors import joined, unit
from recommend.tasks import with_mask

LOWER, DRESS = {"pants", "shorts", "skirt", "trousers"}, {"dress"}
NEAREST = 5
THUMBNAIL = 8  # pixels a side
COLOUR_SHARES = 0, 0.04, 0.06, 0.08, 0.1, 0.2  # that are tried
CLIP_COLOUR_SHARE = 0.06
TIMED = 60  # pictures
SAME_FROM = 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99  # cosines


def read_labels(data: Path) -> list[dict]:
    labels = data / "catalogue" / "labels.csv"
    if not labels.is_file():
        raise SystemExit(f"{labels} is not there; give a folder with catalogue/labels.csv by --data")
    with labels.open(newline="") as file:
        return list(csv.DictReader(file))


def read_catalogue(data: Path) -> tuple[list[dict], list[np.ndarray]]:
    """The rows of the labels, and each picture as an encoder takes it."""
    rows = read_labels(data)
    pictures = []
    for done, row in enumerate(rows, 1):
        pictures.append(prepared(data / row["file"], category(row["class"])))
        print(f"\r{done} of {len(rows)} pictures prepared", end="", flush=True)
    print()
    return rows, pictures


def category(kind: str) -> str:
    """What the shop is told of a class; shoes and hats, which it has no category for, go as tops."""
    return "lower" if kind in LOWER else "dress" if kind in DRESS else "upper"


def prepared(file: Path, category: str) -> np.ndarray:
    """A garment's picture as an encoder takes it."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB"))
    try:
        return with_mask(prepare_garment(pixels, category))
    except Exception as error:  # the shop embeds a picture whole when its analysis fails
        print(f"\n{file}: {error!r}")
        return pixels


@dataclass
class Remembered:
    """A network that looks at the pictures once, however often it is asked."""

    network: Network
    seen: np.ndarray | None = None

    def features(self, pictures: list[np.ndarray]) -> np.ndarray:
        if self.seen is None:
            self.seen = self.network.features(pictures)
        return self.seen


def encoded(pictures: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Unit rows by the name of what made them."""
    colour = Colour().encode(pictures)
    sets = {"colour and thumbnail": joined([(0.5, colour), (0.5, thumbnails(pictures))]), "colour": colour}
    remembered = {network: Remembered(network) for network in (networks.EFFICIENTNET, networks.INCEPTION)}
    for encoder in (EFFICIENTNET, BOTH):
        if problem := encoder.problem():
            print(f"{encoder.label} is left out: {problem}")
            continue
        parts = tuple(replace(part, network=remembered[part.network]) for part in encoder.parts)
        for share in COLOUR_SHARES:
            sets[f"{encoder.label}, {share:.0%}"] = with_colour(replace(encoder, parts=parts), share).encode(pictures)
        sets[encoder.label] = replace(encoder, parts=parts).encode(pictures)
    for clip in clips():
        seen = clip.encode(pictures)
        sets[f"{clip.label}, {clip.precision}"] = seen
        sets[f"{clip.label}, {clip.precision}, with {CLIP_COLOUR_SHARE:.0%} colour"] = joined(
            [(1 - CLIP_COLOUR_SHARE, seen), (CLIP_COLOUR_SHARE, colour)]
        )
    return sets


def clips() -> list[Clip]:
    """The CLIP of the settings in both precisions; none where there is none."""
    clip = encoders.clip()
    if clip is None or clip.optional:
        return []
    if problem := clip.problem():
        raise SystemExit(problem)
    return [Clip(clip.setting, precision) for precision in PRECISIONS]


def with_colour(encoder: Joined, share: float) -> Joined:
    """The same with another share for colour; the networks keep theirs of the rest."""
    rest = sum(part.share for part in encoder.parts)
    parts = tuple(replace(part, share=part.share / rest * (1 - share)) for part in encoder.parts)
    return replace(encoder, parts=parts)


def thumbnails(pictures: list[np.ndarray]) -> np.ndarray:
    """The whole picture at 8 x 8, about its mean."""
    small = [
        Image.fromarray(np.ascontiguousarray(picture[..., :3])).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
        for picture in pictures
    ]
    rows = np.array([np.asarray(image, np.float32).ravel() for image in small])
    return unit(rows - rows.mean(axis=1, keepdims=True))


def retrieval(vectors: np.ndarray, rows: list[dict]) -> dict[str, list[float]]:
    """Shares, each picture asking in turn: of all pictures, of the tuning half's, of the others.

    class P@5: of the five nearest of other designs, those of its class. design hit@5: whether one of the five nearest
    is of its design, of pictures whose design has another. class R@1: as the first, of the one nearest. colour R@1: of
    named colours, among the fronts of its class and of other designs.
    """
    kind, design, view, colour = columns(rows)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -2)
    same = design[:, None] == design[None]
    others = np.argsort(-np.where(same, -2, scores), axis=1, kind="stable")[:, :NEAREST]
    all_nearest = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
    found = (design[all_nearest] == design[:, None]).any(axis=1)
    has_others = same.sum(axis=1) > 1
    named = (view == "main") & (colour != "")
    beside = np.where(~same & named[None] & (kind[:, None] == kind[None]), scores, -2).argmax(axis=1)
    tuning = tuning_half(rows)
    return {
        name: [float(right[among & half].mean()) for half in (tuning | True, tuning, ~tuning)]
        for name, right, among in (
            (f"class P@{NEAREST}", (kind[others] == kind[:, None]).mean(axis=1), tuning | True),
            (f"design hit@{NEAREST}", found, has_others),
            ("class R@1", kind[others[:, 0]] == kind, tuning | True),
            ("colour R@1", colour[beside] == colour, named),
        )
    }


def columns(rows: list[dict]) -> list[np.ndarray]:
    """Class, design, view and colour."""
    return [np.array([row[key] for row in rows]) for key in ("class", "group_id", "view", "colour")]


def tuning_half(rows: list[dict]) -> np.ndarray:
    """bool (N,): every other design of a class; those of one picture and those of several are dealt apart."""
    pictures = Counter(row["group_id"] for row in rows)
    dealt: defaultdict[tuple, list[str]] = defaultdict(list)
    for kind, design in sorted({(row["class"], row["group_id"]) for row in rows}):
        dealt[kind, pictures[design] > 1].append(design)
    tuning = {design for designs in dealt.values() for design in designs[::2]}
    return np.array([row["group_id"] in tuning for row in rows])


def sameness(vectors: np.ndarray, rows: list[dict]) -> dict[float, tuple[float, float, int]]:
    """By cosine: of pairs of one design in two colours and one view, and in two views and one colour, the share that
    reaches it; and how many pairs of different designs do.
    """
    _, design, view, colour = columns(rows)
    one, other = np.triu_indices(len(rows), 1)
    cosines = (vectors @ vectors.T)[one, other]
    design, view, colour = (values[one] == values[other] for values in (design, view, colour))
    return {
        cosine: (
            float((cosines[design & view & ~colour] >= cosine).mean()),
            float((cosines[design & ~view & colour] >= cosine).mean()),
            int((cosines[~design] >= cosine).sum()),
        )
        for cosine in SAME_FROM
    }


def milliseconds(encoder: Encoder, pictures: list[np.ndarray]) -> float:
    """CPU time of one picture, median."""
    times = []
    for picture in pictures[: TIMED + 1]:
        start = time.process_time()
        encoder.encode([picture])
        times.append(time.process_time() - start)
    return float(np.median(times[1:]) * 1000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="a folder with catalogue/labels.csv")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    rows, pictures = read_catalogue(options.data)
    sets = encoded(pictures)
    found = {name: retrieval(vectors, rows) for name, vectors in sets.items()}
    for name, figures in found.items():
        told = [f"{key} {' / '.join(f'{each:.3f}' for each in figures[key])}" for key in list(figures)[:2]]
        print(f"{name:50}", *told, *(f"{key} {figures[key][0]:.3f}" for key in list(figures)[2:]), sep="  ")
    served = [encoder for encoder in (Colour(), EFFICIENTNET, BOTH) if encoder.label in sets] + clips()
    same = {}
    for encoder in served:
        name = encoder.label if encoder.label in sets else f"{encoder.label}, {encoder.precision}"
        same[name] = sameness(sets[name], rows)
        print(f"\n{name}: {milliseconds(encoder, pictures):.0f} ms a picture")
        print("cosine from   one design, other colour   one design, other view   different designs, pairs")
        for cosine, (colours, views, different) in same[name].items():
            print(f"{cosine:11.2f}   {colours:26.0%}   {views:24.0%}   {different:24,}")
    if options.json:
        options.json.write_text(json.dumps({"retrieval": found, "same": same}, indent=1))


if __name__ == "__main__":
    main()
