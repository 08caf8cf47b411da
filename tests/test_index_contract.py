"""What every index of vectors promises, held against brute force, the index in memory and real pgvector alike."""

from types import SimpleNamespace

import numpy as np
import pytest
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection

from recommend import index as indexes
from recommend.index import Index, Source, VectorRefused, Where, pgvector, pgvector_table
from recommend.index.block import Block
from recommend.index.brute import Brute, recall
from recommend.index.columns import Item, Key, gathered
from recommend.index.load import Truth, load, look
from recommend.index.view import View
from recommend.locks import Lock
from recommend.models import Embedding, Serving
from shop.models import Garment
from tests.locks import held_elsewhere
from tests.looks import add_picture, direction, embed, make, skus

SOURCE = Source("plain", "1", "Plain")
DIM, COUNT = 24, 3000
SHARES = (0.5, 0.44, 0.05, 0.009, 0.001)  # of the brands
TYPES, BRANDS, COLOURS = ("tee", "jeans", "셔츠"), ("", "Acme", "Blåvand", "나무", "O'Neill %s"), ("red", "sea green")
ALL = ["brute", "memory", "pgvector", "pgvector's graphs"]


def available():
    with connection.cursor() as cursor:
        if reason := pgvector_table.problem():
            pytest.skip(reason)
        cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {pgvector_table.EXTENSION}")


def in_pgvector(items: list[Item], dim: int = DIM) -> pgvector.PgVector:
    available()
    generation = pgvector_table.create(Truth(SOURCE, 0, "test"), dim)
    pgvector_table.fill(generation, items)
    pgvector_table.add_indexes(generation)
    return pgvector.PgVector(generation)


@pytest.fixture(params=ALL)
def build(request, db, monkeypatch):
    """Makes an index of items; `build.exact` tells whether it promises the nearest, or nearly all of them."""
    if request.param == "pgvector's graphs":
        monkeypatch.setattr(pgvector, "EXACT_UP_TO", -1)
    makers = {
        "brute": lambda items: Brute(SOURCE, items),
        "memory": lambda items: View(SOURCE, block=Block(gathered(items, DIM if items else 0))),
        "pgvector": in_pgvector,
        "pgvector's graphs": in_pgvector,
    }

    def make_index(items):
        return makers[request.param](items)

    make_index.exact = "graphs" not in request.param
    return make_index


def item(garment_id: int, vector, **facts) -> Item:
    facts = {
        "age_group": "adult", "category": "upper", "product_type": "tee", "gender": "women", "brand": "",
        "colour": "red", "design": "",
    } | facts  # fmt: skip
    key = Key(*(facts.pop(name) for name in Key._fields))
    return Item(garment_id, key, vector=np.asarray(vector, np.float16), **facts)


