"""DensePose's parts without its network: where each lies, which side is which, and HR-VITON's colours."""

import cv2
import numpy as np
import pytest

from benchmarks.densepose import overlaps
from preprocessing.labels import LEG_SURFACE, DensePose, Joint, Parse
from preprocessing.person.densepose import densepose, labels_of, picture
from preprocessing.person.prepare import PreparedPerson
from tests import drawn_person


@pytest.fixture(scope="module")
def person():
    return drawn_person.person()


@pytest.fixture(scope="module")
def labels(person):
    return densepose(person)


def with_(person, **fields):
    return PreparedPerson(**{name: getattr(person, name) for name in person.__dataclass_fields__} | fields)


@pytest.mark.parametrize(
    "place, part",
    [
        ((450, 350), "TORSO_FRONT"),
        ((435, 110), "HEAD_RIGHT"),
        ((465, 110), "HEAD_LEFT"),
        ((450, 195), "HEAD_"),
        ((592, 525), "LEFT_HAND"),
        ((308, 525), "RIGHT_HAND"),
        ((500, 650), "LEFT_THIGH_FRONT"),
        ((400, 650), "RIGHT_THIGH_FRONT"),
        ((500, 850), "LEFT_CALF_FRONT"),
        ((400, 850), "RIGHT_CALF_FRONT"),
        ((505, 990), "LEFT_FOOT"),
        ((395, 990), "RIGHT_FOOT"),
        ((563, 310), "LEFT_UPPER_ARM_OUTER"),
        ((545, 330), "LEFT_UPPER_ARM_INNER"),
        ((325, 400), "RIGHT_FOREARM_OUTER"),
        ((450, 800), "BACKGROUND"),
        ((450, 1050), "BACKGROUND"),
    ],
)
def test_where_the_parts_lie(labels, place, part):
    assert DensePose(labels[place[1], place[0]]).name.startswith(part)


def test_a_person_seen_from_the_front_shows_no_back(labels):
    shown = {DensePose(label).name for label in np.unique(labels)}
    assert not [name for name in shown if name.endswith("_BACK")]
    assert len(shown) == 1 + 24 - 5, "all parts but the backs of torso, thighs and calves"


def test_nothing_lies_outside_the_person(person, labels):
    near = cv2.dilate(person.mask, np.ones((5, 5))) > 0
    assert not labels[~near].any()
    assert (labels[person.mask > 0] > 0).mean() > 0.9


def test_the_mirror_image_has_left_and_right_exchanged(person, labels):
    keypoints = person.keypoints.copy()
    keypoints[:, 0] = person.image.shape[1] - keypoints[:, 0]
    for joint in Joint:
        if joint.name.startswith("L_"):
            other = Joint["R_" + joint.name[2:]]
            keypoints[[joint, other]] = keypoints[[other, joint]]
    mirrored = densepose(
        with_(person, keypoints=keypoints, mask=person.mask[:, ::-1].copy(), parse=person.parse[:, ::-1].copy())
    )
    exchange = {}
    for part in DensePose:
        name = part.name.replace("LEFT", "?").replace("RIGHT", "LEFT").replace("?", "RIGHT")
        exchange[part] = DensePose[name]
    table = np.array([exchange[part] for part in DensePose], np.uint8)
    assert (table[mirrored[:, ::-1]] == labels).mean() > 0.99


def test_the_palm_shows_the_inner_half_of_a_forearm(person):
    keypoints = person.keypoints.copy()
    keypoints[[Joint.L_INDEX_FINGER, Joint.L_LITTLE_FINGER]] = keypoints[[Joint.L_LITTLE_FINGER, Joint.L_INDEX_FINGER]]
    back, palm = (
        (found == DensePose.LEFT_FOREARM_INNER).sum() / np.isin(found, FOREARM).sum()
        for found in (densepose(person), densepose(with_(person, keypoints=keypoints)))
    )
    assert back < 0.3 and palm > 0.7


