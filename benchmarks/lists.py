"""What counting costs: noting a list and a click, and the admin's figures, with many lists and events there.

    ./dev bench lists [--rows 1000000]

The rows, spread over 30 days, are made in a transaction that is undone.
"""

import argparse
import os
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from django.db import connection, transaction

from shop import figures, receivers
from shop.models import Event, Experiment, Garment, Shopper, ShownList

GARMENTS, SHOPPERS = 200, 50_000
CALLS = 200
FILL = (
    "INSERT INTO shop_shopper (key_hash) SELECT 'bench-' || i FROM generate_series(1, {shoppers}) i",
    "INSERT INTO shop_shownlist (id, shopper_id, surface, ranking, garments, clicked, tried_on, ordered, created)"
    " SELECT gen_random_uuid(), s.first + (random() * {shoppers} - 0.5)::int,"
    " (ARRAY['catalogue', 'search', 'similar', 'for_you'])[1 + i % 4], (ARRAY['one', 'other'])[1 + i / 4 % 2],"
    " ARRAY(SELECT g.id FROM shop_garment g WHERE g.sku LIKE 'bench-%' LIMIT 12),"
    " random() < .2, random() < .05, random() < .01, now() - (1 - i::float / {rows}) * interval '30 days'"
    " FROM generate_series(1, {rows}) i, (SELECT min(id) AS first FROM shop_shopper WHERE key_hash LIKE 'bench-%') s",
    "INSERT INTO shop_event (shopper_id, garment_id, kind, surface, ranking, list_id, position, created)"
    " SELECT shopper_id, garments[1 + (random() * 11)::int], 'click', surface, ranking, id, 0,"
    " created + interval '1 minute' FROM shop_shownlist",
    "ANALYZE shop_shownlist",
    "ANALYZE shop_event",
)


def fill(rows: int) -> None:
    fields = {"title": "Tee", "category": "upper", "product_type": "tee", "price": 10, "published": True}
    names = [f"bench-{number}" for number in range(GARMENTS)]
    Garment.objects.bulk_create([Garment(sku=name, slug=name, colour="blue", **fields) for name in names])
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement.replace("{rows}", str(rows)).replace("{shoppers}", str(SHOPPERS)))


def report(name: str, call, calls: int) -> None:
    times = []
    for number in range(calls):
        began = time.perf_counter()
        call(number)
        times.append(1000 * (time.perf_counter() - began))
    times.sort()
    print(f"{name:<44} p50 {times[calls // 2]:>8.2f} ms, slowest {times[-1]:>8.2f} ms")


def main(rows: int) -> None:
    with transaction.atomic():
        fill(rows)
        shoppers = list(Shopper.objects.filter(key_hash__startswith="bench-")[:CALLS])
        ids = list(Garment.objects.filter(sku__startswith="bench-").values_list("pk", flat=True)[:24])
        shown = []
        report(
            "note a list", lambda n: shown.append(ShownList.objects.show(shoppers[n], "similar", "one", ids)), CALLS
        )
        report("the same list again", lambda n: ShownList.objects.show(shoppers[n], "similar", "one", ids), CALLS)
        report(
            "note a click",
            lambda n: Event.objects.note(shoppers[n].pk, ids[0], "click", shown[n].place(ids[0])),
            CALLS,
        )
        report("which list a try-on came from", lambda n: Event.objects.came_from(shoppers[n].pk, ids[0]), CALLS)
        report("figures of 30 days", lambda _: figures.groups(30), 5)
        report("figures of 7 days", lambda _: figures.groups(7), 5)
        experiment = Experiment.objects.create(name="bench", surface="similar", first="one", second="other")
        Experiment.objects.update(started="2000-01-01T00:00Z")
        experiment.refresh_from_db()
        report("two rankings compared", lambda _: figures.compare(experiment), 5)
        report("a sweep with nothing to forget", lambda _: receivers.expire_what_was_seen(None), 5)
        transaction.set_rollback(True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="lists, and as many clicks")
    main(parser.parse_args().rows)
