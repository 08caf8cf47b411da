"""What happens inside a job, between claim and record. Heavy; only a worker imports it."""

import io
from functools import cache

import cv2
import numpy as np
from PIL import Image

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.person.pose import detect_poses
from preprocessing.person.prepare import VERSION, PreparedPerson
from preprocessing.person.segmentation import segment
from shop import tasks as shop_tasks
from shop.models import Garment, GarmentAnalysis, Photo
from shop.models.pictures import ANALYSIS_VERSION
from tryon import checks, registry
from tryon.engines.base import Engine, Generated, Inputs
from tryon.lease import Lease, Stage

JPEG_QUALITY = 92
NOT_WORTH_SHOWING = gettext_noop("The picture did not come out well. Please choose another photo or garment.")


@cache
def load(name: str) -> Engine:
    """The engine, once per process."""
    return registry.engines()[name].load()


def one_thread_each() -> None:
    """A worker runs as many processes as it may use cores; libraries that start threads of their own only disturb."""
    cv2.setNumThreads(1)


def warm_up() -> None:
    """Load the networks that look at photos, and let each run once. Raises WeightsMissing."""
    blank = np.zeros((256, 256, 3), np.uint8)
    detect_poses(blank)
    segment(blank, (0, 0, 256, 256))


def work(lease: Lease) -> None:
    row = lease.row
    if row.engine not in registry.engines():
        raise Refusal(
            "tryon.engine_unavailable", gettext_noop("This way of trying on is not available. Please choose another.")
        )
    person = prepared_person(row.photo)
    checks.check_garments(row.garments)
    garments = [prepared_garment(garment) for garment in row.garments]
    engine = load(row.engine)
    lease.enter(Stage.GENERATING)
    generated = engine.generate(Inputs(person, garments))
    check(generated, person.image)
    lease.enter(Stage.SAVING)
    lease.succeed(encode(generated.image), generated.image.shape[:2], generated.notes)


def prepared_person(photo: Photo | None) -> PreparedPerson:
    """What the check at upload stored; made and stored now where that is missing or of an older version."""
    if photo and photo.state == photo.State.PENDING:
        shop_tasks.check_photo(photo.pk)
        photo = Photo.objects.filter(pk=photo.pk).first()
    checks.check_photo(photo)
    if photo.prepared and photo.prepared_version == VERSION:
        with photo.prepared.open("rb") as file:
            return PreparedPerson.from_bytes(file.read())
    old = photo.prepared.name
    person = shop_tasks.look_at(photo)
    shop_tasks.keep(photo, Photo.objects.filter(prepared=old), old)
    return person


def prepared_garment(garment: Garment) -> PreparedGarment:
    """What the analysis at upload stored; made now where it has not been done yet."""
    analysis, _ = GarmentAnalysis.objects.get_or_create(picture=garment.flat, version=ANALYSIS_VERSION)
    if analysis.state == analysis.State.PENDING:
        shop_tasks.analyse_picture(analysis.pk)
        analysis.refresh_from_db()
    if analysis.state != analysis.State.DONE or analysis.problems:
        raise Refusal("garment.not_previewable", checks.NOT_PREVIEWABLE, analysis.error or str(analysis.problems))
    with analysis.data.open("rb") as file:
        return PreparedGarment.from_bytes(file.read())


def check(generated: Generated, photo: np.ndarray) -> None:
    """Raises Refusal for what is no try-on: nothing changed, or a blank picture."""
    image = generated.image
    if image.dtype != np.uint8 or image.shape != photo.shape:
        raise ValueError(f"the engine gave {image.dtype} {image.shape}, the photo has {photo.shape}")
    if not generated.touched.any() or np.array_equal(image, photo):
        raise Refusal("engine.unchanged", NOT_WORTH_SHOWING)
    if image.std() < 1:
        raise Refusal("engine.blank", NOT_WORTH_SHOWING, f"all pixels are near {image.mean():.0f}")


def encode(image: np.ndarray) -> bytes:
    """As JPEG, with nothing in it but the picture."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=True)
    return file.getvalue()
