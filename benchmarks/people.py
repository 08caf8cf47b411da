"""How well a person is understood: masks, labels and joints against annotations, time by stage, sheets to judge by.

    ./dev bench people --data DIR               # the annotated people of DIR/annotated
    ./dev bench people --data DIR --sheet OUT   # and sheets photo | parse map of them and of DIR/person in OUT

DIR/annotated holds folders as of VITON-HD (test/image, test/image-parse-v3 in CIHP's labels, test/openpose_json with
BODY_25 or COCO's 18 joints) and folders with image and person-mask (its corner is background). Their maps are mostly
other networks' work. Intersection over union each; joint errors as a share of the shoulder width; CPU seconds on one
thread, networks loaded already, medians.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.labels import Body25, Parse
from preprocessing.person import prepare
from preprocessing.person.body25 import body25, from_json
from preprocessing.person.checks import check_photo
from preprocessing.person.prepare import PreparedPerson, prepare_person

STAGES = ("detect_poses", "find_regions", "refine", "parse_person")
# What a label becomes where the annotation does not use it.
INSTEAD = {
    Parse.COAT: Parse.UPPER,
    Parse.HAT: Parse.HAIR,
    Parse.SUNGLASSES: Parse.FACE,
    Parse.SCARF: Parse.UPPER,
    Parse.SOCKS: Parse.LEFT_LEG,
}
COCO_18 = (
    Body25.NOSE, Body25.NECK, Body25.R_SHOULDER, Body25.R_ELBOW, Body25.R_WRIST, Body25.L_SHOULDER, Body25.L_ELBOW,
    Body25.L_WRIST, Body25.R_HIP, Body25.R_KNEE, Body25.R_ANKLE, Body25.L_HIP, Body25.L_KNEE, Body25.L_ANKLE,
    Body25.R_EYE, Body25.L_EYE, Body25.R_EAR, Body25.L_EAR,
)  # fmt: skip
COMPARED = (
    Body25.NOSE, Body25.L_SHOULDER, Body25.R_SHOULDER, Body25.L_ELBOW, Body25.R_ELBOW, Body25.L_WRIST, Body25.R_WRIST,
    Body25.L_HIP, Body25.R_HIP, Body25.L_KNEE, Body25.R_KNEE,
)  # fmt: skip
SURE = 0.3
REPEATS = 5
# Height of a row and width of a picture on a sheet, pairs in a row, rows.
ROW, WIDTH, COLUMNS, ROWS = 440, 330, 4, 3
COLOURS = np.array(
    [
        (0, 0, 0), (255, 0, 255), (255, 200, 0), (80, 80, 80), (40, 40, 40), (255, 60, 60), (255, 0, 140),
        (140, 0, 0), (90, 255, 90), (0, 70, 255), (255, 255, 120), (160, 160, 0), (0, 220, 255), (255, 230, 200),
        (0, 160, 0), (120, 255, 0), (150, 80, 255), (210, 170, 255), (120, 60, 20), (200, 140, 90),
    ],
    np.uint8,
)  # fmt: skip


@dataclass(frozen=True)
class Annotated:
    """A photo and what is known of it; None where it is not."""

    name: str
    image: Path
    parse: Path | None = None
    mask: Path | None = None
    joints: Path | None = None


def annotated(data: Path) -> list[Annotated]:
    found = []
    for image in sorted((data / "annotated").glob("*/test/image/*")):
        test = image.parent.parent
        parse = test / "image-parse-v3" / f"{image.stem}.png"
        joints = test / "openpose_json" / f"{image.stem}_keypoints.json"
        if parse.is_file():
            found.append(Annotated(image.stem, image, parse, joints=joints if joints.is_file() else None))
    for mask in sorted((data / "annotated").glob("*/person-mask/*.png")):
        for image in mask.parent.parent.glob(f"image/{mask.stem}.*"):
            found.append(Annotated(image.stem, image, mask=mask))
    if not found:
        sys.exit(f"no annotated people in {data / 'annotated'}; see --help")
    return found


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return round(float((a & b).sum() / max(1, (a | b).sum())), 4)


def label_overlaps(parse: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Of each label that the annotation has."""
    present = set(np.unique(truth).tolist()) - {0}
    for label, instead in INSTEAD.items():
        if label not in present:
            parse = np.where(parse == label, instead, parse)
    return {Parse(label).name.lower(): overlap(parse == label, truth == label) for label in sorted(present)}


def joints_of(path: Path) -> np.ndarray:
    """(25, 3) x, y, confidence from OpenPose's file, whichever order it has; zeros where it has no such joint."""
    points = from_json(path.read_bytes())
    if len(points) == len(COCO_18):
        ordered = np.zeros((len(Body25), 3), np.float32)
        ordered[list(COCO_18)] = points
        return ordered
    return points


def joint_errors(person: PreparedPerson, path: Path) -> dict[str, float]:
    truth, ours = joints_of(path), body25(person.keypoints, person.image.shape[:2])
    width = float(np.hypot(*(truth[Body25.L_SHOULDER, :2] - truth[Body25.R_SHOULDER, :2])))
    seen = (truth[:, 2] >= SURE) & (ours[:, 2] >= SURE)
    return {
        joint.name.lower(): round(float(np.hypot(*(truth[joint, :2] - ours[joint, :2])) / width), 3)
        for joint in COMPARED
        if seen[joint]
    }


