"""Pictures on a real S3 server: the catalogue is public, photos open by a signed, short-lived address only."""

import os
import urllib.error
import urllib.request
import uuid

import boto3
import pytest
from botocore.config import Config
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from shop.images import clean_image
from shop.models import Photo, Shopper
from shop.private import private_url
from shop.settings import storage
from tests.pictures import astronaut, encoded

ENDPOINT = os.environ["TEST_S3_ENDPOINT_URL"]
KEYS = os.environ["TEST_S3_ACCESS_KEY"], os.environ["TEST_S3_SECRET_KEY"]


def fetch(url) -> tuple[int, bytes]:
    """Status and the first two bytes."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read(2)
    except urllib.error.HTTPError as error:
        return error.code, b""


@pytest.fixture
def private_s3(settings, monkeypatch):
    """The private storage on a bucket of its own."""
    bucket = f"private-{uuid.uuid4().hex[:8]}"
    client = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        aws_access_key_id=KEYS[0],
        aws_secret_access_key=KEYS[1],
        region_name="us-east-1",
        config=Config(signature_version="s3v4"),
    )
    client.create_bucket(Bucket=bucket)
    made = storage(bucket, None, private=True)
    made["OPTIONS"] |= {"endpoint_url": ENDPOINT, "access_key": KEYS[0], "secret_key": KEYS[1]}
    made["OPTIONS"]["addressing_style"] = "path"
    settings.STORAGES = settings.STORAGES | {"private": made}
    monkeypatch.setattr(Photo._meta.get_field("image"), "storage", storages["private"])
    return client, bucket


def test_a_photo_opens_by_its_signed_address_only_and_goes_when_deleted(private_s3, transactional_db):
    client, bucket = private_s3
    shopper = Shopper.objects.create(key_hash="a" * 64)
    photo = Photo.objects.store(shopper, clean_image(encoded(astronaut())))
    url = private_url(photo.image.name, shopper)
    assert fetch(url) == (200, b"\xff\xd8")
    assert fetch(url.split("?")[0])[0] == 403
    assert fetch(url.replace("Signature=", "Signature=0"))[0] == 403
    assert "Expires=300" in url
    photo.erase()
    assert fetch(url)[0] == 404
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


def test_a_name_is_never_written_over(private_s3):
    private = storages["private"]
    first = private.save("results/a.jpg", ContentFile(b"1"))
    second = private.save("results/a.jpg", ContentFile(b"2"))
    assert first != second
    assert private.open(first).read() == b"1"
