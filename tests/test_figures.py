"""What came of the lists: shares, their intervals, two rankings side by side, and the admin's page of them."""

import random
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from shop import figures, surfaces
from shop.figures import Difference, Share
from shop.models import Experiment, Shopper, ShownList, Surface

PAGE = "/admin/shop/shownlist/"
ADD = "/admin/shop/experiment/add/"


def near(value, rel=1e-3):
    return pytest.approx(value, rel=rel)


# --- Intervals ---


def test_intervals_are_wilsons():
    # Of Newcombe's paper (Stat. Med. 17, 1998, p. 857), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (hits, of), (low, high) in published.items():
        assert Share.plain(hits, of).interval == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


def test_differences_are_newcombes():
    # Of the same author's paper on differences (p. 873), table II: 56/70 - 48/80, method 10; here second less first.
    difference = Difference(Share.plain(48, 80), Share.plain(56, 70))
    assert difference.interval == (pytest.approx(0.0524, abs=6e-5), pytest.approx(0.3339, abs=6e-5))
    assert difference.better == "second"
    assert Difference(difference.second, difference.first).better == "first"
    assert Difference(Share.plain(5, 10), Share.plain(6, 10)).better == ""


def test_nothing_counted_says_nothing():
    nothing = Share.plain(0, 0)
    assert nothing.value is None and nothing.interval == (0, 1)
    assert Difference(nothing, Share.plain(1, 2)).value is None
    assert Difference(nothing, Share.plain(1, 2)).better == ""


