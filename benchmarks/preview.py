"""How fast the preview is, how many pairs it shows, and contact sheets to judge them by.

    ./dev bench preview                          # the sample shop's people and tops
    ./dev bench preview --data DIR               # pairs of DIR/pairs.csv
    ./dev bench preview --data DIR --sheet OUT   # and sheets photo | garment | result in OUT

DIR/pairs.csv has the columns person, garment and cloth_type, with paths relative to DIR; only "upper" is taken.
Times are CPU seconds on one thread, of pictures decoded already and networks loaded already; the median over pairs.
Cold is all three stages, warm is the last alone: a photo is prepared once, a garment when it is uploaded.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.person.prepare import prepare_person
from tryon.engines import ENGINES

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
STAGES = ("person", "garment", "generate")
# Height of a row, widths of photo, garment and result, rows and columns of a sheet.
ROW, WIDTHS, ROWS, COLUMNS = 400, (160, 130, 310), 4, 4


@dataclass(frozen=True)
class Pair:
    person: Path
    garment: Path
    sleeve: str | None = None


@dataclass
class Outcome:
    """What came of a pair: `seconds` by stage, the picture or the code it was refused with, the notes."""

    pair: Pair
    seconds: dict
    image: np.ndarray | None = None
    refused: str = ""
    notes: dict | None = None


def pairs_of(data: Path) -> list[Pair]:
    listing = data / "pairs.csv"
    if not listing.is_file():
        sys.exit(f"{listing} is not there; --data takes a folder with pairs.csv, see --help")
    with listing.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cloth_type"] == "upper"]
    return [Pair(data / row["person"], data / row["garment"]) for row in rows]


def sample_pairs() -> list[Pair]:
    """Each top of the sample shop once, on its people in turn."""
    people = sorted((SAMPLE / "people").glob("*.jpg"))
    if not people:
        sys.exit(f"no people in {SAMPLE / 'people'}; draw them (sample/README.md) or name a folder with --data")
    with (SAMPLE / "catalogue.csv").open(newline="") as file:
        tops = [row for row in csv.DictReader(file) if row["category"] == "upper"]
    return [
        Pair(
            people[number % len(people)],
            SAMPLE / "garments" / row["image"].split("|")[0].split(":")[-1],
            row["sleeve"],
        )
        for number, row in enumerate(tops)
    ]


def pixels(path: Path) -> np.ndarray:
    image = Image.open(path)
    return np.asarray(image.convert("RGBA" if image.mode in ("RGBA", "LA", "P") else "RGB"))


class Timer:
    """CPU seconds of each stage; a stage whose result is known already costs nothing new."""

    def __init__(self):
        self.known = {}

    def __call__(self, stage: str, key, make):
        if (stage, key) not in self.known:
            start = time.process_time()
            try:
                result = make()
            except Refusal as refusal:
                result = refusal
            self.known[stage, key] = (result, time.process_time() - start)
        result, seconds = self.known[stage, key]
        if isinstance(result, Refusal):
            raise result
        return result, seconds


def try_on(pair: Pair, engine, timer: Timer) -> Outcome:
    outcome = Outcome(pair, {})
    try:
        person, outcome.seconds["person"] = timer(
            "person", pair.person, lambda: prepare_person(pixels(pair.person)[..., :3])
        )
        garment, outcome.seconds["garment"] = timer(
            "garment",
            (pair.garment, pair.sleeve),
            lambda: prepare_garment(pixels(pair.garment), "upper", Attributes(sleeve=pair.sleeve)),
        )
        result, outcome.seconds["generate"] = timer("generate", pair, lambda: engine.generate(person, [garment]))
        outcome.image, outcome.notes = result.image, result.notes
    except Refusal as refusal:
        outcome.refused = f"{refusal.code} {refusal.detail}".strip()
    return outcome


def summary(outcomes: list[Outcome], load_seconds: float) -> dict:
    shown = [outcome for outcome in outcomes if outcome.image is not None]
    refused: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.refused:
            code = outcome.refused.split()[0]
            refused[code] = refused.get(code, 0) + 1
    stages = {}
    for stage in STAGES:
        times = [outcome.seconds[stage] for outcome in outcomes if stage in outcome.seconds]
        if times:
            stages[stage] = round(float(np.median(times)), 3)
    cold = [sum(outcome.seconds.values()) for outcome in shown]
    return {
        "pairs": len(outcomes),
        "shown": len(shown),
        "refused": refused,
        "load_s": round(load_seconds, 2),
        "stages_s": stages,
        "cold_s": round(float(np.median(cold)), 3) if cold else None,
        "warm_s": stages.get("generate"),
        "delta_e": round(float(np.median([o.notes["delta_e"] for o in shown])), 2) if shown else None,
        "pairs_with_folds": sum(o.notes["folds"] > 0 for o in shown),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def fitted(image: np.ndarray, width: int) -> np.ndarray:
    """A picture on white of the row's height and this width."""
    scale = min(ROW / image.shape[0], width / image.shape[1])
    size = (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale)))
    frame = np.full((ROW, width, 3), 255, np.uint8)
    frame[: size[1], : size[0]] = cv2.resize(image[..., :3], size, interpolation=cv2.INTER_AREA)
    return frame


def sheets(outcomes: list[Outcome], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tiles = []
    for outcome in outcomes:
        photo, garment = pixels(outcome.pair.person), pixels(outcome.pair.garment)
        result = outcome.image if outcome.image is not None else photo[..., :3] // 4
        pictures = zip((photo, garment, result), WIDTHS, strict=True)
        tile = np.hstack([fitted(image, width) for image, width in pictures])
        caption = (
            f"{outcome.pair.person.stem[:16]} + {outcome.pair.garment.stem[:24]}: {outcome.refused or outcome.notes}"
        )
        strip = np.full((20, tile.shape[1], 3), 255, np.uint8)
        cv2.putText(strip, caption[:96], (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(np.vstack([tile, strip]))
    for first in range(0, len(tiles), ROWS * COLUMNS):
        page = tiles[first : first + ROWS * COLUMNS]
        page += [np.full_like(page[0], 255)] * (-len(page) % COLUMNS)
        rows = [np.hstack(page[start : start + COLUMNS]) for start in range(0, len(page), COLUMNS)]
        Image.fromarray(np.vstack(rows)).save(folder / f"preview-{first // (ROWS * COLUMNS):02}.png")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with pairs.csv; the sample shop without")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--sheet", type=Path, help="write contact sheets into this folder")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)

    pairs = pairs_of(arguments.data) if arguments.data else sample_pairs()
    engine, timer = ENGINES["preview"].load(), Timer()
    start = time.process_time()
    try_on(pairs[0], engine, Timer())  # loads the networks
    load_seconds = time.process_time() - start
    outcomes = [try_on(pair, engine, timer) for pair in pairs]

    figures = summary(outcomes, load_seconds)
    for name, value in figures.items():
        print(f"{name:18} {value}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    if arguments.sheet:
        sheets(outcomes, arguments.sheet)


if __name__ == "__main__":
    main()
