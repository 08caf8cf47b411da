"""What a whole call of the recommendations' API costs: filters, live checks, folding, variety, reasons and JSON.

    ./dev bench ranking [--garments 100000]

The garments, of 200 product types, with pictures, analyses, sizes and vectors of 512 numbers, and a month's events
are made in a transaction that is undone. Times are of the whole request without the network, by an API key. It prints
the rows of the table in README.md. Ten of the 200 types have words of the shop in each category, so that layers are
as rare as they may be.
"""

import argparse
import os
import time

import django

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as shop.wsgi has it
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

import numpy as np
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommend import index
from recommend.index.block import Block
from recommend.index.columns import Item, Key, gathered
from recommend.index.view import View
from shop.models import ApiKey, Garment, Shopper

TYPES, DIM, SHOPPERS, EVENTS, CALLS = 200, 512, 5_000, 200_000, 200
NAMED = (  # of a category in turn: tops, bottoms, dresses
    "cardigan", "jeans", "wrap dress", "blazer", "trousers", "dress", "shirt", "skirt", "shirt dress",
    "blouse", "chinos", "slip dress", "t-shirt", "shorts", "knit dress", "sweater", "midi skirt", "maxi dress",
    "hoodie", "joggers", "jumpsuit", "tank", "mini skirt", "dress", "jacket", "leggings", "dress",
    "polo", "pencil skirt", "wrap dress",
)  # fmt: skip
FILL = (
    "INSERT INTO shop_garment (sku, slug, title, title_ko, description, description_ko, category, product_type,"
    " sleeve, length, colour, colour_family, brand, gender, age_group, design, price, currency,"
    " published, updated, created)"
    " SELECT 'bench-' || i, 'bench-' || i, 'Garment ' || i, '', '', '', (ARRAY['upper', 'lower', 'dress'])[1 + i % 3],"
    " coalesce((ARRAY{named})[1 + i % {types} * 3 + i % 3], 'type ' || i % {types}), '', 'regular',"
    " (ARRAY['red', 'blue', 'green', 'grey'])[1 + i / {types} % 4],"
    " (ARRAY['red', 'blue', 'green', 'grey'])[1 + i / {types} % 4], 'Brand ' || i % 50,"
    " (ARRAY['women', 'men', 'unisex'])[1 + i / {types} % 3], 'adult',"
    " 'bench-' || i / 4 / {types} || '-' || i % {types}, 10 + i / 7 % 90, 'USD',"
    " true, now(), now() - random() * interval '1 year'"
    " FROM generate_series(0, {garments} - 1) i",
    "INSERT INTO shop_garmentpicture (garment_id, image, width, height, sha256, role, position, mask)"
    " SELECT id, 'garments/none.jpg', 600, 800, sku, 'flat', 0, '' FROM shop_garment WHERE sku LIKE 'bench-%'",
    "INSERT INTO shop_garmentanalysis (picture_id, version, state, data, problems, colours, sleeve, length, asked,"
    " error, attempts) SELECT p.id, 2, 'done', 'none', '[]', ('[{{\"lab\": [' || (random() * 100)::int || ', 20, -30],"
    " \"share\": 0.7}}, {{\"lab\": [90, 0, 0], \"share\": 0.3}}]')::jsonb, '', '', '', '', 0"
    " FROM shop_garmentpicture p JOIN shop_garment g ON g.id = garment_id WHERE sku LIKE 'bench-%'",
    "INSERT INTO shop_variant (garment_id, size, stock, position) SELECT id, size, (id / 7 + length(size)) % 3, 0"
    " FROM shop_garment, unnest(ARRAY['S', 'M', 'L', 'XL']) size WHERE sku LIKE 'bench-%'",
    "INSERT INTO shop_shopper (key_hash) SELECT 'bench-' || i FROM generate_series(1, {shoppers}) i",
    "INSERT INTO shop_event (shopper_id, garment_id, kind, surface, ranking, created)"
    " SELECT s.first + (random() * ({shoppers} - 1))::int, g.first + (random() * random() * ({garments} - 1))::int,"
    " (ARRAY['view', 'view', 'tryon'])[1 + i % 3], '', '', now() - random() * interval '30 days'"
    " FROM generate_series(1, {events}) i,"
    " (SELECT min(id) AS first FROM shop_shopper WHERE key_hash LIKE 'bench-%') s,"
    " (SELECT min(id) AS first FROM shop_garment WHERE sku LIKE 'bench-%') g",
    *(f"ANALYZE shop_{table}" for table in ("garment", "garmentpicture", "garmentanalysis", "variant", "event")),
)


