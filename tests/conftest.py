"""What every test stands on: the servers `./dev test` started, folders of its own, browsers of its own."""

import pytest
from django.test import Client


@pytest.fixture(scope="session", autouse=True)
def folders(tmp_path_factory, django_test_environment):
    """Pictures of tests lie in a folder that goes with them."""
    from django.conf import settings

    root = tmp_path_factory.mktemp("storage")
    settings.STORAGES["default"]["OPTIONS"]["location"] = settings.MEDIA_ROOT = root / "media"
    settings.STORAGES["private"]["OPTIONS"]["location"] = settings.PRIVATE_ROOT = root / "private"
    return root


@pytest.fixture
def client_factory():
    """A new browser each time; two of them are two strangers."""
    return Client
