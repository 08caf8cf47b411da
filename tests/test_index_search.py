"""Search in memory against brute force: filters, deletes, updates, leaves, and what is refused. No database."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from recommend.index import leaves
from recommend.index.base import EVERYTHING, Source, VectorRefused, Where
from recommend.index.block import Block
from recommend.index.columns import Gathered, Item, Key, gathered
from recommend.index.view import View

SOURCE = Source("plain", "1", "Plain")
AGES, CATEGORIES, TYPES = ("adult", "kids"), ("upper", "lower"), ("polo", "tee", "jeans", "skirt", "셔츠")
GENDERS, BRANDS, COLOURS = ("women", "men", "unisex"), ("", "Acme", "Blåvand", "나무"), ("red", "blue", "sea green")


def drawn_items(rng, count: int, dim: int = 24, first: int = 1) -> list[Item]:
    def one(number):
        vector = rng.standard_normal(dim)
        key = Key(*(str(rng.choice(names)) for names in (AGES, CATEGORIES, TYPES, GENDERS)))
        return Item(
            first + number, key, str(rng.choice(BRANDS)), str(rng.choice(COLOURS)),
            f"디자인-{number // 2}" if number % 3 else "", (vector / np.linalg.norm(vector)).astype(np.float16),
        )  # fmt: skip

    return [one(number) for number in range(count)]


def drawn_where(rng) -> Where:
    def some(names):
        return rng.choice(names, rng.integers(1, len(names)), replace=False).tolist() if rng.random() < 0.4 else ()

    return Where(
        categories=some(CATEGORIES), product_types=some(TYPES), genders=some(GENDERS), brands=some(BRANDS),
        colours=some(COLOURS), age_group=str(rng.choice(["", *AGES])),
    )  # fmt: skip


def fits(item: Item, where: Where) -> bool:
    return all(
        not asked or value in asked
        for asked, value in (
            (where.categories, item.key.category), (where.product_types, item.key.product_type),
            (where.genders, item.key.gender), (where.brands, item.brand), (where.colours, item.colour),
            ({where.age_group} - {""}, item.key.age_group),
        )
    )  # fmt: skip


def nearest(items: dict[int, Item], query: np.ndarray, k: int, where: Where, exclude) -> list[tuple[int, float]]:
    """Brute force."""
    scores = {
        pk: float(item.vector.astype(np.float32) @ query)
        for pk, item in items.items()
        if pk not in exclude and fits(item, where)
    }
    return sorted(scores.items(), key=lambda entry: -entry[1])[:k]


def assert_same(hits, expected, items) -> None:
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in expected], abs=1e-5)
    assert len({hit.garment_id for hit in hits}) == len(hits)
    # Garments whose scores are equal to the last digit may change places.
    exact = dict(expected)
    assert all(hit.score == pytest.approx(exact.get(hit.garment_id, expected[-1][1]), abs=1e-5) for hit in hits)
    assert all(hit.design == items[hit.garment_id].design for hit in hits)


def drawn_view(items, dim=24) -> View:
    return View(SOURCE, 1, block=Block(gathered(items, dim)))


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_brute_force_finds_whatever_is_filtered_changed_and_deleted(seed):
    rng = np.random.default_rng(seed)
    items = {item.garment_id: item for item in drawn_items(rng, int(rng.integers(1, 400)))}
    tested = drawn_view(items.values())
    for seq in range(2, 8):
        for _ in range(12):
            query = rng.standard_normal(24).astype(np.float32)
            query /= np.linalg.norm(query)
            where, k = drawn_where(rng), int(rng.integers(1, 60))
            exclude = set(rng.integers(1, 420, int(rng.choice([0, 1, 5, 150]))).tolist())
            hits = tested.search(3 * query, k, where, exclude)  # any length will do
            assert_same(hits, nearest(items, query, k, where, exclude), items)
        gone = rng.integers(1, 420, int(rng.choice([1, 3, 120]))).tolist()
        changed = [
            new._replace(garment_id=int(pk))
            for pk, new in zip(rng.permutation(450)[:40] + 1, drawn_items(rng, int(rng.integers(0, 40))), strict=False)
        ]
        tested = tested.changed([*gone, *(item.garment_id for item in changed)], changed, seq)
        items = {pk: item for pk, item in items.items() if pk not in gone}
        items |= {item.garment_id: item for item in changed}
        assert len(tested) == len(items)
        assert tested.seq == seq
    for pk in range(1, 460):
        vector = tested.vector(pk)
        assert (vector is None) == (pk not in items)
        assert vector is None or np.array_equal(vector, items[pk].vector.astype(np.float32))
    several = tested.vectors(range(1, 460))
    assert several.keys() == items.keys()
    assert all(np.array_equal(vector, tested.vector(pk)) for pk, vector in several.items())


def test_a_view_that_was_replaced_finds_what_it_found():
    rng = np.random.default_rng(1)
    old = drawn_view(drawn_items(rng, 50))
    query = rng.standard_normal(24)
    before = old.search(query, 10)
    old.changed([hit.garment_id for hit in before], drawn_items(rng, 5, first=100), 2)
    assert old.search(query, 10) == before


def test_columns_give_back_what_was_put_in():
    items = drawn_items(np.random.default_rng(2), 200)
    back = {item.garment_id: item for item in gathered(items, 24).items()}
    assert back.keys() == {item.garment_id for item in items}
    for item in items:
        assert back[item.garment_id]._replace(vector=None) == item._replace(vector=None)
        assert np.array_equal(back[item.garment_id].vector, item.vector)


def test_the_genders_of_a_type_are_read_in_one_stretch():
    items = drawn_items(np.random.default_rng(3), 500)
    block = Block(gathered(items, 24))
    asked = Where(categories=["upper"], product_types=["polo"], genders=["women", "unisex"], age_group="adult")
    assert len(block.runs(asked)) == 1
    assert block.runs(EVERYTHING) == [(0, 500)]


@pytest.fixture
def in_leaves(monkeypatch):
    """4,000 garments in 40 looks, as an index that is searched leaf by leaf."""
    monkeypatch.setattr("recommend.index.block.EXACT_ACROSS", 300)
    monkeypatch.setattr(leaves, "SIZE", 40)
    rng = np.random.default_rng(4)
    looks = rng.standard_normal((40, 32))
    items = {}
    for item in drawn_items(rng, 4000, 32):
        look = item.garment_id % 40
        vector = looks[look] + 0.35 * rng.standard_normal(32)
        items[item.garment_id] = item._replace(
            key=Key("adult", CATEGORIES[look % 2], TYPES[look % 5], GENDERS[look % 3]),
            vector=(vector / np.linalg.norm(vector)).astype(np.float16),
        )
    columns = Gathered(items.values(), 32).columns(leaves.split)
    reach = leaves.reach_for(columns)
    queries = looks[rng.integers(0, 40, 60)] + 0.35 * rng.standard_normal((60, 32))
    queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
    return items, View(SOURCE, 1, block=Block(columns, reach)), queries


def recall(items, tested, queries, where, k=10) -> float:
    shares = []
    for query in queries:
        hits, expected = tested.search(query, k, where), nearest(items, query, k, where, ())
        assert len(hits) == len(expected)  # never short
        shares.append(len({hit.garment_id for hit in hits} & {pk for pk, _ in expected}) / max(1, len(expected)))
    return float(np.mean(shares))


def test_leaves_find_nearly_everything_and_look_at_little(in_leaves):
    items, tested, queries = in_leaves
    assert tested.block.reach.rows < 1000
    assert recall(items, tested, queries, EVERYTHING) >= 0.97
    assert recall(items, tested, queries, Where(categories=["lower"])) >= 0.97
    assert recall(items, tested, queries, Where(brands=["Acme", "나무"])) >= 0.97


def test_leaves_keep_lists_full_after_most_garments_are_gone(in_leaves):
    items, tested, queries = in_leaves
    gone = [pk for pk in items if pk % 4]
    items = {pk: item for pk, item in items.items() if pk not in set(gone)}
    tested = tested.changed(gone, [], 2)
    assert recall(items, tested, queries, EVERYTHING) >= 0.97
    assert recall(items, tested, queries[:5], EVERYTHING, k=900) >= 0.99


def test_a_type_and_a_query_unlike_any_garment_are_searched_exactly(in_leaves):
    items, tested, queries = in_leaves
    assert recall(items, tested, queries, Where(product_types=["polo"])) == 1
    tested = replace(tested, block=Block(tested.block.columns, tested.block.reach._replace(least=0.999)))
    assert recall(items, tested, queries, EVERYTHING) == 1


def test_leaves_are_given_up_where_garments_do_not_gather_in_looks(monkeypatch):
    monkeypatch.setattr(leaves, "SIZE", 40)
    columns = Gathered(drawn_items(np.random.default_rng(5), 1500, 48), 48).columns(leaves.split)
    assert leaves.reach_for(columns) is None


def test_leaves_are_the_same_each_time(monkeypatch):
    monkeypatch.setattr(leaves, "SIZE", 20)
    items = drawn_items(np.random.default_rng(6), 2000)
    one, two = (Gathered(items, 24).columns(leaves.split) for _ in range(2))
    assert len(one.centroids) > len(one.keys)
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in one.arrays())


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (np.ones(23), "24 numbers"), (np.ones((1, 24)), "24 numbers"), (np.zeros(24), "zero"), ([], "24 numbers"),
        (np.full(24, np.nan), "NaN"), ([*[1.0] * 23, np.inf], "infinity"),
    ],
)  # fmt: skip
def test_a_vector_that_cannot_be_searched_for_is_refused(vector, said):
    tested = drawn_view(drawn_items(np.random.default_rng(7), 5))
    with pytest.raises(VectorRefused, match=said):
        tested.search(vector, 3)


def test_an_empty_index_finds_nothing():
    assert View().search(np.ones(5), 3) == []
    assert View().vector(1) is None
    assert len(View()) == 0
    emptied = drawn_view(drawn_items(np.random.default_rng(8), 5)).changed([1, 2, 3, 4, 5], [], 2)
    assert len(emptied) == 0
    assert emptied.search(np.ones(24), 3) == []


def test_what_is_asked_wrongly_is_said():
    tested = drawn_view(drawn_items(np.random.default_rng(9), 5))
    with pytest.raises(ValueError, match="at least one"):
        tested.search(np.ones(24), 0)
    with pytest.raises(TypeError, match="'upper'"):
        Where(categories="upper")
    assert tested.search(np.ones(24), 3, Where(product_types=["unheard of"])) == []
    assert tested.search(np.ones(24), 3, Where(brands=["unheard of"])) == []
    assert tested.search(np.ones(24), 3, exclude=range(1, 6)) == []


def test_vectors_of_another_length_are_left_out(caplog):
    rng = np.random.default_rng(10)
    tested = drawn_view([*drawn_items(rng, 3), *drawn_items(rng, 2, dim=8, first=10)])
    assert len(tested) == 3
    assert "garment 10: a vector of 8 instead of 24" in caplog.text
    assert len(tested.changed([10], drawn_items(rng, 1, dim=8, first=10), 2)) == 3


def test_many_threads_find_the_same(in_leaves):
    _, tested, queries = in_leaves
    wheres = [EVERYTHING, Where(categories=["upper"]), Where(brands=["Acme"]), Where(product_types=["tee"])]
    expected = [[tested.search(query, 20, where) for where in wheres] for query in queries]
    fresh, wrong = View(SOURCE, 1, block=Block(tested.block.columns, tested.block.reach)), []

    def search():
        for query, results in zip(queries, expected, strict=True):
            wrong.extend(
                hits for where, hits in zip(wheres, results, strict=True) if fresh.search(query, 20, where) != hits
            )

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_remembered_stretches_are_forgotten_before_they_are_too_many(monkeypatch):
    monkeypatch.setattr("recommend.index.block.KEPT", 3)
    items = drawn_items(np.random.default_rng(11), 300)
    tested = drawn_view(items)
    for product_type in TYPES:
        for gender in GENDERS:
            tested.search(np.ones(24), 3, Where(product_types=[product_type], genders=[gender]))
    assert len(tested.block._runs) <= 3
    assert len(tested.block._flats) <= 3
