"""The index with a database of its own, which goes again: what a worker and web processes do with it all day."""

import itertools
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import connection

from benchmarks.mixture import Mixture
from recommend import index, ranking
from recommend.index import writer
from recommend.index.load import look
from recommend.models import Embedding, Serving
from shop.models import Garment, GarmentPicture
from tests.looks import PLAIN
from tests.workers import process_environment

SWAPS, SEARCHING, UPLOADS, CALLS, PROCESSES = 6, 2, 10, 200, 3
WATCHER = """
import django, sys, time
django.setup()
from recommend import index
for line in sys.stdin:
    garment_id = int(line)
    while index.current().vector(garment_id) is None:
        time.sleep(0.02)
    print(time.time(), flush=True)
"""


def measure(size: int) -> dict:
    name = settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    with tempfile.TemporaryDirectory() as folder:
        settings.INDEX_ROOT = Path(folder)
        try:
            garments = fill(size)
            start = time.perf_counter()
            writer.write(settings.INDEX_ROOT)
            figures = {"garments": size, "read, arranged and written s": time.perf_counter() - start}
            return figures | calls(garments) | uploads(garments) | swaps()
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


def fill(size: int) -> list[Garment]:
    items = list(Mixture().items(size))
    garments = Garment.objects.bulk_create(
        [
            Garment(
                sku=f"bench-{item.garment_id}", slug=f"bench-{item.garment_id}", title=f"Garment {item.garment_id}",
                category=item.key.category, product_type=item.key.product_type, gender=item.key.gender,
                brand=item.brand, colour=("red", "blue")[item.garment_id % 2], design=item.design, price=10,
                published=True,
            )
            for item in items
        ],
        batch_size=2000,
    )  # fmt: skip
    for garment, item in zip(garments, items, strict=True):
        garment.drawn = item.vector
    upload(garments)
    Serving.objects.follow(PLAIN)
    return garments


def upload(garments: list[Garment]) -> None:
    pictures = GarmentPicture.objects.bulk_create(
        [
            GarmentPicture(garment=garment, image="none.jpg", width=600, height=800, sha256=garment.sku)
            for garment in garments
        ],
        batch_size=2000,
    )
    rows = [Embedding.by(PLAIN, picture) for picture in pictures]
    for row, garment in zip(rows, garments, strict=True):
        row.vector, row.state = garment.drawn.tobytes(), "done"
    Embedding.objects.bulk_create(rows, batch_size=2000)


def calls(garments: list[Garment]) -> dict:
    """Whole calls of `ranking.similar`, rows and pictures included."""
    index.current()
    asked = [garments[place] for place in np.random.default_rng(0).integers(0, len(garments), CALLS)]
    seconds = []
    for garment in asked:
        start = time.perf_counter()
        ranking.similar(garment)
        seconds.append(time.perf_counter() - start)
    return {f"ranking.similar p{share} ms": 1000 * float(np.percentile(seconds, share)) for share in (50, 99)}


def uploads(garments: list[Garment]) -> dict:
    """From the commit of a garment's vector to the moment at which the last of several processes finds it."""
    environment = process_environment("redis://localhost:1/0", DJANGO_SETTINGS_MODULE="shop.settings")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WATCHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(PROCESSES)
    ]

    def found(garment_id: int) -> float:
        for process in processes:
            process.stdin.write(f"{garment_id}\n")
            process.stdin.flush()
        return max(float(process.stdout.readline()) for process in processes)

    try:
        found(garments[0].pk)
        waited, drawn = [], Mixture(seed=8).draw(UPLOADS)[3].astype(np.float16)
        for number in range(UPLOADS):
            new = Garment.objects.create(
                sku=f"new-{number}", title="New", category="upper", product_type="type 0", colour="red", price=10,
                published=True,
            )  # fmt: skip
            new.drawn = drawn[number]
            upload([new])
            committed = time.time()
            waited.append(found(new.pk) - committed)
    finally:
        for process in processes:
            process.stdin.close()
            process.wait()
            process.stdout.close()
    return {"from upload to searchable, median s": float(np.median(waited)), "the longest s": max(waited)}


def swaps() -> dict:
    """Threads search while snapshots are written and taken over, before each of which another garment goes.

    A result is wrong that raises, is short, has a garment twice or out of order, or one that had gone by its moment.
    """
    followed = index.Index(look_seconds=0.1)
    followed.current()
    queries = Mixture(seed=7).draw(500)[3].astype(np.float32)
    stop, seconds, wrong, versions, gone = threading.Event(), [], [], set(), {}

    def search(number: int) -> None:
        for place in itertools.cycle(range(number, len(queries), SEARCHING)):
            if stop.is_set():
                break
            view = followed.current()
            versions.add(view.version)
            start = time.perf_counter()
            try:
                hits = view.search(queries[place], 50)
            except Exception as error:
                wrong.append(error)
                continue
            seconds.append(time.perf_counter() - start)
            scores, ids = [hit.score for hit in hits], {hit.garment_id for hit in hits}
            if len(ids) < 50 or scores != sorted(scores, reverse=True):
                wrong.append(hits)
            if any(gone.get(pk, view.seq + 1) <= view.seq for pk in ids):
                wrong.append(hits)
        connection.close()

    threads = [threading.Thread(target=search, args=(number,)) for number in range(SEARCHING)]
    for thread in threads:
        thread.start()
    for number in range(1, SWAPS + 1):
        garment = Garment.objects.get(sku=f"bench-{number}")
        Garment.objects.filter(pk=garment.pk).update(published=False)
        gone[garment.pk] = look().seq
        version = writer.write(settings.INDEX_ROOT).version
        while version not in versions:
            time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    return {
        "swaps under load": len(versions) - 1, "searches meanwhile": len(seconds),
        "torn, short or failed": len(wrong), "their p50 ms": 1000 * float(np.percentile(seconds, 50)),
        "their p99 ms": 1000 * float(np.percentile(seconds, 99)),
    }  # fmt: skip
