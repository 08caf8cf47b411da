"""What every test stands on: the servers `./dev test` started, folders of its own, browsers of its own."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import redis
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client

from preprocessing import weights
from tests import pictures
from tests.browsing import chromium, visit  # noqa: F401 - fixtures
from tests.workers import Worker, redis_number


@pytest.fixture(scope="session", autouse=True)
def folders(tmp_path_factory, django_test_environment):
    """Pictures of tests lie in a folder that goes with them."""
    from django.conf import settings
    from django.core.files.storage import storages

    root = tmp_path_factory.mktemp("storage")
    settings.MEDIA_ROOT, settings.PRIVATE_ROOT = root / "media", root / "private"
    settings.INDEX_ROOT = root / "index"
    for name, folder in (("default", settings.MEDIA_ROOT), ("private", settings.PRIVATE_ROOT)):
        settings.STORAGES[name]["OPTIONS"]["location"] = folder
        # The models hold these very objects since they were imported.
        storage = storages[name]
        storage._location = folder
        for known in ("base_location", "location"):
            storage.__dict__.pop(known, None)
    return root


@pytest.fixture
def only_efficientnet(tmp_path, monkeypatch) -> Path:
    """A weights folder with no other encoder's."""
    from recommend.encoders.networks import EFFICIENTNET

    source = weights.path(EFFICIENTNET.weight)
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    (tmp_path / source.name).symlink_to(source)
    return tmp_path


@pytest.fixture
def client_factory():
    """A new browser each time; two of them are two strangers."""
    return Client


@pytest.fixture
def shopper(db):
    from shop.models import Shopper

    return Shopper.objects.create(key_hash=Shopper.hash_key("a stranger's cookie"))


@pytest.fixture
def shopper_client(shopper):
    """The browser of `shopper`."""
    from shop.shoppers import COOKIE

    client = Client()
    client.cookies[COOKIE] = "a stranger's cookie"
    return client


@cache
def clean(draw):
    from shop.images import clean_image

    return clean_image(pictures.encoded(draw()))


@cache
def prepared(category: str) -> bytes:
    """A tee, said to be of any category."""
    from preprocessing.garment.prepare import Attributes, prepare_garment

    tee = prepare_garment(np.asarray(pictures.tee()), "upper", Attributes(sleeve="short"))
    return replace(tee, category=category).to_bytes()


@pytest.fixture
def make_garment(db):
    """Garments with a drawn flat picture that a worker has looked at already; fields may be given."""
    from shop.models import Garment, GarmentAnalysis, GarmentPicture

    @transaction.atomic  # the messages are sent when there is nothing left to look at
    def make(sku="TEE-1", **fields):
        fields = {"title": "Tee", "category": "upper", "product_type": "t-shirt", "colour": "blue"} | fields
        fields |= {"sku": sku, "price": 20, "published": True}
        garment = Garment.objects.create(**fields)
        picture = GarmentPicture.objects.store(garment, clean(pictures.tee), role="flat")
        analysis = GarmentAnalysis.objects.get(picture=picture)
        analysis.data.save("garment.npz", ContentFile(prepared(garment.category)), save=False)
        analysis.state = analysis.State.DONE
        analysis.save()
        return garment

    return make


@pytest.fixture
def garment(make_garment):
    return make_garment()


