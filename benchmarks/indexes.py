"""Ours beside hnswlib, usearch and pgvector: the same vectors, queries and filters, in one run.

    pip install hnswlib==0.8.0 usearch==2.26.6     # hnswlib is compiled: it needs a C++ compiler
    ./dev bench indexes                            # 100,000 garments; about ten minutes

Without those two the others are measured alone. Every graph is given the least effort (ef) of a few that reaches a
recall of WANTED on the first queries of each kind, so that times are compared at equal recall; where none does, it has
the most. Then all take turns, query by query, on one thread. hnswlib asks a Python function whether a garment fits and
gives no list where it finds fewer than are asked for. usearch has no filter in Python: more and more is fetched, and
what does not fit dropped, up to MOST. pgvector runs as the shop runs it (recommend/index/pgvector.py), its server in
the embedded Postgres, its tables in a transaction that is undone.
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from django.db import connection, transaction

from benchmarks.mixture import BRANDS, DIM, Mixture
from benchmarks.similar import TRUTH, Queries
from recommend.index import EVERYTHING, Where, leaves, pgvector, pgvector_table, snapshot
from recommend.index.block import EXACT_ACROSS
from recommend.index.brute import Brute
from recommend.index.columns import Gathered
from recommend.index.view import View

K = 10
WANTED = 0.98
EFFORTS = (32, 64, 128, 256, 512, 1000)
TUNED_ON = 20  # queries
LINKS, BUILT_WITH = 16, 64  # of each graph: pgvector's own
MOST = 20_000  # fetched before usearch gives a list up

KINDS = {
    "everything": lambda queries, place: EVERYTHING,
    "own type and gender": lambda queries, place: queries.similar(place),
    "own type and gender, half the brands": lambda queries, place: brand(queries.similar(place), "half"),
    "another type": lambda queries, place: queries.similar(place, shift=1),
    "another category": lambda queries, place: queries.other_category(place),
} | {
    f"{share:.1%} of all": lambda queries, place, name=name: Where(brands=[name])
    for name, share in BRANDS.items()
    if name != "others"
}


def brand(where: Where, name: str) -> Where:
    return Where(where.categories, where.product_types, where.genders, where.age_group, brands=[name])


class Ours:
    efforts = (0,)

    def __init__(self, items, exact, folder: Path):
        columns = Gathered(items, DIM).columns(leaves.split if len(items) > EXACT_ACROSS else None)
        reach = leaves.reach_for(columns) if len(columns.centroids) else None
        _, block = snapshot.read(folder, snapshot.write(folder, columns, TRUTH, reach))
        self.view = View(TRUTH.source, block=block)
        self.megabytes = sum(file.stat().st_size for file in folder.rglob("*.npy")) / 1e6

    def search(self, query, where, effort):
        return [hit.garment_id for hit in self.view.search(query, K, where)]


class Hnswlib:
    efforts = EFFORTS

    def __init__(self, items, exact, folder: Path):
        import hnswlib

        self.allowed = Allowed(exact)
        self.index = hnswlib.Index("ip", DIM)
        self.index.init_index(len(items), M=LINKS, ef_construction=BUILT_WITH, random_seed=1)
        self.index.add_items(exact.rows, exact.ids, num_threads=1)
        self.megabytes = self.index.index_file_size() / 1e6

    def search(self, query, where, effort):
        self.index.set_ef(max(effort, K))
        allowed = None if where == EVERYTHING else self.allowed[where]
        k = K if allowed is None else min(K, len(allowed))
        if not k:
            return []
        try:
            fits = allowed and allowed.__contains__
            return self.index.knn_query(query, k, num_threads=1, filter=fits)[0][0].tolist()
        except RuntimeError:  # it found fewer than asked for, and gives none
            return []


class Usearch:
    efforts = EFFORTS

    def __init__(self, items, exact, folder: Path):
        from usearch.index import Index

        self.allowed = Allowed(exact)
        self.index = Index(
            ndim=DIM, metric="ip", dtype="f16", connectivity=LINKS, expansion_add=BUILT_WITH, enable_key_lookups=False
        )
        self.index.add(exact.ids.astype(np.uint64), exact.rows, threads=1)
        self.megabytes = self.index.memory_usage / 1e6

    def search(self, query, where, effort):
        allowed = None if where == EVERYTHING else self.allowed[where]
        fetch = K
        while True:
            self.index.expansion_search = max(effort, fetch)
            keys = self.index.search(query, fetch, threads=1).keys.tolist()
            found = keys if allowed is None else [key for key in keys if key in allowed]
            if allowed is None or len(found) >= min(K, len(allowed)) or fetch >= MOST:
                return found[:K]
            fetch *= 8


class Pgvector:
    efforts = (pgvector.NEAR,)

    def __init__(self, items, exact, folder: Path):
        made = pgvector_table.create(TRUTH, DIM)
        pgvector_table.fill(made, items)
        pgvector_table.add_indexes(made)
        self.index = pgvector.PgVector(made)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_total_relation_size(%s)", [made.table])
            self.megabytes = cursor.fetchone()[0] / 1e6

    def search(self, query, where, effort):
        return [hit.garment_id for hit in self.index.search(query, K, where)]


class Allowed(dict):
    """By filter the garments that fit, worked out before the clock runs."""

    def __init__(self, exact: Brute):
        self.exact = exact

    def __missing__(self, where: Where) -> set[int]:
        self[where] = set(self.exact.ids[self.exact.fits(where)].tolist())
        return self[where]


CONTENDERS = {"ours": Ours, "hnswlib": Hnswlib, "usearch": Usearch, "pgvector": Pgvector}


class Run:
    def __init__(self, size: int, count: int, folder: Path):
        self.queries, self.turns = Queries(count), range(count)
        self.items = list(Mixture().items(size))
        self.exact = Brute(TRUTH.source, self.items)
        self.indexes, self.figures = {}, {}
        for name, contender in CONTENDERS.items():
            begin = time.perf_counter()
            try:
                self.indexes[name] = contender(self.items, self.exact, folder)
            except (ImportError, pgvector_table.NoPgvector) as reason:
                print(f"{name} is left out: {reason}")
                continue
            built = {"build s": time.perf_counter() - begin, "megabytes": self.indexes[name].megabytes}
            self.figures[name] = {"built": built}
            print("{:10} built in {build s:.1f} s, {megabytes:.0f} MB".format(name, **built))

    def measure(self, kind: str) -> None:
        wheres = [KINDS[kind](self.queries, place) for place in self.turns]
        true = [self.exact.search(query, K, where) for query, where in zip(self.queries.vectors, wheres, strict=True)]
        efforts = {name: self._least(index, wheres, true) for name, index in self.indexes.items()}
        seconds, shares = ({name: [] for name in self.indexes} for _ in range(2))
        for place in self.turns:
            names = list(self.indexes)
            # Each once after each other: who comes before leaves the caches as it will.
            for name in names[place % len(names) :] + names[: place % len(names)]:
                index = self.indexes[name]
                begin = time.perf_counter()
                found = index.search(self.queries.vectors[place], wheres[place], efforts[name])
                seconds[name].append(1000 * (time.perf_counter() - begin))
                shares[name].append(self._share(found, true[place]))
        print(f"\n{kind}: {np.mean([self.exact.fits(where).sum() for where in wheres]):.0f} garments fit")
        for name in self.indexes:
            p50, p99 = np.percentile(seconds[name], [50, 99])
            row = {"p50 ms": p50, "p99 ms": p99, "recall": np.mean(shares[name]), "effort": efforts[name]}
            self.figures[name][kind] = {key: float(value) for key, value in row.items()}
            print(
                "  {:10} p50 {p50 ms:8.3f}  p99 {p99 ms:8.3f} ms  recall {recall:.3f}  ef {effort}".format(name, **row)
            )

    def _least(self, index, wheres, true) -> int:
        for effort in index.efforts:
            shares = [
                self._share(index.search(self.queries.vectors[place], wheres[place], effort), true[place])
                for place in self.turns[:TUNED_ON]
            ]
            if np.mean(shares) >= WANTED:
                break
        return effort

    def _share(self, found: list[int], true: list) -> float:
        ids = {hit.garment_id for hit in true}
        return len(ids & set(found)) / max(len(ids), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100_000, help="garments")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, transaction.atomic():
        run = Run(options.size, options.queries, Path(folder))
        for kind in KINDS:
            run.measure(kind)
        transaction.set_rollback(True)
    if options.json:
        options.json.write_text(json.dumps(run.figures, indent=1))


if __name__ == "__main__":
    main()
