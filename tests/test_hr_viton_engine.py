"""HR-VITON as an engine: its picture goes back into the photo where the garment is, and nowhere else.

No weights are here, so a stand-in draws what trained networks would: the whole frame, a little blurred, in a light of
its own, the wall made up where it was hidden.
"""

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
import torch

from preprocessing import colour
from preprocessing.errors import Refusal
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.garment.problems import PROBLEMS
from preprocessing.labels import LABEL13_OF_PARSE, Body25, DensePose, Label13, Parse
from preprocessing.networks.person import frame
from preprocessing.person.agnostic import agnostic
from preprocessing.weights import WeightsMissing
from tests import drawn_garments, drawn_person
from tryon.engines import ENGINES
from tryon.engines.base import Inputs
from tryon.engines.hr_viton import engine as module
from tryon.engines.hr_viton.composite import View, paste
from tryon.engines.hr_viton.condition_generator import ConditionGenerator
from tryon.engines.hr_viton.engine import HRViton
from tryon.engines.hr_viton.image_generator import ImageGenerator
from tryon.engines.hr_viton.inputs import placed
from tryon.engines.hr_viton.pipeline import Output

BLUE = (50, 60, 170)
THEIR_LIGHT = np.array([0.84, 0.86, 0.88])


def out_of_sight(image, seen):
    maps = seen.maps
    return (agnostic("upper", image, maps.parse, maps.points, maps.densepose) != image).any(-1)


def vest(image, maps, hidden) -> Output:
    """A person without sleeves in a blue vest, as trained networks would draw one."""
    labels = np.array([LABEL13_OF_PARSE[label] for label in Parse], np.uint8)[maps.parse]
    sleeves = (maps.parse == Parse.UPPER) & (maps.densepose != DensePose.TORSO_FRONT)
    left = np.arange(image.shape[1]) > maps.points[Body25.NECK, 0]  # the person's own
    labels[sleeves & left], labels[sleeves & ~left] = Label13.LEFT_ARM, Label13.RIGHT_ARM
    picture = image.astype(np.float64)
    picture[hidden & (labels == Label13.BACKGROUND)] = 210
    picture[np.isin(labels, (Label13.LEFT_ARM, Label13.RIGHT_ARM))] = drawn_person.SKIN
    picture = cv2.GaussianBlur(picture * THEIR_LIGHT, (0, 0), 1)
    picture[labels == Label13.UPPER] = BLUE
    return Output(picture.astype(np.uint8), labels)


@dataclass
class StandIn:
    """Answers with pictures made beforehand."""

    output: Output
    asked: list = field(default_factory=list)
    seconds: dict = field(default_factory=lambda: {"image": 1.5})

    def generate(self, samples):
        self.asked += samples
        return [self.output]


@pytest.fixture(scope="module")
def person():
    return drawn_person.person()


@pytest.fixture(scope="module")
def seen(person):
    return frame(person)


@pytest.fixture(scope="module")
def tank():
    return prepare_garment(drawn_garments.tank(colour=BLUE)[0], "upper", Attributes(sleeve="sleeveless"))


@pytest.fixture(scope="module")
def view(person, seen):
    image = seen.crop.to_frame(person.image)
    hidden = out_of_sight(image, seen)
    return View(image, seen.maps.parse, hidden, np.zeros_like(hidden))


@pytest.fixture(scope="module")
def drawn(seen, view):
    return vest(view.image, seen.maps, view.hidden)


@pytest.fixture(scope="module")
def result(person, seen, tank, drawn):
    return HRViton(StandIn(drawn)).generate(Inputs(person, [tank], seen, 5))


def far(mask, pixels):
    return cv2.erode(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2)) > 0


def away(image, mask, expected) -> float:
    return float(colour.difference(colour.to_lab(image[mask]).mean(0), colour.to_lab(np.uint8(expected))))


# --- The picture ------------------------------------------------------------------------------------------


def test_outside_touched_every_byte_is_the_photos(person, result):
    assert result.image.shape == person.image.shape
    assert result.image.dtype == np.uint8
    assert 0.05 < result.touched.mean() < 0.5
    assert np.array_equal(result.image[~result.touched], person.image[~result.touched])


def test_the_garment_is_on_the_chest(person, result):
    chest = np.zeros(person.parse.shape, bool)
    chest[280:450, 410:490] = True
    assert away(result.image, chest, BLUE) < 1
    assert result.notes["delta_e"] < 8
    assert result.notes["dressed"] > 0.6


@pytest.mark.parametrize("label", [Parse.FACE, Parse.HAIR, Parse.PANTS])
def test_what_is_the_persons_own_stays(person, result, label):
    own = far(person.parse == label, 8)
    assert own.sum() > 500
    assert not result.touched[own].any()


