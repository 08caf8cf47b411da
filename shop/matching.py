"""Words against the catalogue: which garments they mean, and how well each fits.

The columns asked are kept by Postgres itself (migration 0008 says what is in them) and belong to no model.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import (
    SearchQuery,
    SearchRank,
    SearchVectorField,
    TrigramWordSimilarity,
)
from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    Case,
    Expression,
    F,
    FloatField,
    Func,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Col
from django.db.models.functions import Cast, Concat, Greatest

from shop.colours import of_families, shades
from shop.models import Garment
from shop.words import english_for, families, genders

MAX_WORDS = 8
CLOSE_ENOUGH = 0.45  # share of a title's look, or of a word's pairs of characters, that two have in common
MOST_ALIKE = 1000
IN_TITLE = 0.6  # what a word of another script adds to the rank; ts_rank gives as much for one of English
# What a colour adds where the garment is of its family and called otherwise. So much less that a blue dress comes
# before a navy one, and that before a blue top which goes with a dress: ts_rank gives "dress" in a title 0.6 to 1, in
# a description 0.2 at most.
OF_FAMILY, PARTLY = 0.2, 0.1


class Kept(Expression):
    """A column of the garments' table that Django does not know."""

    def __init__(self, name: str, field):
        super().__init__(field)
        field.set_attributes_from_name(name)
        field.model = Garment

    def resolve_expression(self, query=None, *args, **kwargs):
        return Col(query.get_initial_alias(), self.output_field)


class Lexemes(SearchQuery):
    """A query of lexemes as they stand: no words to be stemmed."""

    def __init__(self, text: str):
        super().__init__(text)
        self.text = text

    def as_sql(self, compiler, connection, **kwargs):
        return "%s::tsquery", [self.text]


KEPT = {
    "search": Kept("search", SearchVectorField()),
    "terms": Kept("terms", SearchVectorField()),
    "titles": Kept("titles", TextField()),
    "texts": Concat(
        "title", Value(" "), "title_ko", Value(" "), "description_ko", Value(" "), "brand", output_field=TextField()
    ),
}


def tokens_of(words: str) -> list[str]:
    """The words that are looked for, the first MAX_WORDS; none in what has neither letter nor digit."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", words).lower())[:MAX_WORDS]


@dataclass(frozen=True)
class Match:
    """What some words mean: a filter and a rank over the columns of KEPT, no rank where one garment fits as well as
    another. `alike` where no garment has the words, and titles only look like them."""

    fits: Q
    rank: Expression | None = None
    alike: bool = False

    def within(self, garments: QuerySet[Garment], first: tuple[int, ...] = ()) -> QuerySet[Garment]:
        """Those garments that fit, or stand in `first` (ids); these come first, then the best, then the newest."""
        fits = self.fits | Q(pk__in=first) if first else self.fits
        found = garments.alias(**KEPT).filter(fits)
        order = [place(first).asc(nulls_last=True)] if first else []
        order += [self.rank.desc()] if self.rank is not None else []
        return found.order_by(*order, "-created", "-id")


def matching(garments: QuerySet[Garment], words: str) -> Match:
    """The garments in which every word occurs.

    Latin words are compared by their English stem and from the start of a word, so that "dresses" and "dre" find a
    dress and "men" does not find women; other scripts, which put endings on words, anywhere in the text, and by what
    they mean in the catalogue's English. Where nothing matches, titles that look alike.

    The whole name of a colour family finds the garments of that family too, whatever the merchant calls them: "blue"
    finds navy, after what is called blue.

    The name of a gender says for whom, and nothing of how well a garment fits: it has no part in the rank. Half of the
    shop is then read by the index of the newest, and not sorted.
    """
    tokens = tokens_of(words)
    if not tokens:
        return Match(Q(pk=None))
    colours = [token for token in tokens if token in families()]
    telling = [token for token in tokens if token not in families() and token not in genders()]
    fits = _has([token for token in tokens if token not in families()])
    for token in colours:
        fits &= _has([token]) | _of_family(families()[token])
    ranks = [_colour_rank(token) for token in colours]
    if latin := [token for token in telling if token.isascii()]:
        ranks.append(SearchRank(F("search"), _stems(latin)))
    for token in telling:
        if not token.isascii():
            ranks.append(Case(When(titles__contains=token, then=IN_TITLE), default=0.0, output_field=FloatField()))
    if garments.alias(**KEPT).filter(fits).exists():
        return Match(fits, reduce(add, ranks) if ranks else None)
    ids = _alike(garments, tokens)
    return Match(Q(pk__in=ids), -place(tuple(ids)), alike=True)


def _has(tokens: list[str]) -> Q:
    """Every one is in the text, or is what a value of the catalogue means."""
    latin = [token for token in tokens if token.isascii()]
    others = [token for token in tokens if not token.isascii()]
    fits = Q()
    if latin:
        fits &= Q(search=_stems(latin))
    if others:
        fits &= Q(terms=Lexemes(" & ".join(f"({_all(grams(token))} | {_means(token)})" for token in others)))
    for token in others:
        if len(token) > 2:  # of more than one pair, which might stand apart from each other
            fits &= Q(texts__icontains=token) | Q(terms=Lexemes(_means(token)))
    return fits


def _of_family(family: str) -> Q:
    """By what is seen, or by the merchant's word."""
    return of_families([family]) | _shade(family)


