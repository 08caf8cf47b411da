"""The rendered people of the sample shop: the pictures are there and as described."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SAMPLE = Path(__file__).parent.parent / "sample"
PEOPLE = json.loads((SAMPLE / "people.json").read_text())
each_person = pytest.mark.parametrize("person", PEOPLE, ids=lambda p: p["name"])


@each_person
def test_picture_is_a_plain_jpeg_of_the_right_size(person):
    path = SAMPLE / person["file"]
    assert path.stat().st_size <= 200_000
    with Image.open(path) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (768, 1024))
        assert not picture.getexif()
        assert "exif" not in picture.info
        picture.load()


@each_person
def test_person_stands_in_the_middle_before_a_plain_backdrop(person):
    """The upper corners are even and light; the middle, where the clothes are, is clearly darker."""
    pixels = np.asarray(Image.open(SAMPLE / person["file"]).convert("L"), float)
    left, right = pixels[:200, :150], pixels[:200, -150:]
    assert left.std() < 12
    assert right.std() < 12
    assert pixels[450:650, 300:470].mean() < min(left.mean(), right.mean()) - 25


@each_person
def test_person_is_labelled(person):
    assert person["note"] == "computer-made"
    assert all(person[word] for word in ("name", "gender", "skin_tone", "body_shape"))


@each_person
def test_person_is_an_adult(person):
    """The modelling library's age axis reaches adults at two thirds."""
    assert person["look"]["phenotype"]["age"] >= 0.67


def test_pictures_and_entries_match_one_to_one():
    files = [person["file"] for person in PEOPLE]
    assert sorted(files) == sorted(f"people/{p.name}" for p in (SAMPLE / "people").iterdir())


def test_women_and_men_of_several_skin_tones_and_shapes():
    assert {person["gender"] for person in PEOPLE} == {"woman", "man"}
    assert len({person["skin_tone"] for person in PEOPLE}) >= 3
    assert len({person["body_shape"] for person in PEOPLE}) >= 3
