"""What two garments have to do with each other, and how it is said along a list. No database."""

import numpy as np
import pytest
from django.utils.translation import override

from recommend.ranking.colours import palette, patterned
from recommend.ranking.harmony import harmony
from recommend.ranking.pieces import FAMILIAR, Fit, fit
from recommend.ranking.reasons import Match, told
from recommend.ranking.wardrobes import NEVER, Together
from shop.models import Garment
from shop.words import PRODUCT_TYPES
from tests.test_ranking_parts import garment, swatch

PLAIN = False, False
STRIPES = np.concatenate([swatch("white"), swatch("navy")]) * [1, 1, 1, 0.5]


def bottom(**fields) -> Garment:
    return garment(**{"category": "lower", "product_type": "culottes"} | fields)


def match(asked: Garment, other: Garment, together: Together = NEVER) -> Match:
    colours, others = palette(asked), palette(other)
    fits = fit(asked, other, (patterned(colours), patterned(others)))[1]
    return Match(asked, other, colours, others, harmony(colours, others)[1], fits, together)


def why(asked: Garment, other: Garment, **options) -> list[str]:
    return told([match(asked, other, **options)])[0]


# --- Pieces -----------------------------------------------------------------------------------------------


def test_stripes_are_a_pattern_and_shades_are_not():
    assert patterned(STRIPES)
    assert not patterned(np.concatenate([swatch("ivory"), swatch("cream")]) * [1, 1, 1, 0.5])
    assert not patterned(swatch("red")) and not patterned(np.empty((0, 4)))


@pytest.mark.parametrize(
    "top, lower, rules",
    [
        ({"product_type": "blazer"}, {"product_type": "trousers"}, [Fit.FAMILIAR]),
        ({"product_type": "Hoodie"}, {"product_type": "joggers"}, [Fit.FAMILIAR]),
        ({"product_type": "blazer"}, {"product_type": "joggers"}, []),
        ({"sleeve": "sleeveless"}, {"length": "short"}, [Fit.SUMMER]),
        ({"sleeve": "long"}, {"length": "short"}, []),
        (
            {"product_type": "cardigan", "sleeve": "long"},
            {"category": "dress", "product_type": "dress", "sleeve": "sleeveless"},
            [Fit.SLEEVES, Fit.FAMILIAR],
        ),
    ],
)
def test_pieces_have_to_do_with_each_other_both_ways(top, lower, rules):
    one, other = garment(**top), bottom(**lower)
    assert fit(one, other, PLAIN)[1] == fit(other, one, PLAIN)[1] == rules


def test_a_familiar_pair_is_worth_more_than_an_unknown_and_that_more_than_a_strange_one():
    blazer = garment(product_type="blazer")
    marks = [fit(blazer, bottom(product_type=kind), PLAIN)[0] for kind in ("trousers", "culottes", "joggers")]
    assert marks == sorted(marks, reverse=True) and len(set(marks)) == 3


def test_a_pattern_wants_a_plain_piece():
    calm, lively, rivals, plain = (
        fit(garment(), bottom(), patterns) for patterns in ((True, False), (False, True), (True, True), PLAIN)
    )
    assert (calm[1], lively[1], rivals[1]) == ([Fit.CALM], [Fit.LIVELY], [])
    assert calm[0] > plain[0] > rivals[0]


def test_shorts_are_not_for_a_jumper():
    shorts = bottom(product_type="culottes", length="short")
    jumper, shirt = (garment(product_type=kind, sleeve="long") for kind in ("jumper", "tunic"))
    assert fit(jumper, shorts, PLAIN)[0] < fit(shirt, shorts, PLAIN)[0]


def test_the_table_has_the_shops_own_words():
    assert {name for pair in FAMILIAR for name in pair} <= set(PRODUCT_TYPES)


# --- Sentences --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked, other, sentence",
    [
        ("orange", "sky", "Sky with orange: opposite colours"),
        ("denim", "light blue", "Shades of blue"),
        ("camel", "beige", "Beige and camel: shades of one colour"),
        ("olive", "mustard", "Mustard and olive: neighbouring colours"),
        ("red", "black", "Black lets red stand out"),
        ("white", "rust", "Rust brings colour to white"),
        ("white", "navy", "Navy against white"),
        ("charcoal", "slate", "Slate with charcoal: tone on tone"),
        ("white", "beige", "Beige and white: quiet colours"),
    ],
)
def test_colours_are_named(asked, other, sentence):
    assert why(garment(colour=asked), bottom(colour=other)) == [sentence]


def test_a_colour_that_is_not_in_the_picture_is_not_named():
    other = bottom(colour="Navy")
    other.front = {"role": "flat", "colours": [{"lab": [97, 0, 3], "share": 1.0}]}
    assert why(garment(colour="red"), other) == ["White lets red stand out"]


def test_of_what_has_several_colours_none_is_said_to_stand_out():
    other = bottom(colour="navy", brand="Marle")
    other.front = {"role": "flat", "colours": [{"lab": row[:3], "share": row[3]} for row in STRIPES.tolist()]}
    assert why(garment(colour="red", brand="Marle"), other) == ["Adds several colours to a plain piece", "Same brand"]


def test_what_shoppers_do_comes_first():
    pair = garment(colour="orange"), bottom(colour="sky")
    assert why(*pair, together=Together(2, 2)) == ["Often worn together", "Sky with orange: opposite colours"]
    assert why(*pair, together=Together(0, 3))[0] == "Often liked by the same shoppers"
    assert why(*pair, together=Together(1, 2)) == ["Sky with orange: opposite colours"]


def test_unknown_colours_and_kinds_say_nothing():
    assert why(garment(colour="mystery"), bottom(colour="red")) == []


def test_a_list_does_not_repeat_itself():
    asked = garment(product_type="shirt", colour="red", brand="Marle")
    jeans = bottom(product_type="jeans", colour="black", brand="Marle")
    pair, stands_out, brand = "Jeans with shirt, a familiar pair", "Black lets red stand out", "Same brand"
    assert told([match(asked, jeans)] * 2) == [[pair, stands_out]] * 2
    assert told([match(asked, jeans)] * 9) == [[pair]] * 2 + [[stands_out]] * 2 + [[brand]] * 2 + [[]] * 3


def test_one_rule_is_not_told_all_along_a_list():
    asked = garment(colour="red")
    colours = ("black", "charcoal", "grey", "silver", "white", "ivory", "slate", "navy", "stone")
    sentences = told([match(asked, bottom(colour=colour)) for colour in colours])
    assert [len(each) for each in sentences] == [1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_they_are_said_in_korean():
    with override("ko"):
        pair = garment(colour="orange", product_type="shirt"), bottom(colour="sky", product_type="jeans")
        assert why(*pair) == ["하늘색+주황: 서로를 살리는 보색", "청바지+셔츠, 익숙한 조합"]