def _shade(family: str) -> Q:
    return Q(terms=Lexemes(_any(f"={word}" for word in shades(family))))


def _colour_rank(token: str) -> Case:
    """Called so in title or colour, of that family, partly of it; last, where only the description speaks of it."""
    family = families()[token]
    names = {family, token} if token.isascii() else {family}
    named = " | ".join(f"{name}:AB" for name in sorted(names))  # by the weights of migration 0008
    called = Q(search=SearchQuery(named, search_type="raw", config="english"))
    if not token.isascii():
        called |= Q(titles__contains=token)
    return Case(
        When(called, then=IN_TITLE),
        When(Q(colour_family=family) | _shade(family), then=OF_FAMILY),
        When(second_colour_family=family, then=PARTLY),
        default=0.0,
        output_field=FloatField(),
    )


def _stems(tokens: list[str]) -> SearchQuery:
    """All of them, each to be gone on from where it ends."""
    return SearchQuery(" & ".join(f"{token}:*" for token in tokens), search_type="raw", config="english")


def grams(token: str) -> set[str]:
    """As the database's shop_grams: the characters that are not ASCII, and the pairs of them."""
    runs = re.findall(r"[^\x00-\x7f]+", token)
    return {run[at : at + long] for run in runs for long in (1, 2) for at in range(len(run) - long + 1)}


def _all(lexemes: Iterable[str]) -> str:
    return "(" + " & ".join(f"'{lexeme}'" for lexeme in sorted(lexemes)) + ")"


def _any(lexemes: Iterable[str]) -> str:
    return "(" + " | ".join(f"'{lexeme}'" for lexeme in sorted(lexemes)) + ")"


def _means(token: str) -> str:
    """Values of the catalogue; one that no garment has, where the token means none."""
    return _any({f"={value}" for value in english_for(token)} or {"="})


def _alike(garments: QuerySet[Garment], tokens: list[str]) -> list[int]:
    """Ids of garments whose titles look like the words, the likest first."""
    latin = " ".join(token for token in tokens if token.isascii())
    pairs = sorted({gram for token in tokens for gram in grams(token) if len(gram) == 2})
    fits, ranks = Q(pk=None), [Value(0.0), Value(0.0)]
    if latin:
        fits |= Q(titles__trigram_word_similar=latin)
        ranks.append(TrigramWordSimilarity(latin, F("titles")))
    if pairs:
        fits |= Q(terms=Lexemes(_any(pairs)))
        pairs = Cast(Value(pairs), ArrayField(TextField()))
        ranks.append(Func(F("terms"), pairs, function="shop_shared", output_field=FloatField()))
    with transaction.atomic(), connection.cursor() as cursor:
        # The index by trigrams goes by this setting.
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(CLOSE_ENOUGH)])
        found = garments.alias(**KEPT).filter(fits).alias(likeness=Greatest(*ranks))
        found = found.filter(likeness__gte=CLOSE_ENOUGH).order_by("-likeness", "-created", "-id")
        return list(found.values_list("pk", flat=True)[:MOST_ALIKE])


def place(ids: tuple[int, ...]) -> Func:
    """A garment's place in the list, as an expression; null where it is not in it."""
    return Func(
        Cast(Value(list(ids)), ArrayField(BigIntegerField())),
        F("pk"),
        function="array_position",
        output_field=BigIntegerField(),
    )
