"""The preview engine puts a drawn top on a person, and leaves alone what is the person's own."""

from dataclasses import replace

import numpy as np
import pytest
from skimage.data import astronaut

from preprocessing import colour
from preprocessing.errors import Refusal
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.labels import Joint, Parse
from preprocessing.person.prepare import PreparedPerson, prepare_person
from tests import drawn_garments
from tryon.engines import ENGINES
from tryon.engines.base import Inputs
from tryon.engines.preview import checks
from tryon.engines.preview.compose import Composite, Drawn

RED = (170, 40, 50)


@pytest.fixture(scope="module")
def person():
    return prepare_person(astronaut())


@pytest.fixture(scope="module")
def engine():
    return ENGINES["preview"].load()


@pytest.fixture(scope="module")
def tee():
    return prepare_garment(drawn_garments.tee(colour=RED)[0], "upper", Attributes(sleeve="short"))


@pytest.fixture(scope="module")
def result(engine, person, tee):
    return engine.generate(Inputs(person, [tee]))


def test_the_tee_is_seen_on_the_chest(person, result):
    assert result.image.shape == person.image.shape
    assert result.image.dtype == np.uint8
    chest = result.image[330:380, 180:250].reshape(-1, 3)
    assert colour.difference(colour.to_lab(chest).mean(0), colour.to_lab(np.uint8(RED))) < 8
    assert result.notes["delta_e"] < 6
    assert result.notes["seen"] > 0.8


def test_outside_touched_every_byte_is_the_photos(person, result):
    assert result.touched.dtype == bool
    assert 0.1 < result.touched.mean() < 0.7
    assert np.array_equal(result.image[~result.touched], person.image[~result.touched])


def test_the_face_keeps_every_byte(person, result):
    nose = person.keypoints[Joint.NOSE, :2].astype(int)
    face = person.parse == Parse.FACE
    core = np.zeros_like(face)
    core[nose[1] - 25 : nose[1] + 25, nose[0] - 20 : nose[0] + 20] = True
    core &= face
    assert core.sum() > 1000
    assert not result.touched[core].any()
    assert np.array_equal(result.image[core], person.image[core])


def test_the_same_input_gives_the_same_bytes(engine, person, tee, result):
    stored = PreparedPerson.from_bytes(person.to_bytes())
    again = engine.generate(Inputs(stored, [tee]))
    assert np.array_equal(again.image, result.image)
    assert np.array_equal(again.touched, result.touched)
    assert again.notes == result.notes


@pytest.mark.parametrize(
    "drawn, sleeve",
    [(drawn_garments.tee, "short"), (drawn_garments.jumper, "long"), (drawn_garments.tank, "sleeveless")],
)
def test_no_cloth_is_folded(engine, person, drawn, sleeve):
    garment = prepare_garment(drawn()[0], "upper", Attributes(sleeve=sleeve))
    assert engine.generate(Inputs(person, [garment])).notes["folds"] == 0


@pytest.mark.parametrize(
    "picture, attributes",
    [
        (drawn_garments.tee()[0], Attributes(sleeve="long")),
        (np.full((500, 400, 3), 230, np.uint8), Attributes()),
    ],
    ids=["a tee the catalogue calls long-sleeved", "nothing"],
)
def test_garments_that_cannot_be_previewed_are_refused(engine, person, picture, attributes):
    garment = prepare_garment(picture, "upper", attributes)
    with pytest.raises(Refusal) as refused:
        engine.generate(Inputs(person, [garment]))
    assert refused.value.code == "garment.not_previewable"
    assert garment.problems[0].code in refused.value.detail


def test_a_top_found_from_the_waist_down_only_is_torn(engine, person, tee):
    top = min(point[1] for point in tee.landmarks.values())
    lower = 0.5 * (top + tee.landmarks["hem_left"][1])
    mask, parts = tee.mask.copy(), tee.parts.copy()
    mask[: int(lower)], parts[: int(lower)] = 0, 0
    with pytest.raises(Refusal) as refused:
        engine.generate(Inputs(person, [replace(tee, mask=mask, parts=parts)]))
    assert refused.value.code == "result.torn"


def composite(image, cover=1.0, cloth=None, folds=0, chest=1.0):
    """One garment all over a picture, half of it hidden with `cover` 0.5."""
    shape = image.shape[:2]
    cloth = image if cloth is None else np.full(image.shape, cloth, np.uint8)
    drawn = Drawn(
        cloth=cloth.astype(np.float32), cover=np.full(shape, cover, np.float32), whole=np.ones(shape, np.float32),
        folds=folds, chest=chest,
    )  # fmt: skip
    return Composite(image, np.ones(shape, bool), (drawn,))


PHOTO, PICTURE = np.full((60, 50, 3), 90, np.uint8), np.full((60, 50, 3), 160, np.uint8)


@pytest.mark.parametrize(
    "code, made",
    [
        ("result.no_change", composite(PHOTO)),
        ("result.hidden", composite(PICTURE, cover=0.3)),
        ("result.torn", composite(PICTURE, chest=0.6)),
        ("result.folded", composite(PICTURE, folds=1)),
        ("result.colour_drift", composite(PICTURE, cloth=(200, 40, 40))),
    ],
)
def test_results_not_worth_showing_are_refused(code, made):
    with pytest.raises(Refusal) as refused:
        checks.check(checks.facts(PHOTO, made))
    assert refused.value.code == code


def test_a_good_result_passes():
    notes = checks.facts(PHOTO, composite(PICTURE))
    assert notes["delta_e"] == 0
    checks.check(notes)
