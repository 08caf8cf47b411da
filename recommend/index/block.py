"""Search in columns that do not change."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from recommend.index.base import Hit, Where
from recommend.index.columns import Columns
from recommend.index.flat import Flat, inner_products

EXACT_IN_TYPES = 200_000  # rows; more are searched leaf by leaf, the nearest leaves first
EXACT_ACROSS = 50_000  # the same where no product type is asked for: a photo or words, looked up in the whole shop
FEW = 64  # rows to be left out are dropped afterwards up to so many, and masked beforehand where they are more
KEPT = 4096  # views and stretches remembered

Runs = list[tuple[int, int]]  # stretches of places, from and up to


class Reach(NamedTuple):
    """How far a search that does not look at every row goes, as `leaves.reach_for` measured it.

    Attributes:
        rows: how many to look at.
        least: cosine to the nearest leaf below which leaves say little, and all rows are looked at;
        margin: so too where a filter leaves out all leaves that are nearly as near as the nearest of all.
    """

    rows: int
    least: float
    margin: float


class Block:
    """Any number of threads may search it. Without a reach, every search looks at all rows."""

    def __init__(self, columns: Columns, reach: Reach | None = None):
        self.columns = columns
        self.reach = reach
        self._flats: dict[tuple[int, int], Flat] = {}
        self._runs: dict[tuple, Runs] = {}
        self._of_type = defaultdict(list)
        for key, (start, stop) in zip(columns.keys, pairwise(columns.key_starts.tolist()), strict=True):
            self._of_type[key.product_type].append((key, start, stop))
        self._brands = {name: number for number, name in enumerate(columns.brand_names)}
        self._colours = {name: number for number, name in enumerate(columns.colour_names)}
        self._centroids = np.ascontiguousarray(columns.centroids, np.float32)

    def __len__(self) -> int:
        return len(self.columns)

    def search(
        self, query: np.ndarray, k: int, where: Where, without: np.ndarray, *, exact: bool = False
    ) -> list[Hit]:
        """The k nearest to a padded unit vector (1, width), nearest first.

        Args:
            without: places that are not to be found, ascending.
        """
        runs = self.runs(where)
        masks = self._masks(runs, where)
        left_out = _inside(without, runs)
        if len(left_out) > FEW:
            masks = _without(masks, runs, left_out)
            left_out = left_out[:0]
        rows = _count(runs, masks)
        if not rows:
            return []
        take = min(k + len(left_out), rows)
        if not exact and self._approximate(rows, take, where):
            runs, masks = self._nearest_leaves(query[0], runs, masks)
        scores, places = self._scan(query, take, runs, masks)
        if len(left_out):
            stays = ~np.isin(places, left_out)
            scores, places = scores[stays], places[stays]
        return self._hits(scores[:k], places[:k])

    def _approximate(self, rows: int, k: int, where: Where) -> bool:
        if self.reach is None or 4 * k > self.reach.rows:
            return False
        return rows > (EXACT_IN_TYPES if where.product_types else EXACT_ACROSS)

    def runs(self, where: Where) -> Runs:
        """The stretches whose keys are as asked; none touch."""
        asked = where.categories, where.product_types, where.genders, where.age_group
        runs = self._runs.get(asked)
        if runs is None:
            runs = self._find_runs(where)
            if len(self._runs) >= KEPT:
                self._runs.clear()
            self._runs[asked] = runs
        return runs

    def _find_runs(self, where: Where) -> Runs:
        types = where.product_types or self._of_type.keys()
        fits = sorted(
            (start, stop)
            for product_type in types & self._of_type.keys()
            for key, start, stop in self._of_type[product_type]
            if (not where.categories or key.category in where.categories)
            and (not where.genders or key.gender in where.genders)
            and (not where.age_group or key.age_group == where.age_group)
        )
        return _joined(fits)

    def _masks(self, runs: Runs, where: Where) -> list[np.ndarray] | None:
        """For each run which of its rows have a brand and a colour as asked; None where any will do."""
        masks = None
        for asked, names, column in (
            (where.brands, self._brands, self.columns.brands),
            (where.colours, self._colours, self.columns.colours),
        ):
            if asked:
                numbers = [names[name] for name in asked if name in names]
                fit = [_among(column[start:stop], numbers) for start, stop in runs]
                masks = fit if masks is None else [one & other for one, other in zip(masks, fit, strict=True)]
        return masks

    def _nearest_leaves(self, query: np.ndarray, runs: Runs, masks: list[np.ndarray] | None):
        """Runs and masks of the nearest leaves alone, with as many rows that may be found as the reach asks for.

        Leaves are chosen among those that hold such rows, so no filter empties a list; a query that is far from all
        of them (words, or a garment of another category) is compared with every row.
        """
        every = self.to_leaves(query)
        leaves, counts, cosines = self.leaves_by_nearness(every, runs, masks)
        if cosines[0] < max(self.reach.least, every.max() - self.reach.margin):
            return runs, masks
        enough = int(np.searchsorted(np.cumsum(counts), self.reach.rows)) + 1
        chosen = np.sort(leaves[:enough])
        starts = self.columns.leaf_starts
        near = _joined(zip(starts[chosen].tolist(), starts[chosen + 1].tolist(), strict=True))
        if masks is None:
            return near, None
        whole = [next(number for number, run in enumerate(runs) if start < run[1]) for start, _ in near]
        return near, [
            masks[number][start - runs[number][0] : stop - runs[number][0]]
            for (start, stop), number in zip(near, whole, strict=True)
        ]

    def leaves_by_nearness(self, cosines: np.ndarray, runs: Runs, masks: list[np.ndarray] | None):
        """The leaves that hold rows which may be found, how many such rows, and their cosines; nearest first.

        Args:
            cosines: of every leaf (`to_leaves`).
        """
        starts = self.columns.leaf_starts
        spans = [np.searchsorted(starts, run) for run in runs]  # runs begin and end with a leaf
        leaves = np.concatenate([np.arange(first, last) for first, last in spans])
        if masks is None:
            counts = starts[leaves + 1] - starts[leaves]
        else:
            counts = np.concatenate(
                [
                    np.add.reduceat(mask, starts[first:last] - starts[first], dtype=np.int64)
                    for mask, (first, last) in zip(masks, spans, strict=True)
                ]
            )
            leaves, counts = leaves[counts > 0], counts[counts > 0]
        order = np.argsort(-cosines[leaves])
        return leaves[order], counts[order], cosines[leaves[order]]

    def to_leaves(self, query: np.ndarray) -> np.ndarray:
        """The query's cosine to each leaf."""
        return inner_products(self._centroids, query)

    def _scan(self, query, k: int, runs: Runs, masks: list[np.ndarray] | None) -> tuple[np.ndarray, np.ndarray]:
        """Scores and places of the k best of all rows in these runs, best first."""
        scores, places = [], []
        for number, (start, stop) in enumerate(runs):
            found = self._flat(start, stop).search(query, k, masks[number] if masks else None)
            scores.append(found[0])
            places.append(found[1] + start)
        if len(runs) == 1:
            return scores[0], places[0]
        scores, places = np.concatenate(scores), np.concatenate(places)
        best = np.argsort(-scores, kind="stable")[:k]
        return scores[best], places[best]

    def _flat(self, start: int, stop: int) -> Flat:
        flat = self._flats.get((start, stop))
        if flat is None:
            flat = Flat(self.columns.vectors[start:stop])
            if len(self._flats) >= KEPT:
                self._flats.clear()
            self._flats[start, stop] = flat
        return flat

    def _hits(self, scores: np.ndarray, places: np.ndarray) -> list[Hit]:
        ids = self.columns.ids[places].tolist()
        designs = map(self.columns.design, places.tolist())
        return [Hit(*found) for found in zip(ids, scores.tolist(), designs, strict=True)]


