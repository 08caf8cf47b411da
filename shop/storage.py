"""Where pictures lie and under which names. Names are random: the uploader's own name is never a path."""

import secrets
from pathlib import PurePosixPath

from django.core.files.storage import storages
from django.db import transaction


def private_storage():
    """Photos, results, analyses; a callable so that migrations hold no path."""
    return storages["private"]


def delete_after_commit(file) -> None:
    """Delete a row's file once the row is gone for good; after a crash between the two, the sweep of orphans does."""
    if file:
        name, storage = file.name, file.storage
        transaction.on_commit(lambda: storage.delete(name), robust=True)


def _random(folder: str, filename: str) -> str:
    return f"{folder}/{secrets.token_hex(16)}{PurePosixPath(filename).suffix.lower()}"


def picture_name(instance, filename):
    return _random("garments", filename)


def mask_name(instance, filename):
    return _random("masks", filename)


def analysis_name(instance, filename):
    return _random("analyses", filename)


def photo_name(instance, filename):
    return _random("photos", filename)


def prepared_name(instance, filename):
    return _random("prepared", filename)


def frame_name(instance, filename):
    return _random("frames", filename)


def query_name(instance, filename):
    return _random("queries", filename)


def cutout_name(instance, filename):
    return _random("cutouts", filename)
