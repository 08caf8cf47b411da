"""Who owns what: the cookie's key, signing in, and that nobody else sees anything."""

import pytest
from django.contrib.auth import get_user_model
from django.core import signing
from django.db import IntegrityError, transaction

from preprocessing.errors import Refusal
from shop.images import clean_image
from shop.models import ApiKey, Event, Garment, Photo, Shopper
from shop.private import SALT, private_url
from shop.shoppers import COOKIE
from tests.pictures import astronaut, encoded

pytestmark = pytest.mark.django_db


def upload(client):
    return client.post("/api/v1/photos", {"image": encoded(astronaut())})


@pytest.fixture
def user():
    return get_user_model().objects.create_user("mina", password="a-long-password", is_staff=True)


def test_a_visitor_who_owns_nothing_leaves_no_row_and_gets_no_cookie(client):
    assert client.get("/api/v1/garments").status_code == 200
    assert COOKIE not in client.cookies
    assert not Shopper.objects.exists()


def test_an_upload_makes_a_shopper_whose_key_is_only_in_the_cookie(client):
    answer = upload(client)
    assert answer.status_code == 202, answer.json()
    assert answer["Location"].endswith(f"/api/v1/photos/{answer.json()['id']}")
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    shopper = Shopper.objects.get()
    assert shopper.key_hash == Shopper.hash_key(cookie.value)
    assert cookie.value not in str(shopper.__dict__)
    upload(client)
    assert shopper.photos.count() == 2


def test_nobody_else_sees_a_photo(client, client_factory):
    photo = upload(client).json()
    assert client.get(f"/api/v1/photos/{photo['id']}").status_code == 200
    other = client_factory()
    upload(other)
    for stranger in (client_factory(), other):
        assert stranger.get(f"/api/v1/photos/{photo['id']}").status_code == 404
        assert stranger.delete(f"/api/v1/photos/{photo['id']}").status_code == 404
        assert photo["id"] not in stranger.get("/api/v1/photos").content.decode()
        assert stranger.get(photo["url"]).status_code == 404
    assert client.get(photo["url"]).status_code == 200


def test_a_private_link_ends_after_its_time_and_cannot_be_altered(client, settings):
    photo = upload(client).json()
    response = client.get(photo["url"])
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]
    assert client.get(photo["url"][:-1] + ("a" if photo["url"][-1] != "a" else "b")).status_code == 404
    settings.PRIVATE_URL_SECONDS = -1
    assert client.get(photo["url"]).status_code == 404


def test_a_signature_does_not_lead_out_of_the_storage(client):
    upload(client)
    for name in ("../../etc/passwd", "/etc/passwd", "photos/not-there.jpg"):
        token = signing.dumps([name, None], salt=SALT, compress=True)
        assert client.get(f"/private/{token}").status_code in (400, 404)


def test_signing_in_takes_over_and_the_cookie_opens_nothing_more(client, user, client_factory):
    photo = upload(client).json()
    anonymous_key = client.cookies[COOKIE].value
    garment = Garment.objects.create(
        sku="T", title="Tee", category="upper", product_type="tee", colour="red", price=1, published=True
    )
    Event.objects.create(shopper=Shopper.objects.get(), garment=garment, kind="view")
    client.login(username="mina", password="a-long-password")  # no request: nothing to take over from
    client.logout()
    client.cookies[COOKIE] = anonymous_key
    client.post("/admin/login/", {"username": "mina", "password": "a-long-password"})
    signed_in = Shopper.objects.get()
    assert signed_in.user == user
    assert signed_in.photos.count() == signed_in.events.count() == 1
    assert client.get(f"/api/v1/photos/{photo['id']}").status_code == 200
    thief = client_factory()
    thief.cookies[COOKIE] = anonymous_key
    assert thief.get(f"/api/v1/photos/{photo['id']}").status_code == 404
    client.logout()
    assert client.get(f"/api/v1/photos/{photo['id']}").status_code == 404


def test_signing_in_on_a_second_device_joins_both(client_factory, user):
    for _ in range(2):
        device = client_factory()
        upload(device)
        device.post("/admin/login/", {"username": "mina", "password": "a-long-password"})
    assert Shopper.objects.get().photos.count() == 2


def test_a_shopper_is_a_user_or_a_key():
    with pytest.raises(IntegrityError), transaction.atomic():
        Shopper.objects.create()


def test_a_photo_expires_unless_it_is_a_model_person():
    clean = clean_image(encoded(astronaut()))
    model = Photo.objects.store_model(clean, "Ana")
    assert Photo.objects.store_model(clean, "Ana") == model
    assert model in Photo.objects.usable_by(None)
    with pytest.raises(IntegrityError), transaction.atomic():
        Photo.objects.filter(pk=model.pk).update(shopper=Shopper.objects.create(key_hash="a" * 64))


def test_there_is_a_limit_to_the_photos_a_shopper_keeps(settings):
    settings.PHOTOS_PER_SHOPPER = 1
    shopper = Shopper.objects.create(key_hash="a" * 64)
    Photo.objects.store(shopper, clean_image(encoded(astronaut())))
    with pytest.raises(Refusal) as refusal:
        Photo.objects.store(shopper, clean_image(encoded(astronaut())))
    assert refusal.value.code == "photo.too_many"


def test_a_program_acts_for_many_and_opens_its_own_links(client, user, settings):
    settings.PHOTOS_PER_SHOPPER = 1
    key = {"HTTP_AUTHORIZATION": f"Bearer {ApiKey.issue(user, 'shop', ['tryon'])[1]}"}
    for _ in range(2):
        made = client.post("/api/v1/photos", {"image": encoded(astronaut())}, **key)
        assert made.status_code == 202
    assert client.get(made.json()["url"]).status_code == 200
    settings.PHOTOS_PER_KEY = 2
    assert client.post("/api/v1/photos", {"image": encoded(astronaut())}, **key).json()["code"] == "photo.too_many"


def test_deleting_a_photo_deletes_its_files(client, django_capture_on_commit_callbacks):
    photo_id = upload(client).json()["id"]
    photo = Photo.objects.get(pk=photo_id)
    storage, name = photo.image.storage, photo.image.name
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.delete(f"/api/v1/photos/{photo_id}").status_code == 204
    assert not storage.exists(name)
    assert client.get(f"/api/v1/photos/{photo_id}").status_code == 404


def test_a_model_link_opens_for_everyone_but_its_row_cannot_be_deleted(client, client_factory):
    model = Photo.objects.store_model(clean_image(encoded(astronaut())), "Ana")
    assert client_factory().get(private_url(model.image.name, None)).status_code == 200
    assert client.delete(f"/api/v1/photos/{model.pk}").status_code == 404
    upload(client)
    assert client.delete(f"/api/v1/photos/{model.pk}").status_code == 404
