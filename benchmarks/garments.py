"""How exactly garments are cut out and their landmarks found, on pictures whose truth is known.

    ./dev bench garments                      # each drawn garment on each backdrop, shadows in turn
    ./dev bench garments --sweep              # and on one backdrop under every shadow
    ./dev bench garments --data DIR           # and the cloth masks of DIR/annotated
    ./dev bench garments --sheet OUT          # and a sheet of the worst masks in OUT

The garments of sample/garments are cut out with their exact masks and laid on backgrounds made in code
(benchmarks/backdrops.py). IoU is of mask > 127; landmark errors are shares of the chest's width (of the waist's for
what is worn below it), over the names both know. Times are CPU seconds of `prepare_garment` on one thread.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks import backdrops
from preprocessing.garment.prepare import Attributes, prepare_garment

SAMPLE = Path(__file__).resolve().parent.parent / "sample"
# The bars a mask is to pass: in the mean, and each.
MEAN, EACH = 0.98, 0.975
# As in benchmarks/preview.py: every other one, in sorted order.
HALVES = {"tuning": slice(0, None, 2), "held-out": slice(1, None, 2), "all": slice(None)}
SWEPT = "near white"
# A cell of a sheet, and how many of the worst it shows.
CELL, WORST = (384, 288), 40


@dataclass(frozen=True)
class Drawn:
    """A garment of the sample shop, cut out, with its catalogue's facts and landmarks in its own picture's pixels."""

    name: str
    category: str
    sleeve: str | None
    cut: backdrops.CutOut
    landmarks: dict


@dataclass
class Outcome:
    """What came of one picture. `extra` and `missing` are shares of the true area; errors are by landmark."""

    name: str
    category: str
    backdrop: str
    kind: str
    strength: float
    iou: float
    extra: float
    missing: float
    problems: tuple[str, ...]
    seconds: float
    errors: dict
    sheet: np.ndarray | None = None


def drawn_garments(half: str) -> list[Drawn]:
    with (SAMPLE / "catalogue.csv").open(newline="") as file:
        rows = {row["image"].split("|")[0].split(":")[-1].removesuffix(".jpg"): row for row in csv.DictReader(file)}
    known = json.loads((SAMPLE / "garments" / "landmarks.json").read_text())
    names = sorted(known)[HALVES[half]]
    garments = []
    for name in names:
        picture = np.asarray(Image.open(SAMPLE / "garments" / f"{name}.jpg").convert("RGB"))
        mask = np.asarray(Image.open(SAMPLE / "garments" / known[name]["mask"]).convert("L"))
        row = rows[name]
        cut = backdrops.cut_out(picture, mask)
        garments.append(Drawn(name, row["category"], row["sleeve"] or None, cut, known[name]["landmarks"]))
    return garments


def intersection_over_union(found: np.ndarray, true: np.ndarray) -> float:
    return float((found & true).sum() / max(1, (found | true).sum()))


def landmark_errors(found: dict, true: dict, moved: np.ndarray, category: str) -> dict:
    """Distance of each landmark from where it was drawn, in chest (or waist) widths."""
    points = {name: moved @ [*point, 1] for name, point in true.items()}
    ends = [points[f"{'waist' if category == 'lower' else 'armpit'}_{side}"] for side in ("left", "right")]
    width = np.hypot(*(ends[1] - ends[0]))
    return {name: float(np.hypot(*(points[name] - found[name])) / width) for name in points if name in found}


def look(garment: Drawn, backdrop: str, kind: str, strength: float, seed: int) -> Outcome:
    laid = backdrops.lay(garment.cut, backdrop, kind, strength, np.random.default_rng(seed))
    start = time.process_time()
    prepared = prepare_garment(laid.picture, garment.category, Attributes(sleeve=garment.sleeve))
    seconds = time.process_time() - start
    true = laid.mask > 127
    found = np.zeros_like(true) if prepared.mask is None else prepared.mask > 127
    codes = tuple(problem.code for problem in prepared.problems)
    outcome = Outcome(
        garment.name, garment.category, backdrop, kind, strength,
        intersection_over_union(found, true), float((found & ~true).sum() / true.sum()),
        float((true & ~found).sum() / true.sum()), codes, seconds,
        landmark_errors(prepared.landmarks, garment.landmarks, laid.moved, garment.category),
    )  # fmt: skip
    if outcome.iou < EACH + 0.01:
        shown = laid.picture[..., :3].copy()
        shown[found & ~true], shown[true & ~found] = (255, 0, 0), (0, 80, 255)
        outcome.sheet = cv2.resize(shown, CELL[::-1], interpolation=cv2.INTER_AREA)
    return outcome


def in_turn(garments: list[Drawn], step: int) -> list[Outcome]:
    """Each garment on each backdrop, under another shadow each time."""
    kinds, outcomes = list(backdrops.SHADOWS), []
    for number, garment in enumerate(garments[::step]):
        for place, backdrop in enumerate([*backdrops.BACKDROPS, "transparent"]):
            kind = kinds[(number + place) % len(kinds)]
            strength = backdrops.STRENGTHS[(number + 2 * place) % len(backdrops.STRENGTHS)]
            outcomes.append(look(garment, backdrop, kind, strength, 1000 * number + place))
    return outcomes


def swept(garments: list[Drawn], step: int) -> list[Outcome]:
    """Each garment on one backdrop under every shadow."""
    outcomes = []
    for number, garment in enumerate(garments[::step]):
        outcomes.append(look(garment, SWEPT, next(iter(backdrops.SHADOWS)), 0.0, number))
        for kind in backdrops.SHADOWS:
            for strength in backdrops.STRENGTHS[1:]:
                outcomes.append(look(garment, SWEPT, kind, strength, number))
    return outcomes


def annotated(data: Path) -> dict[str, float]:
    """IoU with each cloth mask of DIR/annotated; both sides at the size garments are prepared at."""
    found = {}
    for path in sorted(data.glob("annotated/**/cloth/*")):
        reference = path.parent.parent / "cloth-mask" / path.name
        if not reference.is_file():
            continue
        prepared = prepare_garment(np.asarray(Image.open(path).convert("RGB")), "upper")
        true = np.asarray(Image.open(reference).convert("L"))
        true = cv2.resize(true, prepared.image.shape[1::-1], interpolation=cv2.INTER_AREA) > 127
        mask = np.zeros_like(true) if prepared.mask is None else prepared.mask > 127
        found[str(path.relative_to(data))] = intersection_over_union(mask, true)
    return found


def masks(outcomes: list[Outcome], by: str | None = None) -> dict:
    """Figures of masks, over all or by a field of the outcomes."""
    if by:
        values = dict.fromkeys(getattr(outcome, by) for outcome in outcomes)
        return {str(value): masks([o for o in outcomes if getattr(o, by) == value]) for value in values}
    ious = np.array([outcome.iou for outcome in outcomes])
    wrong = [outcome for outcome in outcomes if outcome.iou < EACH]
    return {
        "pictures": len(ious),
        "mean": round(float(ious.mean()), 4),
        "median": round(float(np.median(ious)), 4),
        "min": round(float(ious.min()), 4),
        "below": len(wrong),
        "below_not_refused": sum(not outcome.problems for outcome in wrong),
        "extra": round(float(np.mean([outcome.extra for outcome in outcomes])), 4),
        "missing": round(float(np.mean([outcome.missing for outcome in outcomes])), 4),
    }


def marks(outcomes: list[Outcome]) -> dict:
    """Landmark errors by kind of landmark (both sides together) and over all, of pictures that were not refused."""
    kinds: dict[str, list[float]] = {}
    for outcome in outcomes:
        for name, error in outcome.errors.items() if not outcome.problems else ():
            for kind in (name.removesuffix("_left").removesuffix("_right"), "all"):
                kinds.setdefault(f"{outcome.category} {kind}" if kind != "all" else kind, []).append(error)
    return {
        kind: {
            "points": len(errors),
            "median": round(float(np.median(errors)), 4),
            "p90": round(float(np.quantile(errors, 0.9)), 4),
        }
        for kind, errors in sorted(kinds.items())
    }


def show(title: str, table: dict) -> None:
    print(f"\n{title}")
    for name, row in table.items():
        print(f"  {name:22} " + "  ".join(f"{key} {value}" for key, value in row.items()))


def sheet(outcomes: list[Outcome], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    worst = sorted((o for o in outcomes if o.sheet is not None), key=lambda o: o.iou)[:WORST]
    cells = []
    for outcome in worst:
        cell = outcome.sheet.copy()
        caption = f"{outcome.iou:.3f} {outcome.kind} {outcome.strength} {' '.join(outcome.problems)}"
        cv2.putText(cell, caption[:44], (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (200, 0, 200), 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [np.full((*CELL, 3), 255, np.uint8)] * (-len(cells) % 8)
    if cells:
        rows = [np.hstack(cells[first : first + 8]) for first in range(0, len(cells), 8)]
        Image.fromarray(np.vstack(rows)).save(folder / "garments-worst.png")


def measure(half: str, step: int = 1, *, sweep: bool = False, data: Path | None = None) -> tuple[dict, list[Outcome]]:
    """Figures by title, and the pictures they are of; see the top of this file."""
    garments = drawn_garments(half)
    outcomes = in_turn(garments, step)
    figures = {
        "garment masks": {"all": masks(outcomes)},
        "masks by backdrop": masks(outcomes, "backdrop"),
        "masks by shadow": masks(outcomes, "kind"),
        "masks by strength": masks(outcomes, "strength"),
        "masks by category": masks(outcomes, "category"),
        "landmarks": marks(outcomes),
    }
    if sweep:
        more = swept(garments, step)
        figures |= {f"sweep on {SWEPT}, by shadow": masks(more, "kind")}
        figures |= {f"sweep on {SWEPT}, by strength": masks(more, "strength")}
        outcomes = outcomes + more
    if data:
        found = annotated(data)
        figures["annotated cloth masks"] = {name: {"iou": round(iou, 4)} for name, iou in found.items()}
    seconds = float(np.median([outcome.seconds for outcome in outcomes]))
    figures["prepare_garment"] = {"seconds": {"median": round(seconds, 3)}}
    return figures, outcomes


def report(figures: dict, outcomes: list[Outcome]) -> None:
    for title, table in figures.items():
        show(title, table)
    print(f"\nMasks are to reach {MEAN} in the mean and {EACH} each. Below it:")
    for outcome in sorted(outcomes, key=lambda o: o.iou):
        if outcome.iou < EACH:
            place = f"{outcome.name} on {outcome.backdrop}, {outcome.kind} {outcome.strength}"
            print(f"  {outcome.iou:.4f} {place}", *outcome.problems)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with annotated/")
    parser.add_argument("--half", choices=HALVES, default="all", help="which drawn garments (default: all)")
    parser.add_argument("--step", type=int, default=1, help="only every so many of them, for a quick look")
    parser.add_argument("--sweep", action="store_true", help="every shadow on one backdrop as well")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--sheet", type=Path, help="write a sheet of the worst masks into this folder")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)

    figures, outcomes = measure(arguments.half, arguments.step, sweep=arguments.sweep, data=arguments.data)
    report(figures, outcomes)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    if arguments.sheet:
        sheet(outcomes, arguments.sheet)


if __name__ == "__main__":
    main()
