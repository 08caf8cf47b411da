"""Maps that callers get: a garment's mask by a network where our own is unsure, a person's maps for HD engines."""

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest

from preprocessing import networks
from preprocessing.garment.mask import FoundMask, find_mask
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.labels import Body25, DensePose, Parse
from preprocessing.networks.cloth import surer
from preprocessing.networks.clothes import with_clothes
from preprocessing.networks.known import KNOWN
from preprocessing.networks.person import Frame, frame, frame_version, maps
from preprocessing.networks.session import Session
from preprocessing.person.body25 import body25
from preprocessing.person.densepose import densepose
from preprocessing.person.prepare import PreparedPerson, prepare_person
from tests import pictures
from tests import tiny_networks as tiny

CLOTH_SEG = KNOWN["u2net_cloth_seg"]


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """A network that takes red for the garment, and what it was asked."""
    network = tiny.masker(tmp_path / "m.onnx")
    asked = []
    monkeypatch.setattr(networks, "look", lambda role, image: asked.append(role) or Session(network).look(image))
    return asked


def red_square() -> np.ndarray:
    image = np.zeros((320, 240, 3), np.uint8)
    image[80:240, 60:180] = tiny.PURE["red"]
    return image


def test_a_studios_picture_asks_no_network(chosen):
    image = np.asarray(pictures.tee())
    found = find_mask(image)
    assert surer(found, image) is found
    assert not chosen


@pytest.mark.parametrize(("plain", "clear"), [(0.9, 1.0), (1.0, 0.7)])
def test_an_unsure_mask_gives_way(chosen, plain, clear):
    image = red_square()
    found = surer(FoundMask(np.zeros(image.shape[:2], np.float32), plain, clear), image)
    assert chosen == ["cloth_mask"]
    truth = image[..., 0] > 0
    assert (found.hard & truth).sum() / (found.hard | truth).sum() > 0.95
    assert found.plain == 1
    assert found.clear > 0.99


def test_a_network_in_doubt_is_told_from_one_with_a_soft_edge(monkeypatch):
    soft = np.zeros((400, 300), np.float32)
    soft[100:300, 60:240] = 1
    soft = cv2.GaussianBlur(soft, (0, 0), 2)
    clear = []
    for doubt in (soft, np.where(np.arange(400)[:, None] > 270, 0.6 * soft, soft)):
        monkeypatch.setattr(networks, "look", lambda role, image, doubt=doubt: doubt)
        clear.append(surer(None, np.zeros((400, 300, 3), np.uint8)).clear)
    assert clear[0] > 0.99
    assert clear[1] < 0.9


def test_what_nothing_was_found_in_is_looked_at_by_the_network(chosen):
    assert surer(None, red_square()).hard.any()
    assert surer(None, red_square() * 0) is None


def test_a_network_that_sees_nothing_or_everything_changes_nothing(chosen):
    own = FoundMask(np.ones((320, 240), np.float32), 0.5)
    for level in (0, 255):
        assert surer(own, np.full((320, 240, 3), level, np.uint8)) is own


def test_a_garment_is_prepared_with_the_operators_network(tmp_path, monkeypatch):
    network = tiny.masker(tmp_path / "reds.onnx", size=(64, 48))
    (tmp_path / "networks.toml").write_text(
        f'[reds]\nrole = "cloth_mask"\nfile = "reds.onnx"\nsha256 = "{network.sha256}"\nsize = [64, 48]\n'
        'decode = "soft"\nrefine = true\n'
    )
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    monkeypatch.setenv("NETWORKS", "cloth_mask=reds")
    carpet = np.random.default_rng(1).integers(0, 200, (640, 480, 1), np.uint8) * np.uint8([0, 1, 1])
    shirt = np.asarray(pictures.tee().resize((480, 640)))
    truth = find_mask(shirt).hard
    image = np.where(truth[..., None], np.uint8([255, 30, 30]), carpet)
    prepared = prepare_garment(image, "upper", Attributes(sleeve="short"))
    networks.process(networks.choices()["cloth_mask"]).end()
    assert np.array_equal(prepared.mask, np.round(Session(replace(network, refine=True)).look(image) * 255))
    found = prepared.mask > 127
    assert (found & truth).sum() / (found | truth).sum() > 0.98
    assert not prepared.problems


def test_without_a_network_our_own_stands(monkeypatch):
    monkeypatch.delenv("NETWORKS", raising=False)
    own = FoundMask(np.ones((320, 240), np.float32), 0.5)
    assert surer(own, red_square()) is own
    assert surer(None, red_square()) is None


# --- Clothes by a network, the rest by the house ----------------------------------------------------------


def test_clothes_are_the_networks_and_everything_else_stays():
    parse = np.zeros((40, 30), np.uint8)
    parse[5:10, 10:20] = Parse.FACE
    parse[10:35, 8:22] = Parse.UPPER
    parse[15:20, 12:18] = Parse.LEFT_ARM
    seen = np.zeros_like(parse)
    seen[9:22, 6:24] = Parse.UPPER
    seen[22:30, 6:24] = Parse.PANTS
    seen[0:3, 0:3] = Parse.UPPER  # somebody else
    found = with_clothes(parse, seen, CLOTH_SEG)
    assert (found[5:10, 10:20] == Parse.FACE).all()
    assert (found[15:20, 12:18] == Parse.LEFT_ARM).all()
    assert (found[22:30, 6:24] == Parse.PANTS).all()
    assert (found[10:15, 6:24] == Parse.UPPER).all()
    assert (found[30:35, 8:22] == Parse.UPPER).all()  # overlooked by the network
    assert not found[:3].any()
    assert found.dtype == np.uint8
    assert (parse[22:35, 8:22] == Parse.UPPER).all()  # left alone