class Stages:
    """CPU seconds of the stages inside prepare_person."""

    def __init__(self):
        self.seconds = defaultdict(list)

    def timed(self, name: str, function):
        def run(*arguments, **options):
            start = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[name].append(time.process_time() - start)

        return run

    def __call__(self, image: np.ndarray) -> PreparedPerson:
        wrapped = {name: self.timed(name, getattr(prepare, name)) for name in STAGES}
        with patch.multiple(prepare, **wrapped):
            return self.timed("prepare_person", prepare_person)(image)

    def medians(self) -> dict[str, float]:
        return {name: round(float(np.median(times)), 3) for name, times in self.seconds.items()}


def compare(photo: Annotated, stages: Stages, repeats: int) -> dict:
    image = pixels(photo.image)
    for _ in range(repeats):
        person = stages(image)
    figures = {"pose": person.difficulty.level}
    if photo.parse:
        truth = np.asarray(Image.open(photo.parse))
        figures["person"] = overlap(person.mask > 127, truth > 0)
        figures |= label_overlaps(person.parse, truth)
    if photo.mask:
        truth = np.asarray(Image.open(photo.mask))
        figures["person"] = overlap(person.mask > 127, truth != truth[0, 0])
    if photo.joints:
        figures["joints"] = joint_errors(person, photo.joints)
    return figures


def look(path: Path) -> tuple[str, list[np.ndarray]]:
    """A caption, and photo and parse map of a picture, or the photo alone where it is refused."""
    try:
        person = prepare_person(pixels(path))
    except Refusal as refusal:
        return f"{refusal.code} {refusal.detail}", [pixels(path)]
    grey = cv2.cvtColor(cv2.cvtColor(person.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    drawn = np.where((person.parse > 0)[..., None], grey * 0.45 + COLOURS[person.parse] * 0.55, grey).astype(np.uint8)
    drawn[person.carried] = (255, 120, 255)
    drawn[cv2.Canny(person.mask, 50, 100) > 0] = 255
    words = [person.difficulty.level, *(finding.code.removeprefix("photo.") for finding in check_photo(person))]
    return " ".join(words), [person.image, drawn]


def sheets(paths: list[Path], folder: Path) -> Counter:
    """Writes sheets; how often each level or refusal came up."""
    folder.mkdir(parents=True, exist_ok=True)
    tiles, levels = [], Counter()
    for path in paths:
        words, images = look(path)
        levels[words.split()[0]] += 1
        tile = np.full((ROW + 20, 2 * WIDTH, 3), 255, np.uint8)
        for column, image in enumerate(images):
            scale = min(ROW / image.shape[0], WIDTH / image.shape[1])
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:ROW, :WIDTH]
            tile[: small.shape[0], column * WIDTH : column * WIDTH + small.shape[1]] = small
        caption = f"{path.stem[:24]}: {words}"[:96]
        cv2.putText(tile, caption, (4, ROW + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    for first in range(0, len(tiles), COLUMNS * ROWS):
        page = tiles[first : first + COLUMNS * ROWS]
        page += [np.full_like(page[0], 255)] * (-len(page) % COLUMNS)
        rows = [np.hstack(page[start : start + COLUMNS]) for start in range(0, len(page), COLUMNS)]
        Image.fromarray(np.vstack(rows)).save(folder / f"people-{first // (COLUMNS * ROWS):02}.png")
    return levels


def measure(data: Path, repeats: int = REPEATS) -> dict:
    """Figures of each annotated person, of joints over all, and seconds by stage."""
    photos = annotated(data)
    prepare_person(pixels(photos[0].image))  # loads the networks
    stages = Stages()
    people = {photo.name: compare(photo, stages, repeats) for photo in photos}
    joints = defaultdict(list)
    for found in people.values():
        for joint, error in found.get("joints", {}).items():
            joints[joint].append(error)
    return {
        "people": people,
        "joint_error_median": {joint: round(float(np.median(errors)), 3) for joint, errors in joints.items()},
        "joint_error_worst": {joint: max(errors) for joint, errors in joints.items()},
        "stages_s": stages.medians(),
    }


def report(figures: dict) -> None:
    for name, found in figures["people"].items():
        print(f"{name:10}", " ".join(f"{k} {v}" for k, v in found.items() if k != "joints"))
    for name in list(figures)[1:]:
        print(f"{name:18} {figures[name]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with annotated people")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--sheet", type=Path, help="write contact sheets into this folder")
    parser.add_argument("--repeats", type=int, default=REPEATS, help=f"runs of each photo for the times ({REPEATS})")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)

    figures = measure(arguments.data, arguments.repeats)
    if arguments.sheet:
        photos = [photo.image for photo in annotated(arguments.data)]
        people = sorted((arguments.data / "person").glob("*"))
        figures["levels"] = dict(sheets(photos + people, arguments.sheet))
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
