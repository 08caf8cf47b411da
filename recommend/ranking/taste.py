"""What a shopper likes, from what they did: a few garments that stand for it, and what must not come again."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from django.utils import timezone

from recommend.ranking.filters import as_lists_read
from shop.models import Event, Garment, Shopper

HALF_LIFE = timedelta(days=30)  # after which an event counts half
EVENTS = 300  # the latest
MEDOIDS = 5
WORTH_ONE_MORE = 0.1  # of the distances: what another medoid must save
WEIGHTS = {Event.Kind.VIEW: 1.0, Event.Kind.CLICK: 1.0, Event.Kind.TRYON: 3.0, Event.Kind.ORDER: 5.0}
RATED_UP = 4.0
SHARE = 0.1  # of the weight, from which a gender or age group is taken for the shopper's


@dataclass(frozen=True)
class Taste:
    """Attributes:
    weights: by garment how much the shopper cares, of what they liked; the largest first.
    deeds: by garment the strongest thing done with it, an Event.Kind.
    rows: those garments, published or not.
    never: garments that are not shown again: ordered, or rated down.
    disliked: of those, the ones rated down.
    """

    weights: dict[int, float] = field(default_factory=dict)
    deeds: dict[int, str] = field(default_factory=dict)
    rows: dict[int, Garment] = field(default_factory=dict)
    never: frozenset[int] = frozenset()
    disliked: frozenset[int] = frozenset()

    @property
    def genders(self) -> list[str]:
        """Whose garments to show: those the shopper turned to, and unisex; all while nothing is known."""
        shares = self._shares("gender")
        known = {gender for gender, share in shares.items() if share >= SHARE and gender != Garment.Gender.UNISEX}
        return sorted(known | {Garment.Gender.UNISEX}) if known else list(Garment.Gender.values)

    @property
    def age_groups(self) -> list[str]:
        """The most looked at first."""
        shares = self._shares("age_group")
        return [group for group in sorted(shares, key=shares.get, reverse=True) if shares[group] >= SHARE]

    def _shares(self, column: str) -> dict[str, float]:
        shares, total = defaultdict(float), sum(self.weights.values()) or 1.0
        for garment_id, weight in self.weights.items():
            shares[getattr(self.rows[garment_id], column)] += weight / total
        return shares


def taste_of(shopper: Shopper | None) -> Taste:
    """Two queries; an empty taste for a stranger."""
    if shopper is None:
        return Taste()
    now = timezone.now()
    weights, strongest, deeds, verdicts, ordered = defaultdict(float), defaultdict(float), {}, {}, set()
    events = Event.objects.filter(shopper=shopper).order_by("-created", "-pk")
    for garment_id, kind, value, created in events.values_list("garment", "kind", "value", "created")[:EVENTS]:
        if kind == Event.Kind.RATING:
            verdicts.setdefault(garment_id, value)  # the latest holds
            weight = RATED_UP if value == 1 else 0.0
        else:
            weight = WEIGHTS[kind]
        if kind == Event.Kind.ORDER:
            ordered.add(garment_id)
        weights[garment_id, kind] += weight * 0.5 ** ((now - created) / HALF_LIFE)
        if weight > strongest[garment_id]:
            strongest[garment_id], deeds[garment_id] = weight, kind
    weights = _summed(weights)
    disliked = frozenset(garment_id for garment_id, value in verdicts.items() if value == -1)
    liked = sorted(weights.keys() - disliked, key=lambda garment_id: (-weights[garment_id], -garment_id))
    rows = as_lists_read(Garment.objects.order_by()).in_bulk(liked)
    return Taste({pk: weights[pk] for pk in liked}, deeds, rows, disliked | ordered, disliked)


def _summed(weights: dict[tuple[int, str], float]) -> dict[int, float]:
    """Over the kinds of events. The shop's pages note a click as a view too, programs perhaps a click alone."""
    summed = defaultdict(float)
    for (garment_id, kind), weight in weights.items():
        if kind != Event.Kind.CLICK or (garment_id, Event.Kind.VIEW) not in weights:
            summed[garment_id] += weight
    return summed


def medoids(vectors: np.ndarray, weights: np.ndarray, most: int = MEDOIDS) -> list[tuple[int, float]]:
    """Which few of the liked garments stand for all, and how much each stands for, the weightiest first.

    PinnerSage (Pal et al., KDD 2020, arXiv 2007.03634) shows several interests by medoids, since a mean of unlike
    things is like none of them. There Ward's clusters; here, for a few hundred garments, the first phase of PAM
    (Kaufman and Rousseeuw, 1990), which picks the medoids themselves: each next one saves the most weighted distance.

    Args:
        vectors: (n, dim) of unit length.
        weights: (n,) above 0.

    Returns:
        Places in `vectors` and their clusters' shares of the weight.
    """
    apart = np.maximum(1 - vectors @ vectors.T, 0)  # (n, n)
    picked = [int((weights @ apart).argmin())]
    nearest = apart[picked[0]]
    at_first = float(weights @ nearest)
    while len(picked) < min(most, len(vectors)):
        left = np.minimum(nearest[:, None], apart).T @ weights  # (n,) what would be left with each one more
        best = int(left.argmin())
        if at_first <= 0 or (weights @ nearest - left[best]) < WORTH_ONE_MORE * at_first:
            break
        picked.append(best)
        nearest = np.minimum(nearest, apart[best])
    cluster = apart[picked].argmin(axis=0)
    shares = np.bincount(cluster, weights=weights, minlength=len(picked)) / weights.sum()
    return sorted(zip(picked, shares.tolist(), strict=True), key=lambda medoid: -medoid[1])