def test_lower_clothes_are_a_skirt_where_the_house_saw_one():
    parse = np.full((40, 30), Parse.SKIRT, np.uint8)
    parse[:15] = Parse.UPPER
    seen = np.where(parse == Parse.SKIRT, Parse.PANTS, parse).astype(np.uint8)
    assert np.array_equal(with_clothes(parse, seen, CLOTH_SEG), parse)
    knows = replace(CLOTH_SEG, labels=(*CLOTH_SEG.labels, ("skirt", Parse.SKIRT)))
    assert np.array_equal(with_clothes(parse, seen, knows), seen)


def test_a_whole_body_garment_is_a_skirt_below_a_top_and_else_a_dress():
    parse = np.full((40, 30), Parse.UPPER, np.uint8)
    seen = np.full_like(parse, Parse.DRESS)
    assert (with_clothes(parse, seen, CLOTH_SEG) == Parse.DRESS).all()
    seen[:15] = Parse.UPPER
    found = with_clothes(parse, seen, CLOTH_SEG)
    assert (found[:15] == Parse.UPPER).all()
    assert (found[15:] == Parse.SKIRT).all()


# --- A person's maps --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def person() -> PreparedPerson:
    return prepare_person(np.asarray(pictures.astronaut()))


@pytest.fixture
def answers(monkeypatch):
    """What each role's network says of any picture; choose by adding."""
    given = {}
    monkeypatch.setattr(networks, "look", lambda role, image: given.get(role))
    return given


def test_without_networks_the_maps_are_ours(answers, person):
    found = maps(person)
    assert found.parse is person.parse
    assert np.array_equal(found.points, body25(person.keypoints, person.image.shape[:2]))
    assert np.array_equal(found.densepose, densepose(person))


def test_a_network_for_every_label_replaces_the_parse_map(answers, person, monkeypatch, tmp_path):
    monkeypatch.setattr(networks, "choices", lambda: {"parse": tiny.parser(tmp_path / "p.onnx")})
    answers["parse"] = cv2.flip(person.parse, 1)
    found = maps(person)
    assert np.array_equal(found.parse, answers["parse"])
    assert np.array_equal(found.densepose, densepose(replace(person, parse=answers["parse"])))


def test_a_network_for_clothes_alone_leaves_hair_and_skin(answers, person, monkeypatch, tmp_path):
    labels = (*tiny.COLOURS[:3], ("blue", Parse.SKIRT))
    monkeypatch.setattr(networks, "choices", lambda: {"parse": tiny.parser(tmp_path / "p.onnx", labels=labels)})
    answers["parse"] = np.full_like(person.parse, Parse.PANTS)
    found = maps(person).parse
    kept = np.isin(person.parse, (Parse.HAIR, Parse.FACE, Parse.TORSO_SKIN))
    assert kept.any()
    assert np.array_equal(found[kept], person.parse[kept])
    assert (found[person.parse == Parse.UPPER] == Parse.PANTS).all()


def test_joints_the_network_does_not_see_stay_ours(answers, person):
    own = body25(person.keypoints, person.image.shape[:2])
    answers["keypoints"] = np.zeros((len(Body25), 3), np.float32)
    answers["keypoints"][Body25.NOSE] = 10, 20, 0.9
    found = maps(person).points
    assert found[Body25.NOSE].tolist() == pytest.approx([10, 20, 0.9])
    others = np.delete(np.arange(len(Body25)), Body25.NOSE)
    assert np.array_equal(found[others], own[others])


def test_a_frame_comes_back_from_its_bytes_as_it_was(answers, person):
    made = frame(person)
    data = made.to_bytes()
    again = Frame.from_bytes(data)
    assert again.crop == made.crop
    assert np.array_equal(again.crop.to_frame(person.image), made.crop.to_frame(person.image))
    for name, array in asdict(made.maps).items():
        found = getattr(again.maps, name)
        assert found.dtype == array.dtype
        assert np.array_equal(found, array)
    assert again.to_bytes() == data


def test_the_choice_of_networks_makes_another_frame(monkeypatch, tmp_path):
    monkeypatch.setattr(networks, "choices", dict)
    ours = frame_version()
    monkeypatch.setattr(networks, "choices", lambda: {"parse": tiny.parser(tmp_path / "p.onnx")})
    assert frame_version() != ours
    monkeypatch.setattr(networks, "choices", lambda: {"cloth_mask": tiny.parser(tmp_path / "p.onnx")})
    assert frame_version() == ours  # garments' networks change nothing of a person


def test_a_densepose_network_replaces_the_capsules(answers, person):
    answers["densepose"] = np.full_like(person.parse, DensePose.TORSO_FRONT)
    assert maps(person).densepose is answers["densepose"]
