"""A top and a bottom in one picture: asked for, refused, worked on, shown to programs."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from preprocessing.errors import Refusal
from shop.models import Event, Garment, GarmentAnalysis
from tests.pictures import astronaut, encoded
from tryon import tasks
from tryon.lease import Lease
from tryon.models import TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]

URL = "/api/v1/tryons"


@pytest.fixture
def jeans(make_garment):
    return make_garment("JEANS-1", title="Jeans", category="lower", product_type="jeans")


@pytest.fixture
def outfit(shopper, photo, garment, jeans):
    """Ask for the tee with the jeans; one row."""

    def ask(first=garment, second=jeans, engines=("stylist",), **more):
        return TryOn.objects.submit(shopper, photo, first, worn_with=second, engines=list(engines), **more)[0]

    return ask


def run(row):
    tasks.run(str(row.pk))
    row.refresh_from_db()
    return row


# --- That it works ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("clicked", ["top", "bottom"])
def test_the_engine_gets_the_top_first_whichever_was_clicked(outfit, garment, jeans, clicked):
    row = run(outfit(garment, jeans) if clicked == "top" else outfit(jeans, garment))
    assert (row.error_detail, row.status) == ("", "succeeded")
    assert row.notes["worn"] == ["upper", "lower"]
    assert row.garment == (garment if clicked == "top" else jeans)
    assert row.garments == [garment, jeans]


def test_only_engines_for_outfits_are_chosen(shopper, photo, garment, jeans, settings):
    settings.ALLOW_NONCOMMERCIAL_ENGINES = True
    rows = TryOn.objects.submit(shopper, photo, garment, worn_with=jeans)
    assert [row.engine for row in rows] == ["preview", "stylist"]
    single = TryOn.objects.submit(shopper, photo, jeans, engines=["quick", "stylist"])
    assert [row.engine for row in single] == ["stylist"]


def test_both_garments_count_as_tried_on(outfit, garment, jeans, shopper):
    run(outfit())
    told = Event.objects.filter(shopper=shopper, kind="tryon").values_list("garment__sku", flat=True)
    assert sorted(told) == ["JEANS-1", "TEE-1"]


def test_a_key_is_for_one_outfit(outfit, make_garment, shopper, photo, garment):
    row = outfit(idempotency_key="k")
    assert outfit(idempotency_key="k") == row
    for other in (make_garment("SKIRT-1", category="lower"), None):
        with pytest.raises(Refusal) as refused:
            outfit(second=other, idempotency_key="k")
        assert refused.value.code == "tryon.key_reused"


def test_a_retry_wears_the_same(outfit, jeans):
    row = outfit()
    row.cancel()
    again = row.retry()
    assert (again.worn_with, again.outfit) == (jeans, True)
    assert run(again).notes["worn"] == ["upper", "lower"]


def test_a_list_of_outfits_asks_the_database_no_more_often(outfit, shopper, django_assert_max_num_queries):
    for _ in range(3):
        outfit()
    with django_assert_max_num_queries(4):  # the clicks with all they name, and the pictures of both garments
        groups = TryOn.objects.requests_of(shopper)
        assert [len(garment.pictures.all()) for group in groups for garment in group.garments] == [1] * 6


# --- What is refused -------------------------------------------------------------------------------------------


def _two_tops(garment, jeans):
    Garment.objects.filter(pk=jeans.pk).update(category="upper")


def _no_picture(garment, jeans):
    jeans.pictures.all().delete()


def _problems(garment, jeans):
    problem = {"code": "garment.cut_off", "sentence": "Cut off."}
    GarmentAnalysis.objects.filter(picture__garment=jeans).update(problems=[problem])


def _dress(garment, jeans):
    Garment.objects.filter(pk=jeans.pk).update(category="dress")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (_two_tops, "tryon.not_an_outfit"),
        (_no_picture, "garment.no_flat_picture"),
        (_problems, "garment.not_previewable"),
        (_dress, "garment.category_unsupported"),
    ],
)
def test_what_is_no_outfit_is_refused_at_once(outfit, garment, jeans, spoil, code):
    spoil(garment, jeans)
    with pytest.raises(Refusal) as refused:
        outfit(second=Garment.objects.get(pk=jeans.pk))
    assert refused.value.code == code
    assert not TryOn.objects.exists()


def test_without_an_engine_for_outfits_one_garment_can_still_be_worn(outfit, settings, garment):
    settings.TRYON_ENGINES = "tests.shopping.ONE_BY_ONE"
    with pytest.raises(Refusal) as refused:
        outfit(engines=())
    assert refused.value.code == "tryon.no_outfits"
    assert outfit(second=None, engines=()).garments == [garment]


@pytest.mark.parametrize("gone", ["garment", "worn_with"])
def test_half_an_outfit_is_not_put_on(outfit, gone):
    """When one of the two leaves the shop while the job waits; and it cannot be done again."""
    row = outfit()
    getattr(row, gone).delete()
    row = run(row)
    assert (row.status, row.error_code, row.outfit) == ("failed", "garment.gone", True)
    with pytest.raises(Refusal) as refused:
        row.retry()
    assert refused.value.code == "garment.gone"


def test_a_garment_that_became_another_kind_meanwhile_is_not_put_on(outfit, jeans):
    row = outfit()
    Garment.objects.filter(pk=jeans.pk).update(category="upper")
    assert run(row).error_code == "tryon.not_an_outfit"


def test_the_database_refuses_a_garment_with_itself_and_a_second_one_without_an_outfit(outfit, garment):
    row = outfit()
    for values in ({"worn_with": garment}, {"outfit": False}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TryOn.objects.filter(pk=row.pk).update(**values)


# --- For programs and merchants --------------------------------------------------------------------------------


@pytest.fixture
def post(shopper_client, photo, garment):
    def ask(**fields):
        body = {"photo": str(photo.pk), "garment": garment.sku} | fields
        return shopper_client.post(URL, body, content_type="application/json")

    return ask


def test_a_program_asks_for_an_outfit_and_is_told_both(post, shopper_client, jeans):
    answer = post(worn_with="JEANS-1")
    assert answer.status_code == 202, answer.json()
    assert (answer.json()["garment"], answer.json()["worn_with"]) == ("TEE-1", "JEANS-1")
    assert [row["engine"] for row in answer.json()["rows"]] == ["preview", "stylist"]
    jeans.delete()
    assert shopper_client.get(answer["Location"]).json()["worn_with"] is None
    assert post(worn_with=None, engines=["quick"]).json()["worn_with"] is None


@pytest.mark.parametrize(
    ("worn_with", "status", "code"),
    [
        ("NONE", 404, "request.not_found"),
        ("HIDDEN-1", 404, "request.not_found"),
        ("TEE-1", 422, "tryon.not_an_outfit"),
        (5 * ["x"], 400, "request.invalid"),
    ],
)
def test_a_program_is_told_what_is_no_outfit(post, make_garment, worn_with, status, code):
    Garment.objects.filter(pk=make_garment("HIDDEN-1", category="lower").pk).update(published=False)
    answer = post(worn_with=worn_with)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_admin_shows_both(outfit, admin_client):
    row = outfit()
    Lease.claim(row.pk).succeed(encoded(astronaut()).read(), (512, 512), {})
    assert "Jeans (blue)" in admin_client.get("/admin/tryon/tryon/", {"q": "JEANS-1"}).content.decode()
    assert "Jeans (blue)" in admin_client.get(reverse("admin:tryon_tryon_change", args=[row.pk])).content.decode()
