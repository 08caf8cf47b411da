"""How fast the preview is, how many pairs it shows, how exact it is, and contact sheets to judge it by.

    ./dev bench preview                          # the sample shop's people and garments
    ./dev bench preview --data DIR               # pairs of DIR/pairs.csv and DIR/study/pairs.csv
    ./dev bench preview --data DIR --half held-out --sheet OUT   # and sheets photo | garment | result in OUT
    ./dev bench preview --pairs-only             # without the figures of masks, landmarks and parse maps

A pairs.csv has the columns person, garment and category (or cloth_type), with paths relative to DIR. Its even rows,
counted from 0, are the tuning half, its odd ones are held out. Each pair with a bottom is also run as an outfit, with
a top of the tuning half.
Times are CPU seconds on one thread, of pictures decoded already and networks loaded already; medians over pairs. Cold
is all three stages, warm is the last alone: a photo is prepared once, a garment when it is uploaded. One pair is in
memory at a time, so the peak is that of a worker that only previews. Colours and folds are measured before the
engine's own checks refuse anything. At the end stand the figures of benchmarks/garments.py and benchmarks/people.py.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks import garments as of_garments
from benchmarks import people as of_people
from preprocessing.errors import Refusal
from preprocessing.garment.prepare import Attributes, PreparedGarment, prepare_garment
from preprocessing.labels import Parse
from preprocessing.person.difficulty import pose_difficulty
from preprocessing.person.prepare import PreparedPerson, prepare_person
from tryon.engines import ENGINES
from tryon.engines.base import Generated
from tryon.engines.preview.checks import check

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
STAGES = ("person", "garment", "generate")
OUTFIT_FIGURES = ("pairs", "shown", "warm_s", "warm_s_max", "folded_cells", "stray_pixels")
HALVES = {"tuning": slice(0, None, 2), "held-out": slice(1, None, 2), "all": slice(None)}
# Height of a row, widths of photo, garment and result, rows and columns of a sheet.
ROW, WIDTHS, ROWS, COLUMNS = 400, (160, 130, 310), 4, 4


@dataclass(frozen=True)
class Pair:
    """A person and what they try on: a garment, or an outfit of a bottom and a top (a pair of its own)."""

    person: Path
    garment: Path
    category: str
    sleeve: str | None = None
    top: Pair | None = None

    @property
    def kind(self) -> str:
        return self.category if self.top is None else "outfit"


@dataclass
class Outcome:
    """What came of a pair.

    Attributes:
        seconds: by stage.
        notes: the engine's, before its checks; None when it drew nothing.
        stray: pixels that differ from the photo outside `touched` or on the face's core.
        refused: code and detail, empty when shown.
        level: how difficult the pose is.
        tile: a JPEG for the sheet.
    """

    pair: Pair
    seconds: dict = field(default_factory=dict)
    notes: dict | None = None
    stray: int = 0
    refused: str = ""
    level: str = ""
    tile: bytes = b""

    @property
    def code(self) -> str:
        return self.refused.split()[0] if self.refused else ""


def listed_pairs(data: Path, half: str) -> list[Pair]:
    listings = [path for path in (data / "pairs.csv", data / "study" / "pairs.csv") if path.is_file()]
    if not listings:
        sys.exit(f"{data / 'pairs.csv'} is not there; --data takes a folder with pairs.csv, see --help")
    pairs = []
    for listing in listings:
        with listing.open(newline="") as file:
            rows = list(csv.DictReader(file))[HALVES[half]]
        pairs += [
            Pair(data / row["person"], data / row["garment"], row.get("category") or row["cloth_type"]) for row in rows
        ]
    return pairs


def sample_pairs(half: str) -> list[Pair]:
    """Each garment of the sample shop once, on its people in turn."""
    people = sorted((SAMPLE / "people").glob("*.jpg"))
    if not people:
        sys.exit(f"no people in {SAMPLE / 'people'}; draw them (sample/README.md) or name a folder with --data")
    with (SAMPLE / "catalogue.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = []
    for number, row in enumerate(rows):
        image = SAMPLE / "garments" / row["image"].split("|")[0].split(":")[-1]
        pairs.append(Pair(people[number % len(people)], image, row["category"], row["sleeve"] or None))
    return pairs[HALVES[half]]


def outfits(pairs: list[Pair], tops: list[Pair]) -> list[Pair]:
    """The pairs with a bottom, each with the next of the tops."""
    tops = [pair for pair in tops if pair.category == "upper"]
    bottoms = [pair for pair in pairs if pair.category == "lower"]
    if not tops:
        return []
    return [replace(pair, top=tops[number % len(tops)]) for number, pair in enumerate(bottoms)]


def pixels(path: Path) -> np.ndarray:
    image = Image.open(path)
    return np.asarray(image.convert("RGBA" if image.mode in ("RGBA", "LA", "P") else "RGB"))


class Bench:
    """Runs pairs one after the other, with the last photo's analysis kept, as the shop keeps it."""

    def __init__(self):
        self._engine = ENGINES["preview"].load()
        self._photo: Path | None = None
        self._found: PreparedPerson | Refusal | None = None
        self._seconds = 0.0

    def _prepared(self, path: Path) -> PreparedPerson:
        if path != self._photo:
            self._photo, self._found = path, None
            try:
                self._found, self._seconds = _timed(prepare_person, pixels(path)[..., :3])
            except Refusal as refusal:
                self._found = refusal
        if isinstance(self._found, Refusal):
            raise self._found
        return self._found

    def _garment(self, pair: Pair) -> tuple[PreparedGarment, float]:
        return _timed(prepare_garment, pixels(pair.garment), pair.category, Attributes(sleeve=pair.sleeve))

    def run(self, pair: Pair, tiles: bool = False) -> Outcome:
        outcome = Outcome(pair)
        result = None
        try:
            person = self._prepared(pair.person)
            outcome.seconds["person"] = self._seconds
            outcome.level = pose_difficulty(person.keypoints).level
            garments, seconds = zip(*[self._garment(one) for one in (pair, pair.top) if one is not None], strict=True)
            outcome.seconds["garment"] = sum(seconds)
            result, outcome.seconds["generate"] = _timed(self._engine.draw, person, garments)
            outcome.notes, outcome.stray = result.notes, _stray(person, result)
            check(result.notes)
        except Refusal as refusal:
            outcome.refused = f"{refusal.code} {refusal.detail}".strip()
        if tiles:
            outcome.tile = _tile(outcome, result)
        return outcome