@pytest.fixture
def make_photo(shopper):
    """Photos of a shopper that a worker has looked at already; by default of `shopper`."""
    from preprocessing.person.prepare import VERSION, PreparedPerson
    from shop.models import Photo

    image = np.asarray(pictures.astronaut())
    everywhere = np.full(image.shape[:2], 255, np.uint8)
    person = PreparedPerson(image, np.zeros((33, 4), np.float32), everywhere, everywhere // 255, everywhere > 255)

    @transaction.atomic
    def make(owner=shopper):
        photo = Photo.objects.store(owner, clean(pictures.astronaut))
        photo.prepared.save("person.npz", ContentFile(person.to_bytes()), save=False)
        photo.prepared_version, photo.state = VERSION, Photo.State.DONE
        photo.save()
        return photo

    return make


@pytest.fixture
def photo(make_photo):
    return make_photo()


@pytest.fixture
def fakes(settings):
    """The engines of tests/engines.py in place of the shop's."""
    settings.TRYON_ENGINES = "tests.engines.ENGINES"


@pytest.fixture
def sent(monkeypatch):
    """The try-ons' messages that would have gone to the broker; add None to have it refuse the rest."""
    from tryon import tasks

    messages = []

    def publish(task, row_id, *, queue):
        if None in messages:
            return False
        messages.append((str(row_id), queue))
        return True

    monkeypatch.setattr(tasks, "publish", publish)
    return messages


@pytest.fixture
def submit(shopper, photo, garment):
    """Ask for try-ons of `photo` and `garment`: one row, or a list when several engines are named."""
    from tryon.models import TryOn

    def ask(*engines, **more):
        rows = TryOn.objects.submit(shopper, photo, garment, engines=list(engines) or ["quick"], **more)
        return rows if len(engines) > 1 else rows[0]

    return ask


@pytest.fixture(scope="session")
def shared_worker(django_db_setup, django_db_blocker, tmp_path_factory, folders):
    """One worker for all tests that need one; it knows the real engines and those of tests/engines.py."""
    broker = redis_number(1)
    with redis.Redis.from_url(broker) as server:
        server.flushdb()
    worker = Worker(tmp_path_factory.mktemp("worker"), broker)
    with django_db_blocker.unblock():
        worker.start()
        worker.rest()
    yield worker
    worker.stop()


@pytest.fixture
def worker(shared_worker, transactional_db, monkeypatch):
    """The shared worker, hearing what this test sends; it has nothing left to do when the tables are emptied."""
    monkeypatch.setenv("CELERY_BROKER_URL", shared_worker.broker)
    with shared_worker.serving():
        yield shared_worker


@pytest.fixture
def ask(shopper, photo, garment):
    """Ask for one try-on; another owner and photo may be given."""
    from tryon.models import TryOn

    def submit(engine="quick", owner=None, picture=None):
        return TryOn.objects.submit(owner or shopper, picture or photo, garment, engines=[engine])[0]

    return submit


@pytest.fixture
def lone_worker(transactional_db, tmp_path, monkeypatch):
    """Starts workers that may be ended; by default on a Redis number that only these tests use."""
    started = []

    def start(broker=None, name="lone", **more):
        broker = broker or redis_number(2)
        monkeypatch.setenv("CELERY_BROKER_URL", broker)
        folder = tmp_path / name
        folder.mkdir()
        worker = Worker(folder, broker, WEIGHTS_DIR=str(folder), **more)  # without weights it starts sooner
        worker.start()
        started.append(worker)
        return worker

    with redis.Redis.from_url(redis_number(2)) as broker:
        broker.flushdb()
    yield start
    for worker in started:
        worker.kill()


@pytest.fixture
def reader(monkeypatch):
    """An encoder that reads words in place of the shop's, and an index that looks at every call."""
    from recommend import encoders, index
    from tests.readers import READER

    monkeypatch.setattr(index, "current", index.Index(look_seconds=0).current)
    monkeypatch.setattr(encoders, "_in_order", lambda *chosen: (READER,))
    return READER


@pytest.fixture
def hanger(reader, transactional_db):
    """Three tops with looks at 0, 30 and 90 degrees, and trousers at 10, as `reader` sees them."""
    from tests.looks import make

    make("polo", 0, reader, title="Navy Polo", title_ko="남색 폴로")
    make("tee", 30, reader, title="Navy Tee", brand="Alder")
    make("knit", 90, reader, title="Soft Knit")
    make("jeans", 10, reader, title="Navy Jeans", category="lower")
