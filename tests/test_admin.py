"""The merchant's pages."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from shop.models import ApiKey, Garment, GarmentAnalysis, GarmentPicture, Photo, Shopper
from tests.pictures import astronaut, encoded, tee

pytestmark = pytest.mark.django_db

FORM = {
    "sku": "T-1", "slug": "tee", "title": "Tee", "category": "upper", "product_type": "t-shirt", "sleeve": "short",
    "colour": "white", "gender": "unisex", "age_group": "adult", "price": "20.00", "currency": "USD",
    "pictures-TOTAL_FORMS": "1", "pictures-INITIAL_FORMS": "0", "pictures-0-role": "flat", "pictures-0-position": "0",
    "variants-TOTAL_FORMS": "1", "variants-INITIAL_FORMS": "0", "variants-0-size": "M", "variants-0-stock": "2",
    "variants-0-position": "0", "_continue": "1",
}  # fmt: skip


def test_a_garment_is_uploaded_and_says_whether_it_can_be_tried_on(admin_client):
    made = admin_client.post("/admin/shop/garment/add/", FORM | {"pictures-0-upload": encoded(tee())}, follow=True)
    garment = Garment.objects.get()
    picture = garment.pictures.get()
    assert garment.variants.get().stock == 2
    page = made.content.decode()
    poll = re.search(r'hx-get="([^"]+)"', page).group(1)
    assert 'hx-trigger="every 1s"' in admin_client.get(poll).content.decode()

    GarmentAnalysis.objects.filter(picture=picture).update(state="done", data="analyses/x")
    assert "It can be tried on." in admin_client.get(poll).content.decode()

    problem = {"code": "garment.folded", "sentence": "The sleeves lie over the body. Spread them and take it again."}
    GarmentAnalysis.objects.filter(picture=picture).update(problems=[problem])
    answer = admin_client.get(poll).content.decode()
    assert problem["sentence"] in answer and "hx-get" not in answer


def test_a_picture_that_cannot_be_read_is_an_error_in_the_form(admin_client):
    page = admin_client.post("/admin/shop/garment/add/", FORM | {"pictures-0-upload": encoded(tee(), "GIF")})
    assert "This is not a picture we can read" in page.content.decode()
    assert not Garment.objects.exists()


def test_a_line_without_a_file_is_no_picture(admin_client):
    admin_client.post("/admin/shop/garment/add/", FORM)
    assert Garment.objects.get().pictures.count() == 0


def test_a_single_picture_is_looked_at_again(admin_client, garment):
    GarmentAnalysis.objects.update(problems=[{"code": "garment.cut_off", "sentence": "Cut off."}])
    address = reverse("admin:shop_analysis", args=[garment.flat.pk])
    assert f'hx-post="{address}"' in admin_client.get(address).content.decode()
    answer = admin_client.post(address).content.decode()
    assert 'hx-trigger="every 1s"' in answer and "hx-post" not in answer
    assert GarmentAnalysis.objects.get().state == "pending"


def test_only_who_may_change_a_garment_has_its_picture_looked_at_again(client, garment, django_user_model):
    client.force_login(django_user_model.objects.create_user("viewer", password="a-long-password", is_staff=True))
    assert client.post(reverse("admin:shop_analysis", args=[garment.flat.pk])).status_code == 403
    assert GarmentAnalysis.objects.get().state == "done"


def test_garments_are_found_by_what_is_wrong_with_their_pictures(admin_client, make_garment):
    make_garment("GOOD")
    wrong = make_garment("WRONG", colour="red").flat.analyses
    wrong.update(problems=[{"code": "garment.cut_off", "sentence": "The garment is cut off."}])
    make_garment("NEW", colour="green").flat.analyses.update(state="pending", data="")
    shown = {
        "": {"GOOD", "WRONG", "NEW"},
        "?previewable=yes": {"GOOD"},
        "?previewable=no": {"WRONG"},
        "?previewable=waits": {"NEW"},
        "?problem=garment.cut_off": {"WRONG"},
    }
    for query, skus in shown.items():
        page = admin_client.get(f"/admin/shop/garment/{query}").content.decode()
        assert {sku for sku in ("GOOD", "WRONG", "NEW") if f">{sku}</a>" in page} == skus, query
        assert ("✗ The garment is cut off." in page) == ("WRONG" in skus)


def test_the_lists_open_and_filter(admin_client, client):
    admin_client.post("/admin/shop/garment/add/", FORM | {"pictures-0-upload": encoded(tee())})
    for query in ("", "?previewable=yes", "?previewable=no", "?q=tee", "?category__exact=upper"):
        assert admin_client.get(f"/admin/shop/garment/{query}").status_code == 200
    assert "T-1" in admin_client.get("/admin/shop/garment/?previewable=waits").content.decode()
    assert "T-1" not in admin_client.get("/admin/shop/garment/?previewable=yes").content.decode()


def test_pictures_are_looked_at_again(admin_client):
    admin_client.post("/admin/shop/garment/add/", FORM | {"pictures-0-upload": encoded(tee())})
    GarmentAnalysis.objects.update(state="failed", attempts=3)
    admin_client.post(
        "/admin/shop/garment/", {"action": "analyse_again", "_selected_action": [Garment.objects.get().pk]}
    )
    assert list(GarmentAnalysis.objects.values_list("state", "attempts")) == [("pending", 0)]


def test_a_key_is_shown_once(admin_client, admin_user):
    page = admin_client.post(
        "/admin/shop/apikey/add/", {"name": "till", "user": admin_user.pk, "scopes": ["catalogue:read"]}, follow=True
    ).content.decode()
    key = re.search(r"fr_[\w-]{20,}", page).group()
    assert ApiKey.objects.get().key_hash == ApiKey.hash_key(key)
    assert key not in admin_client.get(f"/admin/shop/apikey/{ApiKey.objects.get().pk}/change/").content.decode()


def test_staff_do_not_see_what_shoppers_upload(admin_client, client):
    client.post("/api/v1/photos", {"image": encoded(astronaut())})
    photo = Photo.objects.get()
    assert str(photo.pk) not in admin_client.get("/admin/shop/photo/").content.decode()
    assert admin_client.get(f"/admin/shop/photo/{photo.pk}/change/").status_code == 302


def test_model_people_are_shown_with_their_pose_and_what_was_found(admin_client, photo):
    finding = {
        "code": "photo.dark",
        "severity": "warn",
        "sentence": "This photo is dark. More light gives a better picture.",
    }
    values = {"shopper": None, "expires_at": None, "name": "Ana", "difficulty": "hard", "findings": [finding]}
    Photo.objects.filter(pk=photo.pk).update(**values)
    page = admin_client.get("/admin/shop/photo/?difficulty__exact=hard").content.decode()
    assert "Ana" in page and "This photo is dark." in page
    assert "Ana" not in admin_client.get("/admin/shop/photo/?difficulty__exact=easy").content.decode()


def test_the_admin_is_for_staff(client):
    user = get_user_model().objects.create_user("shopper", password="a-long-password")
    client.force_login(user)
    assert client.get("/admin/shop/garment/").status_code == 302
    assert not Shopper.objects.exists() and not GarmentPicture.objects.exists()