def _among(column: np.ndarray, numbers: list[int]) -> np.ndarray:
    return column == numbers[0] if len(numbers) == 1 else np.isin(column, numbers)


def _joined(runs: Iterable[tuple[int, int]]) -> Runs:
    """Ascending stretches, those that touch made one."""
    joined: Runs = []
    for start, stop in runs:
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], stop
        elif stop > start:
            joined.append((start, stop))
    return joined


def _count(runs: Runs, masks: list[np.ndarray] | None) -> int:
    if masks is None:
        return sum(stop - start for start, stop in runs)
    return sum(int(np.count_nonzero(mask)) for mask in masks)


def _inside(places: np.ndarray, runs: Runs) -> np.ndarray:
    if not len(places):
        return places
    ends = np.searchsorted(places, runs).reshape(-1, 2).tolist()
    return np.concatenate([places[:0], *(places[start:stop] for start, stop in ends)])


def _without(masks: list[np.ndarray] | None, runs: Runs, places: np.ndarray) -> list[np.ndarray]:
    if masks is None:
        masks = [np.ones(stop - start, bool) for start, stop in runs]
    for mask, (start, stop) in zip(masks, runs, strict=True):
        first, last = np.searchsorted(places, (start, stop))
        mask[places[first:last] - start] = False
    return masks