def drawn(count: int = COUNT) -> list[Item]:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((count, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [
        item(
            number + 1, vectors[number], age_group="kids" if rng.random() < 0.1 else "adult",
            category=str(rng.choice(Garment.Category.values)), product_type=str(rng.choice(TYPES)),
            gender=str(rng.choice(Garment.Gender.values)), brand=str(rng.choice(BRANDS, p=SHARES)),
            colour=str(rng.choice(COLOURS)), design=f"디자인-{number // 2}",
        )
        for number in range(count)
    ]  # fmt: skip


WHERES = [
    Where(),
    Where(categories=["upper"]),
    Where(categories=["lower", "dress"], age_group="adult"),
    Where(product_types=["셔츠"], genders=["men", "unisex"]),
    Where(brands=["나무"]),
    Where(brands=["O'Neill %s"]),
    Where(brands=["Acme", "Blåvand"], colours=["sea green"]),
    Where(age_group="kids", categories=["dress"], product_types=["tee"], genders=["women"], colours=["red"]),
    Where(brands=["nobody's"]),
    Where(categories=["nothing"]),
]


@pytest.mark.parametrize("k", [1, 10, 400])
def test_lists_are_full_ordered_and_true_under_every_filter(build, k):
    items = drawn()
    index, exact = build(items), Brute(SOURCE, items)
    assert (index.source, index.dim, len(index)) == (SOURCE, DIM, COUNT)
    queries = np.random.default_rng(4).standard_normal((4, DIM)).astype(np.float32)
    shares = []
    for where in WHERES:
        for query in queries:
            exclude = {hit.garment_id for hit in exact.search(query, 3, where)[1:]}
            true, found = exact.search(query, k, where, exclude), index.search(query, k, where, exclude)
            assert len(found) == len({hit.garment_id for hit in found}) == len(true)
            assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
            own = {hit.garment_id: hit for hit in exact.search(query, COUNT, where, exclude)}
            for hit in found:
                assert hit.design == own[hit.garment_id].design
                assert hit.score == pytest.approx(own[hit.garment_id].score, abs=2e-3)
            shares.append(recall(found, true))
    if build.exact:
        assert min(shares) == 1
    assert np.mean(shares) > 0.97


def test_ties_and_equal_vectors(build):
    items = [item(number, direction(0, DIM), design=f"d{number}") for number in range(1, 8)]
    index = build([*items, item(8, direction(60, DIM)), item(9, direction(180, DIM))])
    found = index.search(direction(0, DIM), 9)
    assert {hit.garment_id for hit in found[:7]} == set(range(1, 8))
    assert [hit.score for hit in found] == pytest.approx([1] * 7 + [0.5, -1], abs=2e-3)
    assert len({hit.garment_id for hit in index.search(direction(0, DIM), 3)} & set(range(1, 8))) == 3


def test_length_of_the_query_does_not_matter(build):
    index = build([item(1, direction(0, DIM)), item(2, direction(30, DIM))])
    for factor in (1e-6, 1, 1e6):
        found = index.search(direction(10, DIM).astype(np.float32) * np.float32(factor), 2)
        assert [hit.score for hit in found] == pytest.approx(np.cos(np.radians([10, 20])), abs=2e-3)


def test_more_than_there_is(build):
    index = build([item(1, direction(0, DIM)), item(2, direction(30, DIM), brand="나무")])
    assert [hit.garment_id for hit in index.search(direction(0, DIM), 1000)] == [1, 2]
    assert [hit.garment_id for hit in index.search(direction(0, DIM), 5, Where(brands=["나무"]))] == [2]
    assert index.search(direction(0, DIM), 5, exclude=[1, 2, 77]) == []


def test_vectors_by_garment(build):
    index = build([item(1, direction(0, DIM)), item(2, direction(30, DIM))])
    assert index.vector(2) == pytest.approx(direction(30, DIM).astype(np.float32), abs=1e-6)
    assert index.vector(2).dtype == np.float32
    assert index.vector(77) is None
    several = index.vectors([1, 77, 2])
    assert several.keys() == {1, 2}
    assert several[2] == pytest.approx(index.vector(2))


def test_an_empty_index_finds_nothing(build):
    index = build([])
    assert len(index) == 0
    assert index.search(np.ones(DIM, np.float32), 5) == []
    assert index.vector(1) is None
    assert index.vectors([1]) == {}


@pytest.mark.parametrize(
    "vector",
    [np.ones(DIM - 1), np.ones((1, DIM)), np.full(DIM, np.nan), np.r_[np.inf, np.ones(DIM - 1)], np.zeros(DIM)],
    ids=["short", "two axes", "NaN", "infinity", "zero"],
)
def test_a_vector_that_cannot_be_searched_for_is_refused(build, vector):
    with pytest.raises(VectorRefused):
        build([item(1, direction(0, DIM))]).search(vector, 5)


def test_at_least_one_must_be_asked_for(build):
    with pytest.raises(ValueError, match="at least one"):
        build([item(1, direction(0, DIM))]).search(direction(0, DIM), 0)


# --- As the shop changes -------------------------------------------------------------------------------------


@pytest.fixture
def without_tables(transactional_db):
    """pgvector's tables go with the test."""
    available()
    yield
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE starts_with(tablename, %s)", [pgvector_table.STATE])
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {name}")


@pytest.fixture(params=["brute", "memory", "pgvector"])
def current(request, transactional_db):
    """Gives the index as it is now; to be called first when there is something to copy."""
    if request.param == "brute":
        return lambda: Brute(look().source, load(look().source))
    if request.param == "memory":
        return Index(look_seconds=0).current
    request.getfixturevalue("without_tables")
    following = pgvector.Following(look_seconds=0)

    def copied():
        if following.current() is None:
            call_command("copy_to_pgvector", stdout=SimpleNamespace(write=lambda *_: None))
        return following.current()

    return copied


def test_what_is_added_changed_hidden_or_deleted_is_seen(current):
    one, two, three = make("one", 0), make("two", 20), make("three", 40, brand="나무")

    def ids(**where):
        return [hit.garment_id for hit in current().search(direction(0), 10, Where(**where))]

    assert ids() == [one.pk, two.pk, three.pk]
    late = make("late", 10)
    assert ids() == [one.pk, late.pk, two.pk, three.pk]
    Garment.objects.filter(pk=two.pk).update(published=False)
    assert ids() == [one.pk, late.pk, three.pk]
    Garment.objects.filter(pk=two.pk).update(published=True, brand="나무", category="dress", design="D")
    assert ids(brands=["나무"]) == [two.pk, three.pk]
    assert ids(categories=["dress"]) == [two.pk]
    assert current().search(direction(20), 1)[0].design == "D"
    Embedding.objects.filter(garment=one).update(vector=direction(90).tobytes())
    assert ids() == [late.pk, two.pk, three.pk, one.pk]
    embed(add_picture(late, None), 70)
    assert current().vector(late.pk)[:2] == pytest.approx(np.cos(np.radians([40, 50])), abs=2e-3)
    three.delete()
    assert three.pk not in ids()
    assert len(current()) == 3
    Garment.objects.all().delete()
    assert ids() == []


# --- pgvector's own ------------------------------------------------------------------------------------------


def test_more_changes_than_one_look_follows(without_tables, monkeypatch):
    make("first", 0)
    call_command("copy_to_pgvector")
    monkeypatch.setattr(pgvector, "AT_ONCE", 2)
    for number in range(5):
        make(f"later-{number}", number)
    following = pgvector.Following(look_seconds=0)
    assert [len(following.current()) for _ in range(3)] == [3, 5, 6]
    for number in range(5, 10):
        make(f"later-{number}", number)
    pgvector.follow()
    assert len(following.current()) == 11


def test_what_stays_equal_is_not_written_again(without_tables):
    garment = make("one", 0)
    call_command("copy_to_pgvector")
    following = pgvector.Following(look_seconds=0)
    table = following.current().table

    def place():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT ctid FROM {table} WHERE garment_id = %s", [garment.pk])
            return cursor.fetchone()[0]

    before = place()
    Garment.objects.filter(pk=garment.pk).update(price=99)
    Garment.objects.filter(pk=garment.pk).update(published=False)
    Garment.objects.filter(pk=garment.pk).update(published=True)
    following.current()
    assert place() == before
    Garment.objects.filter(pk=garment.pk).update(colour="green")
    following.current()
    assert place() != before


def test_another_encoder_is_served_when_its_copy_is_complete(without_tables, settings, monkeypatch):
    settings.RECOMMEND_INDEX = "pgvector"
    garment = make("one", 0)
    call_command("copy_to_pgvector")
    following = pgvector.Following(look_seconds=0)
    old = following.current()
    Embedding.objects.create(
        garment=garment, picture=garment.pictures.get(), encoder="next", version="1", state="done",
        vector=direction(0, dim=16).tobytes(),
    )  # fmt: skip
    Serving.objects.update(name="next", label="Next")
    started = []
    monkeypatch.setattr(pgvector.subprocess, "Popen", lambda command: started.append(command))
    monkeypatch.setattr(pgvector, "_no_sooner", 0.0)
    pgvector.follow()
    pgvector.follow()
    assert ["copy_to_pgvector" in command for command in started] == [True]
    assert (following.current().source, following.current().dim) == (old.source, 8)
    call_command("copy_to_pgvector")
    new = following.current()
    assert (new.source.name, new.dim, len(new)) == ("next", 16, 1)
    assert len(old) == 1  # for processes that have not looked since
    monkeypatch.setattr(pgvector_table, "KEPT_SECONDS", 0)
    pgvector.follow()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s), to_regclass(%s)", [old.table, new.table])
        assert cursor.fetchone() == (None, new.table)


def test_the_setting_chooses_and_memory_serves_until_a_copy_is_complete(without_tables, settings, monkeypatch):
    monkeypatch.setattr(indexes, "_index", Index(look_seconds=0))
    monkeypatch.setattr(indexes, "_tables", pgvector.Following(look_seconds=0))
    asked = make("asked", 0)
    for degrees in (40, 10, 80, 20):
        make(f"at-{degrees}", degrees)
    shown = skus(asked)
    assert len(shown) > 1
    settings.RECOMMEND_INDEX = "pgvector"
    assert isinstance(indexes.current(), View)
    call_command("copy_to_pgvector")
    assert isinstance(indexes.current(), pgvector.PgVector)
    assert skus(asked) == shown
    settings.RECOMMEND_INDEX = "memory"
    assert isinstance(indexes.current(), View)


def test_a_copy_that_was_interrupted_is_not_served_and_goes(without_tables, monkeypatch):
    make("one", 0)
    monkeypatch.setattr(pgvector_table, "add_indexes", lambda generation: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("copy_to_pgvector")
    assert pgvector_table.current() is None
    monkeypatch.undo()
    call_command("copy_to_pgvector")
    assert pgvector_table.current().number == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{pgvector_table.STATE}_1"])
        assert cursor.fetchone()[0] is None


def test_the_command_says_how_well_it_finds(without_tables, capsys):
    for number in range(12):
        make(f"garment-{number}", 7 * number, category="dress" if number % 2 else "upper")
    broken = make("broken", 1)
    Embedding.objects.filter(garment=broken).update(vector=np.full(8, np.nan, "<f2").tobytes())
    other = make("other", 1)
    Embedding.objects.filter(garment=other).update(vector=direction(1, dim=24).tobytes())
    call_command("copy_to_pgvector")
    said = capsys.readouterr().out
    assert "12 garments of Plain copied" in said
    assert said.count("recall@10 1.000") == 3


def test_the_command_says_what_is_missing(without_tables, monkeypatch):
    with pytest.raises(CommandError, match="No garment has a vector yet"):
        call_command("copy_to_pgvector")
    make("one", 0)
    with held_elsewhere(Lock.PGVECTOR), pytest.raises(CommandError, match="Another process is copying"):
        call_command("copy_to_pgvector")
    monkeypatch.setattr(pgvector_table, "OLDEST", (99, 0, 0))
    with pytest.raises(CommandError, match=r"99\.0\.0 or newer is needed"):
        call_command("copy_to_pgvector")
    assert pgvector_table.current() is None


def test_the_check_says_what_serves(without_tables, settings, monkeypatch):
    def said():
        return [warning.msg for warning in checks.run_checks(databases=["default"]) if warning.id == "recommend.W002"]

    make("one", 0)
    assert said() == []
    settings.RECOMMEND_INDEX = "pgvector"
    assert "nothing is copied yet" in said()[0]
    call_command("copy_to_pgvector")
    assert said() == []
    monkeypatch.setattr(pgvector_table, "OLDEST", (99, 0, 0))
    assert "99.0.0 or newer is needed" in said()[0]


def test_a_postgres_without_pgvector_serves_from_memory(without_tables, settings, monkeypatch):
    settings.RECOMMEND_INDEX = "pgvector"
    make("one", 0)
    monkeypatch.setattr(indexes, "_index", Index(look_seconds=0))
    monkeypatch.setattr(indexes, "_tables", pgvector.Following(look_seconds=0))
    monkeypatch.setattr(pgvector, "_no_sooner", 0.0)
    monkeypatch.setattr(pgvector_table, "EXTENSION", "not_there")
    pgvector.follow()
    assert isinstance(indexes.current(), View)
    with pytest.raises(CommandError, match="This Postgres has no pgvector"):
        call_command("copy_to_pgvector")


def test_a_user_who_may_not_install_it_is_told_who_may(without_tables):
    make("one", 0)
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION vector CASCADE")
        cursor.execute("CREATE ROLE nobody_special IN ROLE pg_read_all_data")
        cursor.execute("SET ROLE nobody_special")
    try:
        with pytest.raises(CommandError, match="Have a superuser of this Postgres run: CREATE EXTENSION vector"):
            call_command("copy_to_pgvector")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE nobody_special")
