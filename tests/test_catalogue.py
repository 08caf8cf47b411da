"""The catalogue's rules hold in the database, whoever writes."""

import pytest
from django.db import IntegrityError, transaction
from django.utils.translation import override

from shop.images import clean_image
from shop.models import Garment, GarmentAnalysis, GarmentPicture
from tests.pictures import encoded, tee

pytestmark = pytest.mark.django_db


def garment(**changes):
    fields = {"sku": "T-1", "title": "Tee", "category": "upper", "product_type": "t-shirt", "colour": "white"}
    return Garment.objects.create(**(fields | {"price": "20.00"} | changes))


def test_a_garment_gets_a_slug_and_its_own_price():
    tee = garment(sale_price="15.00")
    assert tee.slug == "tee-t-1"
    assert str(tee.price_now) == "15.00"
    assert str(garment(sku="T-2", sale_price=None).price_now) == "20.00"


def test_garments_whose_names_look_alike_have_addresses_of_their_own():
    slugs = {garment(sku=sku, title="Long " * 32).slug for sku in ("QA.3", "QA3", "qa_3", "x" * 64)}
    assert len(slugs) == 4
    assert max(map(len, slugs)) <= 120


def test_the_name_follows_the_language():
    tee = garment(title_ko="티셔츠")
    with override("ko"):
        assert tee.name == "티셔츠"
    with override("en"):
        assert tee.name == "Tee"


@pytest.mark.parametrize(
    "wrong",
    [
        {"category": "shoes"},
        {"category": "lower", "sleeve": "long"},
        {"sleeve": "enormous"},
        {"length": "endless"},
        {"gender": "robots"},
        {"age_group": "old"},
        {"price": "-1"},
        {"sale_price": "20.00"},
        {"sale_price": "25.00"},
        {"sale_price": "-1"},
        {"currency": "usd"},
    ],
    ids=str,
)
def test_a_broken_rule_is_refused_by_the_database(wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        garment(**wrong)


def test_a_sku_is_one_garment_in_any_case():
    garment(sku="abc")
    with pytest.raises(IntegrityError), transaction.atomic():
        garment(sku="ABC", slug="other")


def test_a_design_has_each_colour_once():
    garment(design="D", colour="red")
    garment(design="D", colour="blue", sku="T-2")
    with pytest.raises(IntegrityError), transaction.atomic():
        garment(design="D", colour="red", sku="T-3")


def test_a_size_is_there_once_and_its_stock_is_not_negative():
    tee = garment()
    tee.variants.create(size="M", stock=1)
    for wrong in ({"size": "M"}, {"size": "L", "stock": -1}):
        with pytest.raises(IntegrityError), transaction.atomic():
            tee.variants.create(**wrong)


def test_a_finished_analysis_has_its_data():
    picture = GarmentPicture.objects.store(garment(), clean_image(encoded(tee())), role="flat")
    analysis = picture.analysis
    assert analysis.state == "pending" and not analysis.previewable
    with pytest.raises(IntegrityError), transaction.atomic():
        GarmentAnalysis.objects.filter(pk=analysis.pk).update(state="done")