def test_lists_of_one_shopper_count_for_less():
    """Twenty shoppers with fifty lists each, of whom half always click and half never: worth twenty lists."""
    of, hits = 20 * 50, 10 * 50
    together = Share.clustered(hits, of, 20, sum((clicks - 0.5 * 50) ** 2 for clicks in [50] * 10 + [0] * 10))
    assert together.effective == pytest.approx(19)
    apart = Share.clustered(hits, of, 1000, 1000 * 0.25)
    assert apart.effective == near(1000, rel=2e-3)
    assert Share.clustered(0, 50, 1, 0).effective == 1  # one shopper, who never clicked
    assert Share.clustered(0, 50, 1, 0).interval[1] > 0.75


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Shoppers who differ: the interval that takes each list for itself would be wrong far more often."""
    chance, held, naive = random.Random(7), 0, 0
    for _ in range(300):
        found = []
        for _shopper in range(60):
            inclined = chance.betavariate(1, 3)  # a quarter on average
            n = chance.randint(1, 30)
            found.append((sum(chance.random() < inclined for _ in range(n)), n))
        hits, of = map(sum, zip(*found, strict=True))
        squares = sum((x - hits / of * n) ** 2 for x, n in found)
        low, high = Share.clustered(hits, of, len(found), squares).interval
        held += low <= 0.25 <= high
        low, high = Share.plain(hits, of).interval
        naive += low <= 0.25 <= high
    assert 0.91 < held / 300 < 0.985
    assert naive / 300 < 0.8


# --- From the rows ---


@pytest.fixture
def show(db):
    """Lists of as many new shoppers, with what came of the first ones."""

    def rows(number, surface="similar", ranking="one", clicked=0, tried_on=0, ordered=0, **fields):
        made = []
        for place in range(number):
            shopper = Shopper.objects.create(key_hash=f"{surface}-{ranking}-{Shopper.objects.count()}")
            outcome = {"clicked": place < clicked, "tried_on": place < tried_on, "ordered": place < ordered}
            made.append(
                ShownList.objects.create(
                    shopper=shopper, surface=surface, ranking=ranking, garments=[1], **outcome | fields
                )
            )
        return made

    return rows


def test_lists_are_counted_by_surface_and_ranking(show):
    show(8, clicked=4, tried_on=2, ordered=1)
    show(5, ranking="other", clicked=1)
    show(3, surface="for_you", ranking="taste")
    old = show(1, surface="search")[0]
    ShownList.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=8))
    found = [(group.surface, group.ranking, group.lists) for group in figures.groups(7)]
    assert found == [("for_you", "taste", 3), ("similar", "one", 8), ("similar", "other", 5)]
    assert len(figures.groups(30)) == 4
    one = figures.groups(7)[1]
    assert [(share.hits, share.of) for share in one.shares.values()] == [(4, 8), (2, 8), (1, 8)]
    assert one.shares["clicked"].effective == pytest.approx(7)  # eight shoppers, one list each


def test_two_rankings_are_compared_from_the_beginning_to_the_end(show):
    early = show(5, clicked=5)
    ShownList.objects.filter(pk__in=[row.pk for row in early]).update(created=timezone.now() - timedelta(days=1))
    experiment = Experiment.objects.create(name="e", surface="similar", first="one", second="other")
    experiment.refresh_from_db()
    show(40, clicked=10)
    show(40, ranking="other", clicked=30)
    show(9, surface="search")
    comparison = figures.compare(experiment)
    assert (comparison.first.lists, comparison.second.lists) == (40, 40)
    (_label, clicks), *rest = comparison.differences
    assert clicks.value == pytest.approx(0.5) and clicks.better == "second"
    assert all(difference.better == "" for _, difference in rest)
    experiment.ended = experiment.started
    assert figures.compare(experiment).first.lists == 0


# --- The admin's page ---


@pytest.fixture
def rankings(monkeypatch):
    monkeypatch.setattr(surfaces, "_offered", {})
    surfaces.offer(Surface.SIMILAR, {"one": "By picture", "other": "Varied"})
    surfaces.offer(Surface.SEARCH, {"words": "By words"})
    yield
    cache.clear()


def test_the_page_shows_figures_and_comparisons(admin_client, show, rankings):
    assert "No list was shown" in admin_client.get(PAGE).content.decode()
    Experiment.objects.create(name="variety", surface="similar", first="one", second="other", share=20)
    show(40, clicked=10, ordered=1)
    show(40, ranking="other", clicked=30)
    show(2, surface="newsletter", ranking="hand")
    text = admin_client.get(PAGE, {"days": "30"}).content.decode()
    assert "similar items" in text and "newsletter" in text
    assert re.search(r"25\.0 % <small>1\d\.\d–4\d\.\d</small>", text)
    assert "+50.0 <small>+" in text and "cannot be told yet" in text
    assert "Varied</td>" in text and "20 percent of the shoppers get" in text
    assert '<strong aria-current="page">the last 30 days' in text
    assert admin_client.get(PAGE, {"days": "9999999999"}).status_code == 200
    assert PAGE in admin_client.get("/admin/").content.decode()


def test_the_page_asks_the_database_little(admin_client, show, rankings, django_assert_max_num_queries):
    for surface in ("similar", "search", "for_you"):
        show(3, surface=surface)
    with django_assert_max_num_queries(5):
        admin_client.get(PAGE)


def test_figures_are_for_staff_with_the_right(client, db, django_user_model):
    assert client.get(PAGE).status_code == 302
    client.force_login(django_user_model.objects.create_user("clerk", password="a-long-password", is_staff=True))
    assert client.get(PAGE).status_code == 403
    assert client.get(ADD).status_code == 403


def test_single_lists_are_nobodys_business(admin_client, show):
    (row,) = show(1)
    assert admin_client.get(f"{PAGE}{row.pk}/change/").status_code == 404
    assert admin_client.post(PAGE).status_code == 405


def test_a_comparison_is_begun_and_ended(admin_client, rankings):
    assert "By words" not in admin_client.get(ADD).content.decode()  # one ranking alone cannot be compared
    form = {"name": "variety", "surface": "similar", "first": "one", "second": "other", "share": "30"}
    assert admin_client.post(ADD, form).status_code == 302
    experiment = Experiment.objects.get()
    assert experiment.ended is None
    twice = admin_client.post(ADD, form | {"name": "again"}).content.decode()
    assert "Another comparison runs there." in twice
    listed = reverse("admin:shop_experiment_changelist")
    admin_client.post(listed, {"action": "end", "_selected_action": [experiment.pk]})
    experiment.refresh_from_db()
    assert experiment.ended is not None
    assert {surfaces.ranking(Shopper(pk=n), "similar") for n in range(50)} == {"one"}
    assert admin_client.post(ADD, form | {"name": "again"}).status_code == 302


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"second": "one"}, "Choose two different rankings."),
        ({"second": "words"}, "Select a valid choice."),
        ({"surface": "search"}, "Select a valid choice."),
        ({"share": "0"}, "Choose from 1 to 99 percent."),
        ({"share": "100"}, "Choose from 1 to 99 percent."),
    ],
)
def test_comparisons_that_cannot_be_are_refused(admin_client, rankings, changes, said):
    form = {"name": "variety", "surface": "similar", "first": "one", "second": "other", "share": "30"} | changes
    assert said in admin_client.post(ADD, form).content.decode()
    assert not Experiment.objects.exists()


def test_a_ranking_of_another_surface_is_refused(admin_client, rankings):
    surfaces.offer(Surface.FOR_YOU, {"taste": "By taste", "new": "Newest"})
    form = {"name": "mixed", "surface": "similar", "first": "one", "second": "taste", "share": "30"}
    assert "There is no such ranking there." in admin_client.post(ADD, form).content.decode()
    assert not Experiment.objects.exists()
