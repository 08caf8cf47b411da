"""What rankings are put together from: colours, harmony, variety, taste. No database."""

import numpy as np
import pytest

from recommend.ranking import colours, harmony, why
from recommend.ranking.diversity import Folded, varied
from recommend.ranking.filters import EVERYTHING, Filters
from recommend.ranking.harmony import GOES, Relation
from recommend.ranking.taste import medoids
from shop.colours import SWATCHES, families_of, family, family_of_word, lab
from shop.models import Garment
from shop.words import COLOURS

Family = Garment.ColourFamily


def swatch(name: str) -> np.ndarray:
    return np.array([[*lab(COLOURS[name]), 1.0]])


def unit(*degrees: float) -> np.ndarray:
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def garment(**fields) -> Garment:
    made = Garment(**{"category": "upper", "product_type": "tee", "price": 10, "currency": "USD"} | fields)
    made.front = None
    return made


# --- Families ---------------------------------------------------------------------------------------------


def test_every_family_is_that_of_its_own_swatch():
    assert {name: family(*lab(swatch)) for name, swatch in SWATCHES.items()} == {name: name for name in SWATCHES}


@pytest.mark.parametrize(
    "words, expected",
    [
        ("black", Family.BLACK),
        ("charcoal grey silver", Family.GREY),
        ("white ivory", Family.WHITE),
        ("cream oat beige sand stone", Family.BEIGE),
        ("camel brown", Family.BROWN),
        ("red burgundy wine", Family.RED),
        ("orange rust terracotta coral", Family.ORANGE),
        ("yellow mustard gold", Family.YELLOW),
        ("green forest sage olive mint", Family.GREEN),
        ("blue navy denim sky indigo", Family.BLUE),
        ("purple plum lavender lilac", Family.PURPLE),
        ("pink blush rose", Family.PINK),
    ],
)
def test_words_of_the_catalogue_fall_where_they_are_looked_for(words, expected):
    assert {word: family_of_word(word) for word in words.split()} == dict.fromkeys(words.split(), expected)


def test_the_largest_colour_gives_the_family_and_its_shades_count_together():
    navy, sky, white = (list(lab(COLOURS[name])) for name in ("navy", "sky", "white"))
    mixed = [{"lab": white, "share": 0.4}, {"lab": navy, "share": 0.35}, {"lab": sky, "share": 0.25}]
    assert families_of(mixed) == (Family.BLUE, Family.WHITE)
    assert families_of(mixed[:2]) == (Family.WHITE, Family.BLUE)
    assert families_of([*mixed[2:], {"lab": white, "share": 0.2}]) == (Family.BLUE, "")
    assert families_of([]) == ("", "")
    assert family_of_word("a colour nobody knows") == ""


def test_lab_is_that_of_the_standard():
    assert lab("#ffffff") == pytest.approx((100, 0, 0), abs=0.02)
    assert lab("#ff0000") == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab("#000000") == pytest.approx((0, 0, 0), abs=1e-9)


# --- Colours ----------------------------------------------------------------------------------------------


def test_differences_are_small_between_shades_and_large_between_hues():
    names = ["navy", "indigo", "white", "ivory", "red"]
    each = colours.difference(*2 * [np.concatenate([swatch(name) for name in names])])
    assert np.allclose(each, each.T) and np.allclose(np.diag(each), 0)
    assert each[0, 1] < colours.CLOSE < each[0, 2]
    assert each[2, 3] < colours.CLOSE < each[2, 4]


def test_a_striped_garment_is_not_called_like_a_plain_one():
    navy, white = swatch("navy"), swatch("white")
    striped = np.concatenate([navy, white])
    striped[:, 3] = 0.5
    assert colours.distance(navy, navy) == 0
    assert colours.distance(navy, striped) > colours.CLOSE
    assert colours.distance(navy, np.empty((0, 4))) == np.inf


def test_a_palette_comes_from_the_flat_picture_then_from_the_word():
    shown = garment(colour="red")
    found = [{"lab": [50, 0, 0], "share": 0.6}, {"lab": [90, 0, 0], "share": 0.3}, {"lab": [20, 0, 0], "share": 0.02}]
    shown.front = {"role": "flat", "colours": found}
    assert colours.palette(shown)[:, [0, 3]] == pytest.approx(np.array([[50, 2 / 3], [90, 1 / 3]]))
    shown.front = {"role": "on_model", "colours": found}  # a model's skin is none of its colours
    assert colours.palette(shown) == pytest.approx(swatch("red"))
    assert colours.palette(garment(colour="mystery")).shape == (0, 4)


