"""What came of the lists that shoppers were shown, as shares with intervals of 95 %.

The lists of one shopper resemble each other: a hundred lists of one shopper tell less than one list each of a hundred.
The variance is therefore taken between shoppers, in random groups of them so that a million lists are summed in a
moment (Wolter, Introduction to Variance Estimation, 2007, chapter 2; of a ratio: Cochran, Sampling Techniques, 1977,
chapter 6). Wilson's interval (J. Am. Stat. Assoc. 22, 1927) is then made for as many independent lists as have that
variance.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

from django.db import connection
from django.utils.translation import gettext_lazy as _

from shop import surfaces
from shop.models import Experiment, Surface

Z = 1.959964  # of the normal distribution, 95 %
GROUPS = 256  # of shoppers, by their number
OUTCOMES = {"clicked": _("clicked"), "tried_on": _("tried on"), "ordered": _("ordered")}
_SUMS = ", ".join(f"sum({name}), sum({name} * {name}), sum({name} * n)" for name in OUTCOMES)
_COUNTS = ", ".join(f"count(*) FILTER (WHERE {name}) AS {name}" for name in OUTCOMES)


@dataclass(frozen=True)
class Share:
    """`hits` of `of`, which are worth `effective` independent trials."""

    hits: int
    of: int
    effective: float

    @classmethod
    def plain(cls, hits: int, of: int) -> "Share":
        """Of trials that have nothing to do with each other."""
        return cls(hits, of, of)

    @classmethod
    def clustered(cls, hits: int, of: int, clusters: int, squares: float) -> "Share":
        """Of trials that come in clusters; `squares` is the sum over them of (hits - share of all * trials)²."""
        share = hits / of if of else 0
        if share in (0, 1) or clusters < 2:  # says nothing of the variance: each cluster counts as one
            return cls(hits, of, min(of, clusters))
        variance = clusters / (clusters - 1) * squares / of**2
        return cls(hits, of, min(of, share * (1 - share) / variance) if variance else of)

    @property
    def value(self) -> float | None:
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's; everything is possible where nothing was counted."""
        if not self.of:
            return 0.0, 1.0
        n, share = self.effective, self.value
        middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Difference:
    """Of two shares, the second less the first. Newcombe's hybrid score interval (Stat. Med. 17, 1998, method 10)."""

    first: Share
    second: Share

    @property
    def value(self) -> float | None:
        both = self.first.value is not None and self.second.value is not None
        return self.second.value - self.first.value if both else None

    @property
    def interval(self) -> tuple[float, float]:
        if self.value is None:
            return -1.0, 1.0
        (low1, high1), (low2, high2) = self.first.interval, self.second.interval
        one, two = self.first.value, self.second.value
        low = self.value - sqrt((two - low2) ** 2 + (high1 - one) ** 2)
        return low, self.value + sqrt((high2 - two) ** 2 + (one - low1) ** 2)

    @property
    def better(self) -> str:
        """ "first", "second", or empty while the interval holds zero."""
        low, high = self.interval
        return "second" if low > 0 else "first" if high < 0 else ""


@dataclass(frozen=True)
class Group:
    """All lists of one ranking on one surface."""

    surface: str
    ranking: str
    lists: int
    shares: dict[str, Share]  # by outcome

    @property
    def where(self) -> str:
        """In the reader's language, where the shop has a word for it."""
        return Surface(self.surface).label if self.surface in Surface else self.surface

    @property
    def how(self) -> str:
        return surfaces.offered().get(self.surface, {}).get(self.ranking, self.ranking)


@dataclass(frozen=True)
class Comparison:
    experiment: Experiment
    first: Group
    second: Group

    @property
    def differences(self) -> list[tuple[str, Difference]]:
        """With the label of each outcome."""
        first, second = self.first.shares, self.second.shares
        return [(label, Difference(first[name], second[name])) for name, label in OUTCOMES.items()]


def groups(days: int) -> list[Group]:
    """What was shown in the last days, by surface and ranking."""
    return _read("created >= statement_timestamp() - %s", [timedelta(days=days)])


def compare(experiment: Experiment) -> Comparison:
    """Of the lists that are still kept."""
    names = [experiment.first, experiment.second]
    found = _read(
        "surface = %s AND ranking = ANY(%s) AND created >= %s AND created <= coalesce(%s, statement_timestamp())",
        [experiment.surface, names, experiment.started, experiment.ended],
    )
    by_name = {group.ranking: group for group in found}
    nothing = dict.fromkeys(OUTCOMES, Share.plain(0, 0))
    return Comparison(
        experiment, *(by_name.get(name) or Group(experiment.surface, name, 0, nothing) for name in names)
    )


def _read(where: str, values: list) -> list[Group]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH one AS (SELECT surface, ranking, shopper_id %% {GROUPS}, count(*) AS n, {_COUNTS}"
            f" FROM shop_shownlist WHERE {where} GROUP BY 1, 2, 3)"
            f" SELECT surface, ranking, count(*), sum(n), sum(n * n), {_SUMS} FROM one"
            " GROUP BY surface, ranking ORDER BY surface, ranking",
            values,
        )
        return [_group(*row) for row in cursor.fetchall()]


def _group(surface: str, ranking: str, clusters: int, *sums) -> Group:
    lists, lists_squared, *rest = map(int, sums)
    shares = {}
    for place, name in enumerate(OUTCOMES):
        hits, hits_squared, products = rest[3 * place : 3 * place + 3]
        share = hits / lists
        squares = hits_squared - 2 * share * products + share**2 * lists_squared
        shares[name] = Share.clustered(hits, lists, clusters, squares)
    return Group(surface, ranking, lists, shares)
