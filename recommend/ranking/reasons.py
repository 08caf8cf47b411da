"""Why two garments go together, in short sentences that do not repeat themselves along a list."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from django.utils.text import capfirst
from django.utils.translation import gettext

from recommend.ranking.colours import main_family, patterned
from recommend.ranking.harmony import Relation, is_neutral
from recommend.ranking.pieces import Fit
from recommend.ranking.wardrobes import Together
from shop.colours import family_of_word
from shop.models import Garment
from shop.words import word

MOST = 2  # sentences for a garment
SAME = 2  # times that a sentence is said in a list
ALIKE = 1 / 3  # of a list at most: garments for which the same rule is told
CONTRAST = 40.0  # of lightness
STRONG = 25.0  # chroma from which a colour is one beside a neutral


class Reason(NamedTuple):
    rule: str  # that it comes from
    sentence: str  # in the reader's language


class Match(NamedTuple):
    """What is known of two garments that go together; the palettes (n, 4) are of `colours.palette`."""

    asked: Garment
    other: Garment
    colours: np.ndarray
    others: np.ndarray
    relation: Relation
    fits: list[Fit]
    together: Together


def told(matches: list[Match]) -> list[list[str]]:
    """For each garment of a list its weightiest reasons, MOST at most.

    What was said SAME times already, or by a rule that was told for its share of the list, gives way to the next
    reason, and to none.
    """
    waiting = [list(_reasons(match)) for match in matches]
    said, rules = Counter(), Counter()
    most = max(SAME, int(len(matches) * ALIKE))
    lists: list[list[str]] = [[] for _ in matches]
    for _ in range(MOST):
        for reasons, sentences in zip(waiting, lists, strict=True):
            fresh = (reason for reason in reasons if said[reason.sentence] < SAME and rules[reason.rule] < most)
            if reason := next(fresh, None):
                reasons.remove(reason)
                sentences.append(reason.sentence)
                said[reason.sentence] += 1
                rules[reason.rule] += 1
    return lists


def _reasons(match: Match) -> Iterator[Reason]:
    """All that hold, the weightiest first: a neutral, which goes with everything, says least."""
    if match.together.often_worn:
        yield Reason("worn", gettext("Often worn together"))
    elif match.together.often_chosen:
        yield Reason("chosen", gettext("Often liked by the same shoppers"))
    if match.relation not in (Relation.NEUTRAL, Relation.NONE):
        yield Reason(match.relation, _hues(match))
    for fit in match.fits:
        yield Reason(fit, _fitting(fit, match))
    if match.relation == Relation.NEUTRAL and not (patterned(match.colours) or patterned(match.others)):
        yield Reason(*_neutral(match))
    if match.asked.brand and match.asked.brand == match.other.brand:
        yield Reason("brand", gettext("Same brand"))


def _hues(match: Match) -> str:
    colours = _named(match)
    match match.relation:
        case Relation.SHADES if main_family(match.colours) == main_family(match.others):
            return gettext("Shades of %(colour)s") % {"colour": main_family(match.colours).label.lower()}
        case Relation.SHADES:
            return gettext("%(other)s and %(asked)s: shades of one colour") % colours
        case Relation.NEIGHBOURS:
            return gettext("%(other)s and %(asked)s: neighbouring colours") % colours
    return gettext("%(other)s with %(asked)s: opposite colours") % colours


def _neutral(match: Match) -> tuple[str, str]:
    asked, other = match.colours[0], match.others[0]
    colours = _named(match)
    if is_neutral(other) and np.hypot(*asked[1:3]) >= STRONG:
        return "frame", gettext("%(other)s lets %(asked)s stand out") % colours
    if is_neutral(asked) and np.hypot(*other[1:3]) >= STRONG:
        return "accent", gettext("%(other)s brings colour to %(asked)s") % colours
    if abs(asked[0] - other[0]) >= CONTRAST:
        return "contrast", gettext("%(other)s against %(asked)s") % colours
    if main_family(match.colours) == main_family(match.others):
        return "tones", gettext("%(other)s with %(asked)s: tone on tone") % colours
    return "quiet", gettext("%(other)s and %(asked)s: quiet colours") % colours


def _fitting(fit: Fit, match: Match) -> str:
    match fit:
        case Fit.CALM:
            return gettext("A plain piece beside several colours")
        case Fit.LIVELY:
            return gettext("Adds several colours to a plain piece")
        case Fit.SUMMER:
            return gettext("Both for warm days")
        case Fit.SLEEVES:
            return gettext("Sleeves over a sleeveless dress")
    other, asked = (word(garment.product_type).lower() for garment in (match.other, match.asked))
    return gettext("%(other)s with %(asked)s, a familiar pair") % {"other": capfirst(other), "asked": asked}


def _named(match: Match) -> dict[str, str]:
    asked, other = _name(match.asked, match.colours), _name(match.other, match.others)
    return {"asked": asked, "other": capfirst(other)}


def _name(garment: Garment, colours: np.ndarray) -> str:
    """The merchant's word where the largest colour is of its family; else the family's."""
    if family_of_word(garment.colour) == main_family(colours):
        return word(garment.colour).lower()
    return str(main_family(colours).label).lower()
