"""How fast the search index is, how much it finds and what it takes, against exact search in numpy.

    ./dev bench similar                       # 100,000 garments
    ./dev bench similar --sizes 1000000       # needs 4 GB of memory while it is made, 1.1 GB of disk, and ten minutes
    ./dev bench similar --live                # and with a database: swaps under load, from upload to searchable

The vectors are those of benchmarks/mixture.py; queries are drawn from the same mixture and are not in the index.
Times are of one thread, a query at a time; "recall" is the share of the true ten nearest that is found.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

import psutil

from benchmarks.mixture import BRANDS, CATEGORIES, DIM, GENDERS, TYPES, Mixture, key
from recommend.index import EVERYTHING, Where, leaves, snapshot
from recommend.index.base import Source
from recommend.index.block import EXACT_ACROSS
from recommend.index.columns import Columns, Gathered
from recommend.index.load import Truth
from recommend.index.view import View

TRUTH = Truth(Source("bench", "1", "Bench"), 1, "bench")
K = 10
PROCESSES = 4
AT_ONCE = 50_000


class Queries:
    """Vectors with the searches a shop would make for them."""

    def __init__(self, count: int):
        self.types, self.genders, _, vectors = Mixture(seed=7).draw(count)
        self.vectors = vectors.astype(np.float32)

    def similar(self, place: int, shift: int = 0) -> Where:
        """Its product type, or one further on, and its gender with unisex."""
        gender = GENDERS[self.genders[place]]
        of_type = key((self.types[place] + shift) % TYPES, gender)
        genders = GENDERS if gender == "unisex" else {gender, "unisex"}
        return Where([of_type.category], [of_type.product_type], genders, "adult")

    def other_category(self, place: int) -> Where:
        return Where([CATEGORIES[(self.types[place] + 1) % len(CATEGORIES)]], age_group="adult")


def measure(size: int, folder: Path) -> dict:
    figures = {"garments": size} | make(size, folder) | shared(folder)
    opening, (manifest, block) = timed(snapshot.read, folder, snapshot.versions(folder)[0])
    view = View(TRUTH.source, 1, block=block)
    figures |= {"opened s": opening, "rows looked at": manifest.reach.rows if manifest.reach else size}
    queries = Queries(1000)
    searches = {
        "similar, k 10": (1000, queries.similar),
        "everything": (300, lambda place: EVERYTHING),
        "another type": (300, lambda place: queries.similar(place, shift=1)),
        "another category": (50, queries.other_category),
    } | {
        f"brand of {share:.1%}": (50, lambda place, brand=brand: Where(brands=[brand]))
        for brand, share in BRANDS.items()
        if brand != "others"
    }
    figures |= {name: one(view, queries, *how) for name, how in searches.items()}
    figures["similar, k 200"] = times(
        lambda place: view.search(queries.vectors[place], 200, queries.similar(place)), 300
    )
    figures |= after_changes(view, queries)
    show(figures)
    return figures


def make(size: int, folder: Path) -> dict:
    arrange = leaves.split if size > EXACT_ACROSS else None
    arranging, columns = timed(Gathered(Mixture().items(size), DIM).columns, arrange)
    reaching, reach = timed(leaves.reach_for, columns) if len(columns.centroids) else (0, None)
    writing, _ = timed(snapshot.write, folder, columns, TRUTH, reach)
    size = sum(file.stat().st_size for file in folder.rglob("*.npy"))
    return {"arranged s": arranging, "reach measured s": reaching, "written s": writing, "files MB": size / 1e6}


def one(view: View, queries: Queries, count: int, where) -> dict:
    found = []
    figures = times(lambda place: found.append(view.search(queries.vectors[place], K, where(place))), count)
    some = range(min(count, 100))
    true = [
        nearest(view.block.columns, queries.vectors[place], view.block.runs(where(place)), where(place))
        for place in some
    ]
    shares = [
        len({hit.garment_id for hit in found[place]} & ids) / max(len(ids), 1)
        for place, ids in zip(some, true, strict=True)
    ]
    short = sum(len(found[place]) < len(ids) for place, ids in zip(some, true, strict=True))
    return figures | {"recall": float(np.mean(shares)), "short lists": short}


def nearest(columns: Columns, query: np.ndarray, runs, where: Where) -> set[int]:
    """The true ten, in float32 by numpy."""
    ids, scores = [], []
    brands = [number for number, name in enumerate(columns.brand_names) if name in where.brands]
    for start, stop in runs:
        for at in range(start, stop, AT_ONCE):
            part = slice(at, min(stop, at + AT_ONCE))
            rows = np.arange(part.start, part.stop)
            if where.brands:
                rows = rows[np.isin(columns.brands[part], brands)]
            scores.append(columns.vectors[rows].astype(np.float32) @ query)
            ids.append(columns.ids[rows])
    ids, scores = np.concatenate(ids), np.concatenate(scores)
    return set(ids[np.argsort(-scores)[:K]].tolist())


def after_changes(view: View, queries: Queries) -> dict:
    """With so many garments changed and as many new since the snapshot."""
    figures = {}
    for changes in (1_000, 10_000):
        if changes > len(view) // 10:
            continue
        items = [item._replace(garment_id=2 * item.garment_id) for item in Mixture(seed=9).items(changes)]
        seconds, changed = timed(view.changed, [item.garment_id for item in items], items, 2)
        building, _ = timed(lambda changed=changed: changed.delta)
        figures[f"similar after {changes:,} changes"] = times(
            lambda place, changed=changed: changed.search(queries.vectors[place], K, queries.similar(place)), 500
        ) | {"laid over s": seconds + building}
    return figures


def shared(folder: Path) -> dict:
    """Memory of several processes that search the same snapshot, beside what they take without one."""
    command = [sys.executable, "-m", "benchmarks.similar", "--hold", str(folder)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    try:
        before = [float(process.stdout.readline()) for process in processes]
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        own = [float(process.stdout.readline()) for process in processes]
        whole = sum(psutil.Process(process.pid).memory_full_info().pss for process in processes) / 1e6
    finally:
        for process in processes:
            process.stdin.close()
            process.wait()
            process.stdout.close()
    return {f"PSS of {PROCESSES} processes beyond their programs, MB": whole - sum(before), "own of one, MB": max(own)}


def hold(folder: Path) -> None:
    """What a process of `shared` does: says its memory before, searches, says what memory of its own came to it."""
    before = psutil.Process().memory_full_info()
    print(before.uss / 1e6, flush=True)
    sys.stdin.readline()
    _, block = snapshot.read(folder, snapshot.versions(folder)[0])
    view, queries = View(TRUTH.source, 1, block=block), Queries(1000)
    block.columns.vectors[:, 0].max()  # every page of the file
    for place in range(1000):
        view.search(queries.vectors[place], K, queries.similar(place))
        view.search(queries.vectors[place], K)
    print((psutil.Process().memory_full_info().uss - before.uss) / 1e6, flush=True)
    sys.stdin.readline()


def timed(function, *arguments) -> tuple[float, object]:
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


def times(function, count: int) -> dict[str, float]:
    seconds = [timed(function, place)[0] for place in range(count)]
    return {f"p{share} ms": 1000 * float(np.percentile(seconds, share)) for share in (50, 99)}


def show(figures: dict) -> None:
    for name, value in figures.items():
        told = value if isinstance(value, dict) else {"": value}
        print(
            f"{name:>48}", *(f"{what} {figure:.3f}".rstrip("0").rstrip(".") for what, figure in told.items()), sep="  "
        )
    print(f"{'load':>48}  {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000], help="garments in the index")
    parser.add_argument("--live", type=int, nargs="?", const=100_000, help="also what needs a database, of so many")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    parser.add_argument("--hold", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hold:
        hold(options.hold)
        return
    figures = {}
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            figures[size] = measure(size, Path(folder))
    if options.live:
        from benchmarks import similar_live

        figures["live"] = similar_live.measure(options.live)
        show(figures["live"])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
