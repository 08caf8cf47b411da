"""Deleting what another process refers to at the same moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.db import connection, models
from django.db.models.signals import pre_delete

from shop.models import GarmentAnalysis, GarmentPicture

APPS = ("shop", "tryon", "recommend")
ACTIONS = {models.CASCADE: "c", models.SET_NULL: "n"}


def rules() -> dict[tuple[str, str], str]:
    """What Postgres does when the referred row goes, by table and column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, attname, confdeltype FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'f'"
        )
        return {(table, column): rule for table, column, rule in cursor.fetchall()}


@pytest.mark.django_db
def test_the_database_follows_every_reference_as_its_model_says():
    known = rules()
    said = {
        (model._meta.db_table, field.column): ACTIONS[field.remote_field.on_delete]
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.local_fields
        if field.remote_field
    }
    assert len(said) > 10
    assert {key: known[key] for key in said} == said


def test_a_picture_goes_with_what_a_worker_adds_at_that_moment(transactional_db, garment):
    picture = garment.flat

    def add():
        GarmentAnalysis.objects.create(picture=picture, version=30_000)
        connection.close()

    def meanwhile(sender, **kwargs):
        """Django has looked for what refers to the picture, and has not deleted it yet."""
        with ThreadPoolExecutor(1) as pool:
            pool.submit(add).result()

    pre_delete.connect(meanwhile, sender=GarmentPicture)
    try:
        picture.delete()
    finally:
        pre_delete.disconnect(meanwhile, sender=GarmentPicture)
    assert not GarmentPicture.objects.exists()
    assert not GarmentAnalysis.objects.exists()
