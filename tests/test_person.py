"""A photo is made ready."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from preprocessing.labels import Joint, Parse
from preprocessing.person.checks import HIPS_SYNTHESISED, check_photo
from preprocessing.person.prepare import PreparedPerson, prepare_person
from tests.fields import same_fields


@pytest.fixture(scope="module")
def person():
    return prepare_person(astronaut())


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
