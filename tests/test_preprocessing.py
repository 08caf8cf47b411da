"""Photos and garment pictures are made ready, or refused with a reason."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from preprocessing import colour
from preprocessing.checks import check_photo
from preprocessing.errors import Refusal
from preprocessing.garment import PreparedGarment, prepare_garment
from preprocessing.garment_landmarks import CUFFS, REQUIRED
from preprocessing.labels import Joint, Parse
from preprocessing.person import HIPS_SYNTHESISED, PreparedPerson, prepare_person
from tests import drawn_garments


@pytest.fixture(scope="module")
def person():
    return prepare_person(astronaut())


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def same_fields(a, b):
    for name in a.__dataclass_fields__:
        first, second = getattr(a, name), getattr(b, name)
        if isinstance(first, np.ndarray):
            assert np.array_equal(first, second) and first.dtype == second.dtype, name
        else:
            assert first == second, name


def test_a_person_is_found_and_parsed(person):
    assert np.array_equal(person.image, astronaut())
    left, right = (person.keypoints[joint, 0] for joint in (Joint.L_SHOULDER, Joint.R_SHOULDER))
    assert right < 200 < left
    shares = {label: float((person.parse == label).mean()) for label in Parse}
    assert shares[Parse.UPPER] > 0.25
    assert 0.02 < shares[Parse.HAIR] < 0.1
    assert 0.02 < shares[Parse.FACE] < 0.1
    assert person.parse[110, 220] == Parse.FACE
    assert person.parse[400, 200] == Parse.UPPER
    assert person.mask[400, 200] == 255
    assert person.mask[20, 20] < 64


def test_hips_out_of_sight_are_made_from_the_shoulders_and_marked(person):
    assert HIPS_SYNTHESISED in person.flags
    shoulders, hips = (
        (person.keypoints[a, :2] + person.keypoints[b, :2]) / 2
        for a, b in ((Joint.L_SHOULDER, Joint.R_SHOULDER), (Joint.L_HIP, Joint.R_HIP))
    )
    assert hips[1] > shoulders[1] + 200
    assert "photo.hips_outside" in {finding.code for finding in check_photo(person)}


def test_a_large_photo_is_brought_to_the_working_size():
    large = cv2.resize(astronaut(), (1300, 1500), interpolation=cv2.INTER_CUBIC)
    assert prepare_person(large).image.shape == (1024, 887, 3)


def test_a_person_goes_to_bytes_and_back(person):
    data = person.to_bytes()
    same_fields(PreparedPerson.from_bytes(data), person)
    assert data == prepare_person(astronaut()).to_bytes()


@pytest.mark.parametrize(
    "photo, code",
    [
        (np.full((600, 400, 3), 200, np.uint8), "photo.no_person"),
        (np.hstack([astronaut(), astronaut()]), "photo.several_people"),
        (astronaut()[:200, :200], "photo.too_small"),
        (cv2.resize(astronaut()[20:230, 145:320], None, fx=2, fy=2), "photo.shoulders_outside"),
        (cv2.copyMakeBorder(astronaut(), 1800, 1800, 1800, 1800, cv2.BORDER_REPLICATE), "photo.no_person"),
    ],
    ids=["blank", "two people", "tiny", "only a face", "far away"],
)
def test_photos_that_cannot_be_used(photo, code):
    with pytest.raises(Refusal) as refused:
        prepare_person(photo)
    assert refused.value.code == code
    assert refused.value.sentence.endswith(".")


def test_a_photo_without_a_head_is_refused():
    with pytest.raises(Refusal) as refused:
        prepare_person(astronaut()[200:])
    assert refused.value.code in {"photo.no_person", "photo.face_hidden", "photo.shoulders_outside"}


@pytest.mark.parametrize(
    "drawn, sleeve",
    [(drawn_garments.tee, "short"), (drawn_garments.jumper, "long"), (drawn_garments.tank, "sleeveless")],
)
@pytest.mark.parametrize("colour", [(170, 40, 50), (40, 46, 60), (120, 150, 200)])
def test_a_top_is_found_without_its_shadow(drawn, sleeve, colour):
    picture, exact = drawn(colour=colour)
    garment = prepare_garment(picture, "upper", sleeve=sleeve)
    assert garment.problems == ()
    assert garment.sleeve == sleeve
    assert iou(garment.mask > 127, exact) > 0.975
    assert set(REQUIRED) <= set(garment.landmarks)
    assert (CUFFS[0] in garment.landmarks) == (sleeve != "sleeveless")


def test_a_white_top_is_found_on_near_white():
    picture, exact = drawn_garments.tee(colour=(248, 248, 248), background=(236, 236, 235), folds=0.012)
    assert iou(prepare_garment(picture, "upper").mask > 127, exact) > 0.95


def test_a_top_is_found_on_a_coloured_cloth():
    picture, exact = drawn_garments.tee(colour=(225, 224, 220), background=(120, 20, 30))
    assert iou(prepare_garment(picture, "upper").mask > 127, exact) > 0.96


def test_landmarks_lie_where_they_were_drawn():
    picture, _ = drawn_garments.tee()
    garment = prepare_garment(picture, "upper")
    drawn = {
        "armpit_right": (90, 128),
        "cuff_outer_right": (142, 118),
        "hem_right": (92, 320),
        "collar_right": (32, 40),
    }
    for name, (x, y) in drawn.items():
        found = np.array(garment.landmarks[name])
        assert np.hypot(*(found - (x * 2 + 300, y * 2 + 20))) < 25, name


def test_a_transparent_picture_brings_its_own_mask():
    picture, exact = drawn_garments.tee(shadow=False)
    cut_out = np.dstack([picture, exact.astype(np.uint8) * 255])
    cut_out[720:740, 200:400] = (60, 60, 60, 255)  # a drawn shadow below
    garment = prepare_garment(cut_out, "upper")
    assert iou(garment.mask > 127, exact) > 0.99


def test_exact_mask_and_landmarks_are_taken_as_they_are():
    picture, exact = drawn_garments.tee()
    found = prepare_garment(picture, "upper")
    given = {**found.landmarks, "collar_left": (200.0, 90.0), "neckline": [(240, 100), (300, 180), (360, 100)]}
    garment = prepare_garment(picture, "upper", mask=exact, landmarks=given)
    assert garment.problems == ()
    assert np.array_equal(garment.mask > 127, exact)
    assert garment.landmarks["collar_left"] == (200.0, 90.0)
    assert garment.neckline.tolist() == [[240, 100], [300, 180], [360, 100]]


@pytest.mark.parametrize("category", ["lower", "dress"])
def test_other_categories_are_not_previewed_but_have_mask_and_colours(category):
    picture, exact = drawn_garments.tee()
    garment = prepare_garment(picture, category)
    assert [problem.code for problem in garment.problems] == ["garment.category_not_supported"]
    assert iou(garment.mask > 127, exact) > 0.975
    assert len(garment.colours) > 0


@pytest.mark.parametrize("drawn, sleeve", [(drawn_garments.tee, "long"), (drawn_garments.tank, "short")])
def test_a_sleeve_that_contradicts_the_catalogue_is_a_problem(drawn, sleeve):
    picture, _ = drawn()
    garment = prepare_garment(picture, "upper", sleeve=sleeve)
    assert [problem.code for problem in garment.problems] == ["garment.sleeve_conflict"]


def test_a_picture_without_a_garment_is_a_problem_and_no_error():
    garment = prepare_garment(np.full((500, 400, 3), 230, np.uint8), "upper")
    assert garment.mask is None
    assert [problem.code for problem in garment.problems] == ["garment.not_found"]
    same_fields(PreparedGarment.from_bytes(garment.to_bytes()), garment)


def test_no_shape_makes_it_raise():
    chance = np.random.default_rng(5)
    for _ in range(40):
        corners = chance.integers((-20, -20), (220, 280), (chance.integers(3, 14), 2)).astype(np.int32)
        picture = cv2.fillPoly(np.full((260, 200, 3), 230, np.uint8), [corners], (120, 40, 60))
        garment = prepare_garment(picture, "upper")
        assert garment.parts is not None or garment.problems


@pytest.mark.parametrize("sides", [("left",), ("left", "right", "bottom")])
def test_a_garment_cut_off_by_the_picture_is_a_problem(sides):
    picture, _ = drawn_garments.tee(shadow=False)
    left, right = 130 if "left" in sides else 0, 470 if "right" in sides else 600
    picture = picture[: 560 if "bottom" in sides else 760, left:right]
    assert prepare_garment(picture, "upper").problems


def test_a_garment_goes_to_bytes_and_back():
    picture, _ = drawn_garments.jumper()
    garment = prepare_garment(picture, "upper", sleeve="long")
    data = garment.to_bytes()
    same_fields(PreparedGarment.from_bytes(data), garment)
    assert data == prepare_garment(picture, "upper", sleeve="long").to_bytes()


def test_dominant_colours_are_those_drawn():
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, :70], picture[:, 70:] = (200, 30, 40), (250, 250, 250)
    found = colour.dominant(picture, np.ones((100, 100), bool))
    assert found[:, 3].tolist() == pytest.approx([0.7, 0.3], abs=0.01)
    for row, rgb in zip(found, [(200, 30, 40), (250, 250, 250)], strict=True):
        assert colour.difference(row[:3], colour.to_lab(np.uint8(rgb))) < 0.5


def test_colour_difference_agrees_with_published_pairs():
    """Rows 1, 7, 13 and 24 of Sharma, Wu and Dalal 2005."""
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
        ((50, 2.5, 0), (61, -5, 29), 22.8977),
    ]
    for first, second, expected in pairs:
        assert colour.difference(first, second) == pytest.approx(expected, abs=1e-4)
