"""How quick the search by words is, with the numbers beside the choices.

    ./dev bench search [--sizes 10000 100000] [--json FILE]

Times are of what the page asks of the database: the first 24 garments with their pictures, and the counts of every
facet, each time counted anew. The garments are made in a transaction that is undone. "found" is how many there are.
"""

import argparse
import json
import os
import random
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from django.core.cache import cache
from django.db import connection, transaction

from recommend.search import search
from shop.colours import SWATCHES, family_of_word
from shop.models import Garment, Variant
from shop.search import FACETS, Search
from shop.words import COLOURS, PRODUCT_TYPES, _translations

ROUNDS = 15
LINE = (
    "{garments:>7} {search:<26} found {found:>6}; list p50 {list_p50:>6} p95 {list_p95:>6} ms; "
    "counts p50 {counts_p50:>6} p95 {counts_p95:>6} ms"
)
SEARCHES = {
    "no words": Search(),
    "no words, blue": Search(chosen={"colour_family": ["blue"]}),
    "no words, navy": Search(chosen={"colour": ["navy"]}),
    "dress": Search(words="dress"),
    "navy dress": Search(words="navy dress"),
    "blue": Search(words="blue"),
    "blue dress": Search(words="blue dress"),
    "relaxed linen shirt": Search(words="relaxed linen shirt"),
    "dress, size M, below 90": Search(words="dress", chosen={"size": ["M"]}, high=90),
    "남색": Search(words="남색"),
    "남색 원피스": Search(words="남색 원피스"),
    "파란 원피스": Search(words="파란 원피스"),
    "women": Search(words="women"),
    "여성": Search(words="여성"),
    "evryday swaeter": Search(words="evryday swaeter"),
    "zzzzzz": Search(words="zzzzzz"),
}
CUTS = {
    "Everyday": "에브리데이", "Straight": "스트레이트", "Relaxed": "릴랙스", "Cropped": "크롭", "Boxy": "박시",
    "Slim": "슬림", "Washed": "워싱", "Ribbed": "골지", "Striped": "스트라이프", "Printed": "프린트",
}  # fmt: skip
CLOTHS = "cotton linen wool silk viscose polyester denim jersey fleece corduroy cashmere nylon"
SAID = (
    "made in a small mill for warm days and cool evenings pockets at the side buttons of horn washed twice falls "
    "straight from the shoulder wear it open or closed with anything you like"
)
SAID_KO = (
    "부드러운 소재로 만든 일상복입니다 어깨에서 곧게 떨어지는 실루엣 옆주머니가 있고 단추는 천연 소재로 마감했습니다 "
    "여름에는 시원하고 겨울에는 따뜻하게 입을 수 있습니다"
)
SHARED = 10 * len(SWATCHES)  # so many garments of one colour beside one of each second
LOWER = ("jeans", "trousers", "chinos", "joggers", "leggings", "shorts", "skirt")


def category(kind: str) -> str:
    if kind == "jumpsuit" or "dress" in kind:
        return "dress"
    return "lower" if any(word in kind for word in LOWER) else "upper"


def make(count: int) -> None:
    chance, korean = random.Random(7), _translations("ko")
    kinds, cloths = list(PRODUCT_TYPES), CLOTHS.split()
    colours = {word: family_of_word(word) for word in COLOURS}
    for start in range(0, count, 2000):
        rows = []
        for number in range(start, min(count, start + 2000)):
            kind, cut, cloth = chance.choice(kinds), chance.choice(list(CUTS)), chance.choice(cloths)
            colour, second = chance.choice(list(colours)), chance.choice([*SWATCHES, *SHARED * [""]])
            rows.append(
                Garment(
                    sku=f"bench-{number}", slug=f"bench-{number}", title=f"{cut} {cloth.title()} {kind.title()}",
                    title_ko=f"{CUTS[cut]} {korean[kind]}", description=" ".join(chance.choices(SAID.split(), k=40)),
                    description_ko=" ".join(chance.choices(SAID_KO.split(), k=25)), category=category(kind),
                    product_type=kind, colour=colour, colour_family=colours[colour],
                    second_colour_family="" if second == colours[colour] else second,
                    brand=f"Brand {chance.randrange(60)}",
                    gender=chance.choice(["women", "women", "men", "unisex"]), price=chance.randrange(20, 300),
                    published=True,
                )
            )  # fmt: skip
        garments = Garment.objects.bulk_create(rows)
        sizes = [
            Variant(garment=garment, size=size, stock=chance.randrange(4), position=place)
            for garment in garments
            for place, size in enumerate(("XS", "S", "M", "L"))
        ]
        Variant.objects.bulk_create(sizes, batch_size=8000)


def timed(asked: Search) -> tuple[int, list[float], list[float]]:
    """How many there are; seconds of the list, and of the counts."""
    lists, counts = [], []
    for _ in range(ROUNDS):
        cache.clear()
        again = Search(asked.words, asked.chosen, asked.low, asked.high)  # remembers nothing
        start = time.perf_counter()
        search(again)
        lists.append(time.perf_counter() - start)
        start = time.perf_counter()
        for name in FACETS:
            again.counts(name)
        counts.append(time.perf_counter() - start)
    return again.total, sorted(lists), sorted(counts)


def milliseconds(seconds: list[float], share: float) -> float:
    return round(1000 * seconds[min(len(seconds) - 1, int(share * len(seconds)))], 1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--json")
    arguments = parser.parse_args()
    report = []
    for size in arguments.sizes:
        with transaction.atomic():
            make(size)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE shop_garment, shop_variant")
                for name in ("search", "terms", "titles"):  # as vacuum leaves them
                    cursor.execute(f"SELECT gin_clean_pending_list('garment_{name}')")
            for name, asked in SEARCHES.items():
                found, lists, counts = timed(asked)
                row = {"garments": size, "search": name, "found": found}
                for what, took in (("list", lists), ("counts", counts)):
                    row |= {f"{what}_p{percent}": milliseconds(took, percent / 100) for percent in (50, 95)}
                report.append(row)
                print(LINE.format(**row))
            transaction.set_rollback(True)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(report, file, indent=1)


if __name__ == "__main__":
    main()
