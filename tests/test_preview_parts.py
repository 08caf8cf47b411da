"""The preview's parts by themselves: patches that never fold, what comes off, what is under it, light and specks."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from preprocessing.garment.parts import BODY, LEFT_SLEEVE
from preprocessing.garment.prepare import Attributes, prepare_garment
from preprocessing.labels import BOTTOMS, Parse
from preprocessing.person.prepare import prepare_person
from tests import drawn_garments, drawn_person
from tryon.engines import ENGINES
from tryon.engines.preview import shade, top, warp
from tryon.engines.preview.arm import SECTIONS, bared, measure_arm
from tryon.engines.preview.cloth import Cloth
from tryon.engines.preview.figure import measure
from tryon.engines.preview.undress import edged, without
from tryon.engines.preview.wardrobe import sort_out


def grid(size=6, step=10.0):
    y, x = np.mgrid[:size, :size] * step
    return np.stack([x, y], axis=-1)


def strip(first, second):
    """A grid between two edges."""
    return np.stack([first + (second - first) * share for share in np.linspace(0, 1, 4)], axis=1)


def test_a_patch_carries_each_pixel_to_its_place():
    flow = warp.draw(warp.Patch(grid(), grid() * 2 + 5), (120, 120))
    assert flow.box == (slice(5, 106), slice(5, 106))
    assert flow.places[40, 60].tolist() == pytest.approx([30, 20], abs=1e-3)


def test_a_pixel_outside_a_patch_shows_nothing():
    leaning = grid()
    leaning[..., 0] += leaning[..., 1]
    flow = warp.draw(warp.Patch(grid(), leaning), (120, 120))
    assert flow.places[45, 5, 0] < -5000


def test_a_patch_beyond_the_photo_is_cut_off():
    flow = warp.draw(warp.Patch(grid(), grid() - 30), (15, 12))
    assert flow.places.shape == (15, 12, 2)
    assert flow.places[2, 3].tolist() == pytest.approx([33, 32], abs=1e-3)


def test_a_folded_patch_is_noticed_and_flattened():
    target = grid()
    target[2, 2] += (25, 0)
    patch = warp.Patch(grid(), target)
    assert warp.folded(patch).any()
    assert not warp.folded(warp.untangled(patch)).any()


def test_a_sleeve_that_turns_about_the_armpit_does_not_fold():
    # The armpit lies further out than the shoulder, and the sleeve hangs: with even steps it would run back under it.
    outer = np.linspace([230, 168], [74, 906], 18)
    inner = np.linspace([206, 292], [182, 914], 18)
    plain = strip(np.linspace([0, 0], [0, 700], 18), np.linspace([100, 0], [100, 700], 18))[:, ::-1]
    assert warp.folded(warp.Patch(plain, strip(outer, inner))).any()
    ((first, second),) = warp.paired([(outer, inner)], 18)
    assert not warp.folded(warp.Patch(plain, strip(first, second))).any()
    assert np.abs(first[[0, -1]] - outer[[0, -1]]).max() < 2
    assert second[0].tolist() == [206, 292]


@pytest.fixture(scope="module")
def person():
    return drawn_person.person()


@pytest.fixture(scope="module")
def figure(person):
    return measure(person)


@pytest.fixture(scope="module")
def in_a_dress(person):
    clothes = np.isin(person.parse, (Parse.UPPER, *BOTTOMS))
    return measure(replace(person, parse=np.where(clothes, Parse.DRESS, person.parse).astype(np.uint8)))


@pytest.mark.parametrize(
    "categories, off, top_stays, bottom_stays",
    [
        ({"upper"}, (Parse.UPPER,), False, True),
        ({"lower"}, BOTTOMS, True, False),
        ({"dress"}, (Parse.UPPER, *BOTTOMS), False, False),
        ({"upper", "lower"}, (Parse.UPPER, *BOTTOMS), False, False),
    ],
)
def test_what_comes_off_and_what_stays(figure, categories, off, top_stays, bottom_stays):
    wardrobe = sort_out(figure, categories)
    parse = figure.person.parse
    for found, labels, wanted in (
        (wardrobe.off, off, True),
        (wardrobe.top, (Parse.UPPER,), top_stays),
        (wardrobe.bottom, BOTTOMS, bottom_stays),
    ):
        expected = np.isin(parse, labels) & wanted
        assert (found != expected).sum() < 0.01 * (parse > 0).sum()  # the border between the two is drawn anew


def test_a_dress_is_parted_at_the_waist(in_a_dress):
    dress = in_a_dress.person.parse == Parse.DRESS
    upper, lower = (sort_out(in_a_dress, {category}) for category in ("upper", "lower"))
    assert upper.off.any()
    assert upper.bottom.any()
    assert np.array_equal(upper.off | upper.bottom, dress)
    assert np.array_equal(lower.top, upper.off)
    assert np.array_equal(lower.off, upper.bottom)
    assert np.argwhere(upper.off)[:, 0].max() < np.argwhere(upper.bottom)[:, 0].max()


def drawn_arm(cut_at=120):
    """A vertical arm 40 pixels wide, left dark, right light, under a sleeve down to `cut_at`; its joints lie 6 pixels
    too far right."""
    parse, image = np.zeros((320, 120), np.uint8), np.full((320, 120, 3), 250, np.uint8)
    parse[20:300, 40:80] = Parse.RIGHT_ARM
    image[:, 40:80] = np.linspace(90, 200, 40)[None, :, None]
    parse[20:cut_at, 30:90] = Parse.UPPER
    image[20:cut_at, 30:90] = (20, 60, 200)
    joints = np.array([[66, 40], [66, 160], [66, 290]], float)
    return parse, image, joints


def test_an_arm_is_measured_where_it_is_bare_and_goes_on_so():
    parse, _, joints = drawn_arm()
    arm = measure_arm(parse, Parse.RIGHT_ARM, joints, -1, unit=150, usual=0.8)
    assert arm.bare[SECTIONS // 2 :].sum() > 15
    assert not arm.bare[:8].any()
    middle = arm.path[SECTIONS // 2]
    assert middle[0] == pytest.approx(60, abs=2)
    assert arm.half[SECTIONS // 2] == pytest.approx(20, abs=2)
    assert arm.half[SECTIONS // 4] == pytest.approx(20, rel=0.35)


def test_a_bared_arm_keeps_its_light_and_shows_nothing_of_the_sleeve():
    parse, image, joints = drawn_arm()
    arm = measure_arm(parse, Parse.RIGHT_ARM, joints, -1, unit=150, usual=0.8)
    picture, share = bared(arm, image, image.shape[:2], 1)
    row = picture[110, share[110] > 0.9].astype(int)
    assert len(row) > 25
    assert np.ptp(row, axis=1).max() < 12  # grey, not the sleeve's blue
    assert row[-5:].mean() - row[:5].mean() > 50


def test_an_arm_in_a_long_sleeve_is_a_usual_one():
    parse, image, joints = drawn_arm(cut_at=300)
    arm = measure_arm(parse, Parse.RIGHT_ARM, joints, -1, unit=150, usual=0.7)
    assert not arm.bare.any()
    assert arm.half[-1] == pytest.approx(0.7 * 0.095 * 150, rel=0.01)
    assert bared(arm, image, image.shape[:2], 1) is None


def test_under_a_top_there_is_skin_and_nothing_else_changes():
    person = prepare_person(astronaut())
    figure = measure(person)
    wardrobe = sort_out(figure, {"upper"})
    old = edged(figure, wardrobe)
    bare, _ = without(figure, wardrobe, old)
    far = ~(cv2.dilate(old.astype(np.uint8), np.ones((9, 9))) > 0)
    assert np.array_equal(bare[far], person.image[far])
    chest = wardrobe.off & (np.abs(figure.maps[0]) < 0.4) & (figure.maps[1] > 0.2) & (figure.maps[1] < 0.5)
    was, now = person.image[chest].mean(0), bare[chest].mean(0)
    assert was[0] - was[2] > 80  # orange
    assert 10 < now[0] - now[2] < 80
    assert now[0] > now[1] > now[2]


def test_specks_of_another_garment_come_off_too(person, figure):
    parse = person.parse.copy()
    rows, columns = np.nonzero(parse == Parse.UPPER)
    row, column = int(np.median(rows)), int(np.median(columns))
    parse[row : row + 6, column : column + 6] = Parse.PANTS
    speckled = measure(replace(person, parse=parse))
    assert edged(speckled, sort_out(speckled, {"upper"}))[row : row + 6, column : column + 6].all()


def test_parts_overlap_at_the_seam_and_leave_out_the_others_edge(figure):
    garment = prepare_garment(drawn_garments.tee()[0], "upper", Attributes(sleeve="short"))
    laid = top.lay(garment, figure, sort_out(figure, {"upper"}))
    shape = figure.person.parse.shape
    shown = {}
    for piece in laid.pieces:
        box, _, alpha, folds = Cloth(laid).draw(piece, shape)
        assert folds == 0
        shown[piece.label] = np.zeros(shape, np.float32)
        shown[piece.label][box] = alpha
    overlap = (shown[BODY] > 0.5) & (shown[LEFT_SLEEVE] > 0.5)
    assert overlap.sum() > 15
    assert overlap.sum() < 0.3 * (shown[LEFT_SLEEVE] > 0.5).sum()


@pytest.mark.parametrize("sleeve, drawn", [("short", drawn_garments.tee), ("long", drawn_garments.jumper)])
def test_an_arm_outside_the_photo_does_no_harm(person, sleeve, drawn):
    garment = prepare_garment(drawn()[0], "upper", Attributes(sleeve=sleeve))
    cut = np.s_[:, 460:]
    keypoints = person.keypoints.copy()
    keypoints[:, 0] -= 460
    half = replace(
        person,
        **{name: np.ascontiguousarray(getattr(person, name)[cut]) for name in ("image", "mask", "parse", "carried")},
        keypoints=keypoints,
    )
    result = ENGINES["preview"].load().draw(half, [garment])
    assert 0.05 < result.touched.mean() < 0.7
    assert np.array_equal(result.image[~result.touched], half.image[~result.touched])


def test_light_is_even_over_a_garment():
    light = np.ones((40, 40), np.float32)
    light[:, :20] = 0.8
    cover = np.ones((40, 40), np.float32)
    assert shade.level(light, cover) == pytest.approx(0.9)
    cover[:, :20] = 0
    assert shade.level(light, cover) == pytest.approx(1.0)
