"""A garment is cut out of its picture, whatever it lies on and however its shadow falls."""

import cv2
import numpy as np
import pytest

from benchmarks import backdrops
from preprocessing.garment.mask import find_mask, from_alpha
from preprocessing.garment.problems import picture_problems
from tests import drawn_garments

RED, WHITE, NAVY = (170, 40, 50), (246, 246, 244), (40, 46, 70)


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def cut(drawn=drawn_garments.jumper, **options):
    picture, exact = drawn(shadow=False, **options)
    return backdrops.cut_out(picture, exact.astype(np.uint8) * 255)


def laid(cut_out, backdrop, kind="soft", strength=0.3, seed=0):
    laid = backdrops.lay(cut_out, backdrop, kind, strength, np.random.default_rng(seed))
    return laid.picture, laid.mask > 127


@pytest.mark.parametrize("backdrop", backdrops.BACKDROPS)
def test_a_garment_is_found_on_any_background(backdrop):
    picture, exact = laid(cut(colour=(58, 96, 150)), backdrop)
    assert iou(find_mask(picture).hard, exact) > 0.975


@pytest.mark.parametrize("kind", backdrops.SHADOWS)
@pytest.mark.parametrize("strength", [0.0, 0.3, 0.6])
def test_a_shadow_is_left_behind_however_it_falls(kind, strength):
    picture, exact = laid(cut(colour=RED), "near white", kind, strength)
    assert iou(find_mask(picture).hard, exact) > 0.98


@pytest.mark.parametrize("drawn", [drawn_garments.tee, drawn_garments.jumper, drawn_garments.tank])
def test_white_is_found_on_nearly_white(drawn):
    picture, exact = laid(cut(drawn, colour=WHITE, folds=0.012), "light grey", strength=0.15)
    assert iou(find_mask(picture).hard, exact) > 0.975


def test_white_is_found_on_flat_paper_that_is_hardly_darker():
    """Lighter than the paper here and as light there, as pale folds are."""
    picture, exact = drawn_garments.tee(colour=(250, 250, 248), background=(246, 246, 246), shadow=False, folds=0.006)
    picture = np.where(cv2.dilate(exact.astype(np.uint8), np.ones((3, 3)))[..., None] > 0, picture, np.uint8(246))
    cv2.circle(picture, (300, 330), 50, (200, 60, 60), -1)
    found = find_mask(picture)
    assert iou(found.hard, exact) > 0.97


def test_the_edge_lies_neither_in_nor_out():
    picture, exact = laid(cut(drawn_garments.tee, colour=NAVY), "light grey", strength=0.0)
    found = find_mask(picture).hard
    assert abs((found & ~exact).sum() - (exact & ~found).sum()) < 0.004 * exact.sum()


def test_the_edge_is_soft_and_narrow():
    picture, exact = laid(cut(drawn_garments.tee, colour=NAVY), "white")
    soft = find_mask(picture).soft
    between = (soft > 0.05) & (soft < 0.95)
    outline = cv2.morphologyEx(exact.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).sum()
    assert soft.dtype == np.float32 and soft.min() == 0 and soft.max() == 1
    assert 0.2 * outline < between.sum() < 3 * outline


@pytest.mark.parametrize(("shirt", "strength"), [(WHITE, 0.15), (WHITE, 0.3), ((178, 178, 180), 0.15)])
def test_a_shadow_of_the_garments_own_shade_is_left_behind(shirt, strength):
    picture, exact = laid(cut(drawn_garments.tee, colour=shirt, folds=0.03), "light grey", "soft", strength)
    assert iou(find_mask(picture).hard, exact) > 0.975


@pytest.mark.parametrize("strength", [0.3, 0.6])
def test_shadow_in_a_deep_neck_is_no_inner_back(strength):
    half = [(46, 20), (92, 40), (142, 118), (104, 146), (90, 128), (92, 320)]
    deep = cut(lambda **options: drawn_garments.draw(half, **options), colour=RED)
    picture, exact = laid(deep, "near white", "wide", strength)
    assert iou(find_mask(picture).hard, exact) > 0.985


@pytest.mark.parametrize("backdrop", ["white", "near white", "floor"])
def test_the_gap_between_sleeve_and_body_stays_open(backdrop):
    """Closed by the cuffs, which lie against the body."""
    half = [(30, 40), (88, 56), (124, 110), (128, 300), (94, 304), (98, 262), (104, 150), (93, 150), (92, 320)]
    picture, exact = laid(cut(lambda **options: drawn_garments.draw(half, **options), colour=NAVY), backdrop)
    assert iou(find_mask(picture).hard, exact) > 0.975