def _timed(function: Callable, *arguments):
    start = time.process_time()
    return function(*arguments), time.process_time() - start


def _stray(person: PreparedPerson, result: Generated) -> int:
    core = cv2.erode((person.parse == Parse.FACE).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return int((result.image != person.image).any(-1)[~result.touched | core].sum())


def figures(outcomes: list[Outcome]) -> dict:
    drawn = [outcome for outcome in outcomes if outcome.notes]
    stages = {stage: round(float(np.median([o.seconds[stage] for o in drawn])), 3) for stage in STAGES if drawn}
    colour = [outcome.notes["delta_e"] for outcome in drawn]
    return {
        "pairs": len(outcomes),
        "shown": sum(not outcome.refused for outcome in outcomes),
        "refused": dict(Counter(outcome.code for outcome in outcomes if outcome.refused)),
        "stages_s": stages,
        "cold_s": round(float(np.median([sum(o.seconds.values()) for o in drawn])), 3) if drawn else None,
        "warm_s": stages.get("generate"),
        "warm_s_max": round(max(o.seconds["generate"] for o in drawn), 3) if drawn else None,
        "delta_e_median": round(float(np.median(colour)), 2) if drawn else None,
        "delta_e_p95": round(float(np.quantile(colour, 0.95)), 2) if drawn else None,
        "folded_cells": sum(outcome.notes["folds"] for outcome in drawn),
        "pairs_with_folds": sum(outcome.notes["folds"] > 0 for outcome in drawn),
        "stray_pixels": sum(outcome.stray for outcome in drawn),
    }


def split(outcomes: list[Outcome], key: Callable[[Outcome], str]) -> dict:
    """Shown of all, and the codes of the refused, by category or pose."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    return {
        name: {
            "shown": f"{sum(not outcome.refused for outcome in group)} of {len(group)}",
            "refused": dict(Counter(outcome.code for outcome in group if outcome.refused)),
        }
        for name, group in sorted(groups.items())
        if name
    }


def _fitted(image: np.ndarray, width: int) -> np.ndarray:
    """A picture on white of the row's height and this width."""
    scale = min(ROW / image.shape[0], width / image.shape[1])
    size = (max(1, int(image.shape[1] * scale)), max(1, int(image.shape[0] * scale)))
    frame = np.full((ROW, width, 3), 255, np.uint8)
    frame[: size[1], : size[0]] = cv2.resize(image[..., :3], size, interpolation=cv2.INTER_AREA)
    return frame


def _tile(outcome: Outcome, result: Generated | None) -> bytes:
    """Photo, garment and result beside each other; a refused one darker."""
    photo, garment = pixels(outcome.pair.person), pixels(outcome.pair.garment)[..., :3]
    if outcome.pair.top is not None:
        above = pixels(outcome.pair.top.garment)[..., :3]
        above = cv2.resize(above, (garment.shape[1], above.shape[0] * garment.shape[1] // above.shape[1]))
        garment = np.vstack([above, garment])
    made = photo[..., :3] // 4 if result is None else result.image // (2 if outcome.refused else 1)
    tile = np.hstack([_fitted(image, width) for image, width in zip((photo, garment, made), WIDTHS, strict=True)])
    caption = f"{outcome.pair.person.stem[:16]} + {outcome.pair.garment.stem[:24]}: {outcome.refused or outcome.notes}"
    strip = np.full((20, tile.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, caption[:96], (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
    return cv2.imencode(".jpg", np.vstack([tile, strip])[..., ::-1])[1].tobytes()


def sheets(outcomes: list[Outcome], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(outcomes), ROWS * COLUMNS):
        page = [
            cv2.imdecode(np.frombuffer(outcome.tile, np.uint8), cv2.IMREAD_COLOR)
            for outcome in outcomes[first : first + ROWS * COLUMNS]
        ]
        page += [np.full_like(page[0], 255)] * (-len(page) % COLUMNS)
        rows = [np.hstack(page[start : start + COLUMNS]) for start in range(0, len(page), COLUMNS)]
        cv2.imwrite(str(folder / f"preview-{first // (ROWS * COLUMNS):02}.png"), np.vstack(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with pairs.csv; the sample shop without")
    parser.add_argument("--half", choices=HALVES, default="all", help="which pairs (default: all)")
    parser.add_argument("--pairs-only", action="store_true", help="leave out masks, landmarks and parse maps")
    parser.add_argument("--json", type=Path, help="write the figures of the pairs here")
    parser.add_argument("--sheet", type=Path, help="write contact sheets into this folder")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)

    listed = partial(listed_pairs, arguments.data) if arguments.data else sample_pairs
    pairs = listed(arguments.half)
    _, load_seconds = _timed(Bench().run, pairs[0])  # loads the networks
    bench = Bench()
    single, together = (
        [bench.run(pair, tiles=bool(arguments.sheet)) for pair in some]
        for some in (pairs, outfits(pairs, listed("tuning")))
    )
    outcomes = single + together

    found = figures(single) | {
        "load_s": round(load_seconds, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        **{f"outfit_{name}": value for name, value in figures(together).items() if name in OUTFIT_FIGURES},
        "by_category": split(outcomes, lambda outcome: outcome.pair.kind),
        "by_pose": split(outcomes, lambda outcome: outcome.level),
    }
    for name, value in found.items():
        if not name.startswith("by_"):
            print(f"{name:20} {value}")
            continue
        for group, line in value.items():
            print(f"{name:20} {group}: shown {line['shown']}, refused {line['refused'] or 'none'}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    if arguments.sheet:
        sheets(outcomes, arguments.sheet)
    if not arguments.pairs_only:
        of_garments.report(*of_garments.measure(arguments.half, data=arguments.data))
    if not arguments.pairs_only and arguments.data and (arguments.data / "annotated").is_dir():
        of_people.report(of_people.measure(arguments.data))


if __name__ == "__main__":
    main()