def test_hands_and_forearms_stay(person, result):
    arms = far(np.isin(person.parse, (Parse.LEFT_ARM, Parse.RIGHT_ARM)), 8)
    assert arms.sum() > 500
    assert not result.touched[arms].any()


def test_the_wall_stays_where_the_networks_had_to_guess_it(person, seen, view, result):
    hidden_wall = far((seen.crop.labels_to_photo(view.hidden.astype(np.uint8)) > 0) & (person.parse == 0), 12)
    assert hidden_wall.sum() > 2000
    assert not result.touched[hidden_wall].any()


def test_an_arm_out_of_its_sleeve_has_the_light_of_the_photo(person, seen, view, drawn, result):
    bared = np.isin(drawn.labels, (Label13.LEFT_ARM, Label13.RIGHT_ARM)) & (view.parse == Parse.UPPER)
    bared = far(seen.crop.labels_to_photo(bared.astype(np.uint8)) > 0, 6)
    assert bared.sum() > 500
    theirs = seen.crop.to_photo(drawn.image, person.image)
    assert away(theirs, bared, drawn_person.SKIN) > 4
    assert away(result.image, bared, drawn_person.SKIN) < 2


def test_nothing_of_the_old_garment_is_left(result):
    red = colour.difference(colour.to_lab(result.image), colour.to_lab(np.uint8(drawn_person.TOP))) < 12
    assert red.sum() < 20


def test_an_arm_that_went_into_a_narrower_sleeve_is_not_seen(person, seen, view, drawn):
    arms = np.isin(view.parse, (Parse.LEFT_ARM, Parse.RIGHT_ARM)) & view.hidden
    sleeves = far(arms, 6)
    labels = np.where(arms, Label13.BACKGROUND, drawn.labels).astype(np.uint8)
    labels[sleeves] = Label13.UPPER
    picture = np.where(arms[..., None], np.uint8(180), drawn.image)
    picture[sleeves] = BLUE
    pasted = paste(person.image, seen.crop, view, picture, labels)
    where = far(seen.crop.labels_to_photo(arms.astype(np.uint8)) > 0, 1)
    skin = colour.difference(colour.to_lab(pasted.image), colour.to_lab(np.uint8(drawn_person.SKIN))) < 10
    assert (skin & where).sum() < 0.02 * where.sum()


def test_the_same_input_gives_the_same_bytes(person, seen, tank, drawn, result):
    again = HRViton(StandIn(drawn)).generate(Inputs(person, [tank], seen, 5))
    assert np.array_equal(again.image, result.image)
    assert again.notes == result.notes


def test_the_networks_get_the_cut_out_garment_and_the_seed(person, seen, tank, drawn, result):
    stand_in = StandIn(drawn)
    made = HRViton(stand_in).generate(Inputs(person, [tank], seen, 5))
    (sample,) = stand_in.asked
    assert np.array_equal(sample.cloth, placed(tank)[0])
    assert sample.seed == made.notes["seed"] == 5
    assert set(made.timings) == {"inputs", "image", "paste"}
    assert made.timings["image"] == 1.5


def test_without_a_frame_the_engine_makes_one(person, tank, drawn, result):
    made = HRViton(StandIn(drawn)).generate(Inputs(person, [tank], seed=5))
    assert np.array_equal(made.image, result.image)


# --- What lies in front, what lies beyond -----------------------------------------------------------------


def test_a_strap_stays_in_front(person, seen, tank, drawn):
    strap = np.zeros(person.parse.shape, bool)
    strap[250:480, 430:444] = True
    parse = np.where(strap, Parse.BACKGROUND, person.parse).astype(np.uint8)
    image = np.where(strap[..., None], np.uint8([90, 50, 20]), person.image)
    with_bag = replace(person, image=image, parse=parse, carried=strap)
    made = HRViton(StandIn(drawn)).generate(Inputs(with_bag, [tank], frame(with_bag)))
    assert away(made.image, far(strap, 5), (90, 50, 20)) < 1


def test_a_stray_label_on_the_wall_is_none_of_the_garment(person, seen, view, drawn):
    labels = drawn.labels.copy()
    labels[900:960, 20:90] = Label13.UPPER
    pasted = paste(person.image, seen.crop, view, drawn.image, labels)
    assert not pasted.taken[900:960, 20:90].any()