def fill(garments: int) -> None:
    numbers = {"types": TYPES, "garments": garments, "shoppers": SHOPPERS, "events": EVENTS, "named": list(NAMED)}
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement.format(**numbers))


def view() -> View:
    """An index of the garments: those of a product type lie around one direction."""
    rng = np.random.default_rng(0)
    middles = rng.standard_normal((TYPES, DIM), dtype=np.float32)
    rows = Garment.objects.filter(sku__startswith="bench-").order_by("pk")
    columns = "sku", "pk", "age_group", "category", "product_type", "gender", "brand", "colour", "design"
    items = []
    for sku, pk, *key, brand, colour, design in rows.values_list(*columns):
        vector = middles[int(sku.split("-")[1]) % TYPES] + rng.standard_normal(DIM, dtype=np.float32)
        vector = (vector / np.linalg.norm(vector)).astype(np.float16)
        items.append(Item(pk, Key(*key), brand, colour, design, vector))
    return View(index.Source("bench", "1", "Bench"), block=Block(gathered(items, DIM)))


def report(name: str, call) -> None:
    """One row of the table. `call(number)` answers a response."""
    call(0)
    with CaptureQueriesContext(connection) as queries:
        call(1)
    asked = len(queries)
    wall, work, shown = [], [], []
    for number in range(CALLS):
        began, busy = time.perf_counter(), time.process_time()
        answer = call(number)
        wall.append(1000 * (time.perf_counter() - began))
        work.append(1000 * (time.process_time() - busy))
        shown.append(len(answer.json()["results"]))
    p50, p99 = np.percentile(wall, (50, 99))
    print(
        f"| {name} | {np.median(shown):.0f} | {asked} | {p50:.1f} | {p99:.0f} | {np.median(work):.1f} |",
        flush=True,
    )


def main(garments: int) -> None:
    with transaction.atomic():
        fill(garments)
        frozen = view()
        index.current = lambda: frozen
        user = get_user_model().objects.create_user("bench-program")
        scopes = [ApiKey.Scope.CATALOGUE_READ, ApiKey.Scope.TRYON]
        key = {"Authorization": f"Bearer {ApiKey.issue(user, 'bench', scopes)[1]}", "host": "localhost"}
        client = Client(headers=key)
        shopper = Shopper.objects.of_user(user)
        skus = [f"bench-{number}" for number in np.random.default_rng(1).integers(0, garments, CALLS)]
        with connection.cursor() as cursor:  # some shopper's events
            cursor.execute(
                "UPDATE shop_event SET shopper_id = %s WHERE id IN (SELECT id FROM shop_event LIMIT 60)", [shopper.pk]
            )
        cache.clear()
        beside = "/api/v1/garments/{}/{}".format
        print(f"{garments:,} garments, load {', '.join(f'{load:.1f}' for load in os.getloadavg())}\n")
        print("| | shown | queries | p50 ms | p99 ms | CPU of this process, p50 ms |\n|---|---|---|---|---|---|")
        report("`similar`", lambda n: client.get(beside(skus[n], "similar")))
        report("of a size in stock", lambda n: client.get(beside(skus[n], "similar?size=M")))
        report("of a price, 1 in 15", lambda n: client.get(beside(skus[n], "similar?price_max=15")))
        report("of a price, 1 in 90", lambda n: client.get(beside(skus[n], "similar?price_max=10")))
        report("of a price that nothing has", lambda n: client.get(beside(skus[n], "similar?price_max=1")))
        report("`goes-with`", lambda n: client.get(beside(skus[n], "goes-with")))
        report("`for-you`", lambda n: client.get("/api/v1/for-you"))
        print(f"\nload {', '.join(f'{load:.1f}' for load in os.getloadavg())}")
        transaction.set_rollback(True)
    cache.clear()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--garments", type=int, default=100_000)
    main(parser.parse_args().garments)