FOREARM = (DensePose.LEFT_FOREARM_INNER, DensePose.LEFT_FOREARM_OUTER)


def test_the_torso_follows_shoulders_that_lean(person):
    keypoints = person.keypoints.copy()
    keypoints[Joint.L_SHOULDER, 1] += 40
    keypoints[Joint.R_SHOULDER, 1] -= 40
    found = densepose(with_(person, keypoints=keypoints, mask=np.full_like(person.mask, 255)))
    right, left = (np.nonzero(found[:, x] == DensePose.TORSO_FRONT)[0].min() for x in (390, 510))
    assert 40 < left - right < 80


def test_a_forearm_behind_the_back_is_not_drawn(person):
    keypoints = person.keypoints.copy()
    keypoints[Joint.L_WRIST] = 440, 470, 60, 0.1
    found = densepose(with_(person, keypoints=keypoints))
    assert not np.isin(found, (*FOREARM, DensePose.LEFT_HAND)).any()
    assert found[440, 470] == DensePose.TORSO_FRONT


def test_the_nearer_of_two_crossing_arms_lies_on_top(person):
    keypoints = person.keypoints.copy()
    for joint, x in ((Joint.L_WRIST, 400), (Joint.R_WRIST, 500)):
        keypoints[joint, :2] = x, 400
    for near, far in ((Joint.L_WRIST, Joint.R_WRIST), (Joint.R_WRIST, Joint.L_WRIST)):
        keypoints[near, 2], keypoints[far, 2] = -50, 0
        found = DensePose(densepose(with_(person, keypoints=keypoints))[395, 450]).name
        assert found.startswith("LEFT" if near == Joint.L_WRIST else "RIGHT")


def test_under_a_skirt_there_are_two_legs_and_cloth_between(person):
    triangle = np.array([(400, 480), (500, 480), (620, 780), (280, 780)])
    mask, parse = person.mask.copy(), person.parse.copy()
    cv2.fillPoly(mask, [triangle], 255)
    cv2.fillPoly(parse, [triangle], int(Parse.SKIRT))
    found = densepose(with_(person, mask=mask, parse=parse))
    assert found[720, 600] == DensePose.BACKGROUND and found[720, 450] == DensePose.BACKGROUND
    assert found[720, 500] in LEG_SURFACE and found[720, 400] in LEG_SURFACE


def test_legs_out_of_sight_are_not_made_up(person):
    keypoints = person.keypoints.copy()
    below = [Joint.L_KNEE, Joint.R_KNEE, Joint.L_ANKLE, Joint.R_ANKLE]
    keypoints[below, 3] = 0.1
    found = {DensePose(label).name for label in np.unique(densepose(with_(person, keypoints=keypoints)))}
    assert "LEFT_THIGH_FRONT" in found
    assert not {name for name in found if "CALF" in name or "FOOT" in name}


def test_colours_are_those_of_hr_viton_and_lead_back(labels):
    colours = picture(np.arange(25, dtype=np.uint8)[None])
    assert colours[0, 0].tolist() == [0, 0, 0]
    parula = cv2.applyColorMap(np.array([[21]], np.uint8), cv2.COLORMAP_PARULA)[0, 0, ::-1]
    assert colours[0, 2].tolist() == parula.tolist(), "2 of 24 is 21 of 255"
    assert len(np.unique(colours[0], axis=0)) == 25
    assert np.array_equal(labels_of(picture(labels)), labels)
    jpeg = cv2.imencode(".jpg", picture(labels)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[..., ::-1]
    assert (labels_of(decoded) == labels).mean() > 0.97


def test_overlaps_are_of_the_body_and_of_large_parts(labels):
    found = overlaps(labels, labels)
    assert set(found.values()) == {1.0} and {"body", "TORSO_FRONT"} <= set(found)
    moved = np.roll(labels, 40, 1)
    assert 0.3 < overlaps(moved, labels)["body"] < 0.9