@pytest.mark.parametrize(
    "one, other, relation",
    [
        ("black", "red", Relation.NEUTRAL),
        ("navy", "mustard", Relation.NEUTRAL),
        ("white", "grey", Relation.NEUTRAL),
        ("light blue", "denim", Relation.SHADES),
        ("mustard", "olive", Relation.NEIGHBOURS),
        ("sky", "orange", Relation.OPPOSITES),
        ("red", "green", Relation.NONE),
        ("purple", "orange", Relation.NONE),
        ("pink", "yellow", Relation.NONE),
    ],
)
def test_colours_go_together_by_the_rules(one, other, relation):
    mark, found = harmony.harmony(swatch(one), swatch(other))
    assert found == relation
    assert (mark >= GOES) == (relation != Relation.NONE)
    assert harmony.harmony(swatch(other), swatch(one)) == (pytest.approx(mark), relation)


def test_of_unknown_colours_nothing_is_said():
    assert harmony.harmony(swatch("red"), np.empty((0, 4))) == (None, Relation.NONE)


# --- Variety ----------------------------------------------------------------------------------------------


def test_variety_is_weighed_against_the_score():
    looks = unit(10, 11, 12, -35)
    scores = looks @ unit(0)[0]
    assert varied(scores, looks, 3, balance=1.0) == [0, 1, 2]
    assert varied(scores, looks, 3, balance=0.5) == [0, 3, 1]
    assert varied(scores, looks, 9, balance=0.5) == [0, 3, 1, 2]
    assert varied(scores[:0], looks[:0], 3) == []


def test_what_looks_the_same_takes_one_place():
    vectors = dict(enumerate(unit(0, 10, 40, 80)))
    closer, farther = (float(np.cos(np.radians(degrees))) for degrees in (9, 11))
    for same_look, second in ((farther, False), (closer, True)):
        folded = Folded(vectors, same_look)
        assert [folded.take(garment(pk=pk)) for pk in range(5)] == [True, second, True, True, True]


def test_one_picture_and_one_design_take_one_place():
    folded = Folded()
    first, again, other = garment(pk=1, design="polo"), garment(pk=2), garment(pk=3, design="polo")
    first.front = again.front = {"sha256": "ab"}
    assert [folded.take(one) for one in (first, again, other, garment(pk=4))] == [True, False, False, True]


# --- Why --------------------------------------------------------------------------------------------------


def test_reasons_are_what_both_rows_say():
    asked = garment(sleeve="short", length="regular", colour="navy", brand="Marle", price=20)
    close = garment(sleeve="short", length="regular", colour="indigo", brand="Marle", price=30, sale_price=15)
    assert why.compared(asked, close, EVERYTHING) == ["Same cut", "Close colour", "Same brand", "Lower price"]
    other = garment(sleeve="long", length="cropped", colour="red", price=19.9)
    assert why.compared(asked, other, EVERYTHING) == []
    assert why.compared(asked, other, Filters(sizes={"M"})) == ["In your size"]
    stone, sage = garment(colour="stone"), garment(colour="sage")  # near each other, and no one calls them close
    assert colours.distance(swatch("stone"), swatch("sage")) <= colours.CLOSE
    assert why.compared(stone, sage, EVERYTHING) == []
    foreign = garment(colour="navy", price=1, currency="EUR", product_type="polo", sleeve="short")
    assert why.compared(asked, foreign, EVERYTHING) == ["Same sleeves", "Same colour"]


def test_what_the_merchant_left_out_is_as_the_analysis_found_it():
    asked, other = garment(category="lower", length="midi"), garment(category="lower")
    assert why.compared(asked, other, EVERYTHING) == []
    other.front = {"length": "midi", "role": "on_model"}
    assert why.compared(asked, other, EVERYTHING) == ["Same cut"]


# --- Taste ------------------------------------------------------------------------------------------------


def test_each_interest_has_its_medoid():
    looks = unit(0, 2, 4, 90, 92, 178, 180, 182)
    assert [place for place, _ in medoids(looks, np.ones(8))] == [6, 1, 3]
    weights = np.array([1, 1, 1, 9, 1, 1, 1, 1.0])
    found = medoids(looks, weights)
    assert found[0] == (3, pytest.approx(10 / 16))
    assert sum(share for _, share in found) == pytest.approx(1)


def test_few_and_equal_garments_make_few_medoids():
    assert medoids(unit(5), np.ones(1)) == [(0, 1.0)]
    assert len(medoids(unit(5, 5, 5), np.ones(3))) == 1
    assert len(medoids(unit(*range(0, 360, 20)), np.ones(18))) <= 5


def test_limits_narrow_what_was_asked():
    asked = Filters(genders={"men"})
    assert asked.within(genders=["men", "unisex"]).genders == {"men"}
    assert asked.within(genders=["women", "unisex"]) is None
    assert EVERYTHING.within(categories=["upper"], age_group="kids") == Filters(categories={"upper"}, age_group="kids")