def test_what_lies_beyond_the_photo_is_dropped(person, tank):
    """The photo ends beside the left arm: the frame goes on, the picture does not."""
    cut = slice(person.image.shape[0]), slice(380, 640)
    keypoints = person.keypoints.copy()
    keypoints[:, 0] -= 380
    parts = {name: getattr(person, name)[cut] for name in ("image", "mask", "parse", "carried")}
    narrow = replace(person, keypoints=keypoints, **parts)
    seen = frame(narrow)
    assert seen.crop.padded().mean() > 0.1
    image = seen.crop.to_frame(narrow.image)
    made = HRViton(StandIn(vest(image, seen.maps, out_of_sight(image, seen)))).generate(Inputs(narrow, [tank], seen))
    assert made.image.shape == narrow.image.shape
    assert np.array_equal(made.image[~made.touched], narrow.image[~made.touched])


# --- Refused ----------------------------------------------------------------------------------------------


def refused(call, *arguments) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize(
    "worn, code",
    [
        (lambda g: [replace(g, category="lower")], "garment.category_unsupported"),
        (lambda g: [replace(g, category="dress")], "garment.category_unsupported"),
        (lambda g: [g, replace(g, category="lower")], "garment.category_unsupported"),
        (lambda g: [g, g], "tryon.no_outfits"),
        (lambda g: [], "tryon.no_outfits"),
        (lambda g: [replace(g, mask=None)], "garment.not_previewable"),
        (lambda g: [replace(g, problems=(PROBLEMS["garment.worn"],))], "garment.not_previewable"),
    ],
)
def test_garments_these_networks_do_not_know(person, seen, tank, worn, code):
    stand_in = StandIn(None)
    assert refused(HRViton(stand_in).generate, Inputs(person, worn(tank), seen)).code == code
    assert not stand_in.asked


def test_a_frame_that_went_wrong_reaches_no_network(person, seen, tank):
    stand_in = StandIn(None)
    wrong = replace(seen, maps=replace(seen.maps, parse=seen.maps.parse | np.uint8(255)))
    assert refused(HRViton(stand_in).generate, Inputs(person, [tank], wrong)).code == "inputs.labels"
    assert not stand_in.asked


def test_a_frame_of_another_photo_is_refused(person, seen, tank):
    smaller = replace(person, **{name: getattr(person, name)[:1000] for name in ("image", "mask", "parse", "carried")})
    assert refused(HRViton(StandIn(None)).generate, Inputs(smaller, [tank], seen)).code == "inputs.other_photo"


@pytest.mark.parametrize(
    "came_out, code",
    [
        (lambda d: replace(d, image=d.image * 0), "result.blank"),
        (lambda d: replace(d, image=255 - d.image), "result.not_this_photo"),
        (lambda d: replace(d, labels=d.labels * 0), "result.no_garment"),
    ],
)
def test_pictures_that_are_not_worth_showing(person, seen, tank, drawn, came_out, code):
    networks = HRViton(StandIn(came_out(drawn)))
    assert refused(networks.generate, Inputs(person, [tank], seen)).code == code


def test_the_photo_itself_is_no_try_on(person, seen, tank, drawn):
    smooth = replace(person, image=np.where(person.parse[..., None] > 0, person.image, np.uint8(210)))
    unchanged = replace(drawn, image=seen.crop.to_frame(smooth.image))
    assert refused(HRViton(StandIn(unchanged)).generate, Inputs(smooth, [tank], seen)).code == "result.no_change"


def test_a_garment_behind_a_bag_is_refused(person, seen, tank, drawn):
    carried = np.zeros(person.parse.shape, bool)
    carried[300:520, 300:600] = True
    assert refused(HRViton(StandIn(drawn)).generate, Inputs(replace(person, carried=carried), [tank], seen)).code == (
        "result.hidden"
    )


@pytest.fixture
def untrained(monkeypatch):
    """The engine as a worker loads it, with networks nobody trained."""
    torch.manual_seed(3)
    torch.set_num_threads(1)
    networks = [ConditionGenerator(width=4), ImageGenerator(width=4)]
    monkeypatch.setattr(module.checkpoints, "load", lambda name: networks)
    return module.load()


def test_a_loaded_engine_is_warm(untrained):
    assert untrained.pipeline.seconds


def test_networks_without_training_are_found_out(untrained, person, seen, tank):
    code = refused(untrained.generate, Inputs(person, [tank], seen)).code
    assert code in ("result.blank", "result.not_this_photo", "result.no_garment")


def test_without_weights_there_is_no_engine(monkeypatch, tmp_path):
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsMissing, match="dev weights import hr_viton"):
        ENGINES["hr_viton"].load()


def test_its_card_says_what_it_may_be_used_for():
    info = ENGINES["hr_viton"]
    assert info.queue == "gpu"
    assert info.frame == "upper"
    assert info.categories == {"upper"}
    assert not info.commercial_use