def test_stripes_of_the_backgrounds_colour_belong_to_the_garment():
    striped = cut(drawn_garments.tee, colour=NAVY)
    rows = np.arange(striped.colour.shape[0]) % 44 < 22
    striped.colour[rows] = 244
    picture, exact = laid(striped, "near white", strength=0.15)
    assert iou(find_mask(picture).hard, exact) > 0.96


@pytest.mark.parametrize(
    ("drawn", "colour"), [(drawn_garments.jumper, (138, 142, 152)), (drawn_garments.tee, (238, 228, 204))]
)
@pytest.mark.parametrize("backdrop", ["white", "near white"])
def test_a_garment_that_touches_left_and_right_is_found_whole(drawn, colour, backdrop):
    """Its own colour at the border is no second background, not even where a print stands out of it."""
    printed = cut(drawn, colour=colour)
    middle = np.array(printed.colour.shape[:2]) // 2
    cv2.circle(printed.colour, tuple(int(place) for place in middle[::-1]), 60, (60, 160, 110), -1)
    picture, exact = laid(printed, backdrop, strength=0.15)
    columns = np.flatnonzero(exact.any(0))
    picture, exact = (whole[:, columns[0] + 6 : columns[-1] - 5] for whole in (picture, exact))
    found = find_mask(picture)
    assert exact[:, 0].any() and exact[:, -1].any() and iou(found.hard, exact) > 0.98
    assert "garment.background" not in picture_problems(picture, found, "upper")


def test_thin_straps_are_kept():
    half = [(60, 60), (66, 20), (74, 20), (80, 90), (90, 130), (92, 320)]
    picture, exact = laid(cut(lambda **options: drawn_garments.draw(half, **options), colour=RED), "near white")
    top = np.flatnonzero(exact.any(1))[0]
    assert iou(find_mask(picture).hard[top : top + 60], exact[top : top + 60]) > 0.85


def test_the_same_picture_gives_the_same_mask():
    picture, _ = laid(cut(colour=RED), "floor")
    assert np.array_equal(find_mask(picture).soft, find_mask(picture).soft)


def test_an_unclear_outline_is_told():
    sure, _ = laid(cut(colour=RED), "white")
    unsure, _ = laid(cut(colour=(128, 129, 131), folds=0.01), "mid grey", seed=1)
    found, doubted = find_mask(sure), find_mask(unsure)
    assert found.clear > 0.98 and "garment.background" not in picture_problems(sure, found, "upper")
    assert doubted.clear < 0.9 and "garment.background" in picture_problems(unsure, doubted, "upper")


def test_stripes_and_marl_are_no_doubt():
    """Threads of any colour, also the paper's, and a print are the garment's; only its outline can be doubtful."""
    striped, marl = (cut(drawn_garments.jumper, colour=colour) for colour in (NAVY, (92, 92, 94)))
    striped.colour[np.arange(striped.colour.shape[0]) % 26 < 12] = 243
    grain = np.random.default_rng(2).normal(0, 45, marl.colour.shape[:2])
    marl.colour[:] = np.clip(marl.colour + cv2.GaussianBlur(grain, (0, 0), 1)[..., None] * 2, 0, 255)
    cv2.circle(marl.colour, tuple(side // 2 for side in marl.colour.shape[1::-1]), 60, (246, 246, 246), -1)
    for garment in (striped, marl):
        picture, exact = laid(garment, "near white", strength=0.15)
        found = find_mask(picture)
        assert iou(found.hard, exact) > 0.95
        assert found.clear > 0.985 and "garment.background" not in picture_problems(picture, found, "upper")


def test_a_picture_of_nothing_has_no_mask():
    assert find_mask(np.full((500, 400, 3), 230, np.uint8)) is None
    noise = np.random.default_rng(3).normal(200, 3, (500, 400, 3))
    assert find_mask(noise.astype(np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (40, 30), (64, 1024)])
def test_no_size_makes_it_raise(shape):
    picture = np.full((*shape, 3), 235, np.uint8)
    picture[shape[0] // 4 : -shape[0] // 4 or None, shape[1] // 4 : -shape[1] // 4 or None] = 40
    found = find_mask(picture)
    assert found is None or found.soft.shape == shape


def test_transparency_is_taken_as_it_is_without_pieces_apart():
    alpha = np.zeros((300, 200), np.uint8)
    alpha[40:200, 40:160], alpha[40:200, 160] = 255, 90
    alpha[260:270, 60:140] = 255  # a drawn shadow below
    soft = from_alpha(alpha).soft
    assert np.array_equal(soft[:230] * 255, alpha[:230]) and not soft[230:].any()


def test_a_fully_transparent_picture_has_no_mask():
    assert from_alpha(np.zeros((30, 20), np.uint8)) is None
