"""The sample shop: its table, its pictures, and what is known exactly of each agree."""

import csv
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import cv2
import numpy as np
import pytest

from sample.draw_garments import photograph

SAMPLE = Path(__file__).parent.parent / "sample"
PICTURES = SAMPLE / "garments"
ROWS = list(csv.DictReader((SAMPLE / "catalogue.csv").open(encoding="utf-8", newline="")))
KNOWN = json.loads((PICTURES / "landmarks.json").read_text())
REQUIRED = {
    "upper": {"collar", "shoulder", "armpit", "hem"},
    "dress": {"collar", "shoulder", "armpit", "hem"},
    "lower": {"waist"},
}


def name_of(row):
    role, file_name = row["image"].split(":")
    assert role == "flat"
    return file_name.removesuffix(".jpg")


by_name = pytest.mark.parametrize("row", ROWS, ids=[row["sku"] for row in ROWS])


def mask_of(name):
    return cv2.imread(str(PICTURES / KNOWN[name]["mask"]), cv2.IMREAD_GRAYSCALE)


def test_the_catalogue_is_broad_enough():
    categories = Counter(row["category"] for row in ROWS)
    assert len(ROWS) >= 24
    assert set(categories) == {"upper", "lower", "dress"} and min(categories.values()) >= 6
    assert {row["gender"] for row in ROWS} == {"women", "men", "unisex"}
    assert {row["age_group"] for row in ROWS} == {"adult", "kids"}
    assert max(Counter(row["design"] for row in ROWS).values()) >= 3


def test_skus_are_unique_and_a_design_never_repeats_a_colour():
    assert len({row["sku"] for row in ROWS}) == len(ROWS)
    assert len({(row["design"], row["colour"], row["image"]) for row in ROWS}) == len(ROWS)


def test_table_pictures_and_geometry_name_the_same_garments():
    names = {name_of(row) for row in ROWS}
    assert names == set(KNOWN)
    assert {path.stem for path in PICTURES.glob("*.jpg")} == names
    assert {path.name for path in PICTURES.glob("*.png")} == {KNOWN[name]["mask"] for name in names}


def test_the_folder_stays_small():
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) <= 5_000_000


@by_name
def test_a_row_can_be_sold(row):
    price = Decimal(row["price"])
    assert price > 0 and row["currency"] == "USD"
    assert not row["sale_price"] or 0 < Decimal(row["sale_price"]) < price
    sizes = [size.split(":") for size in row["sizes"].split("|")]
    assert len({size for size, _ in sizes}) == len(sizes)
    assert sum(int(stock) for _, stock in sizes) > 0
    for column in ("title", "title_ko", "description", "description_ko", "brand", "colour", "design"):
        assert row[column].strip() == row[column] != ""
    if row["category"] == "lower":
        assert row["sleeve"] == ""
    else:
        assert row["sleeve"] in {"sleeveless", "short", "three_quarter", "long"}


@by_name
def test_a_picture_is_fit_to_show(row):
    name = name_of(row)
    path = PICTURES / f"{name}.jpg"
    picture = cv2.imread(str(path))
    assert path.stat().st_size <= 110_000
    assert picture.shape == (1200, 900, 3) == (*KNOWN[name]["size"], 3)
    corners = picture[[5, 5, -5, -5], [5, -5, 5, -5]]
    assert corners.min() > 200 and np.ptp(corners.astype(int), axis=1).max() < 16  # a light, neutral backdrop


@by_name
def test_a_mask_covers_the_garment_and_nothing_else(row):
    name = name_of(row)
    mask, picture = mask_of(name), cv2.imread(str(PICTURES / f"{name}.jpg"))
    assert mask.shape == picture.shape[:2]
    assert 0.12 < (mask > 127).mean() < 0.7
    assert not mask[:8].any() and not mask[-8:].any() and not mask[:, :8].any() and not mask[:, -8:].any()
    assert cv2.connectedComponents((mask > 127).astype(np.uint8))[0] == 2  # the ground and one garment
    assert len(np.unique(mask)) > 3  # the edge is soft
    far = cv2.erode((mask < 8).astype(np.uint8), np.ones((61, 61)))
    backdrop = picture[far > 0].mean(axis=1)
    assert backdrop.min() > 190


@by_name
def test_landmarks_lie_on_the_garment(row):
    name = name_of(row)
    entry, mask = KNOWN[name], mask_of(name)
    marks = entry["landmarks"]
    names = {key.removesuffix("_left") for key in marks if key.endswith("_left")}
    assert names >= REQUIRED[row["category"]]
    assert ("cuff_outer" in names) == (row["sleeve"] not in ("", "sleeveless"))
    # Where a curve rounds a corner off, the point is up to a few pixels outside.
    near = cv2.dilate((mask > 127).astype(np.uint8), np.ones((19, 19)))
    for key, (x, y) in marks.items():
        assert near[round(y), round(x)], key
    if "cuff_inner" in names:  # an arm goes into the sleeve, so its seam has a length
        assert marks["cuff_inner_right"][0] > marks["armpit_right"][0]
        assert marks["cuff_inner_left"][0] < marks["armpit_left"][0]
    for key in names:
        assert marks[f"{key}_left"][0] < marks[f"{key}_right"][0], key  # as the viewer sees it


@by_name
def test_the_neckline_runs_from_left_to_right_below_the_back_of_the_neck(row):
    name = name_of(row)
    entry = KNOWN[name]
    if row["category"] == "lower":
        assert entry["neckline"] == []
        return
    line = np.array(entry["neckline"])
    marks = entry["landmarks"]
    assert line[0, 0] < line[len(line) // 2, 0] < line[-1, 0]
    assert marks["collar_left"][0] - 2 <= line[:, 0].min() and line[:, 0].max() <= marks["collar_right"][0] + 2
    assert marks["neck_back"][1] < marks["neck_front"][1]
    assert abs(line[:, 1].max() - marks["neck_front"][1]) < 6


def test_drawing_a_garment_again_gives_the_stored_picture():
    picture, mask, geometry = photograph("rib-tank-black")
    stored = cv2.imread(str(PICTURES / "rib-tank-black.jpg"))[..., ::-1]
    assert np.abs(picture.astype(int) - stored).mean() < 3
    assert np.abs(mask.astype(int) - mask_of("rib-tank-black")).max() <= 9  # half a step of the stored edge
    assert geometry == KNOWN["rib-tank-black"]
