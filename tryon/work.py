"""What happens inside a job, between claim and record. Heavy; only a worker imports it."""

import io
import time
from functools import cache

import cv2
import numpy as np
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.garment.prepare import PreparedGarment
from preprocessing.networks.person import Frame, frame_version
from preprocessing.networks.person import frame as make_frame
from preprocessing.person.pose import detect_poses
from preprocessing.person.prepare import VERSION, PreparedPerson
from preprocessing.person.segmentation import segment
from shop import tasks as shop_tasks
from shop.models import Garment, GarmentAnalysis, Photo, PhotoFrame
from shop.models.pictures import ANALYSIS_VERSION
from tryon import checks, registry
from tryon.engines.base import Engine, Generated, Inputs
from tryon.engines.checks import NOT_WORTH_SHOWING
from tryon.lease import Lease, Stage
from tryon.models import EngineState

JPEG_QUALITY = 92


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
    info = checks.allowed(row.engine)
    checks.check_photo(row.photo)
    checks.check_garments(row.garments)
    engine = load(row.engine)
    EngineState.objects.at_work(row.engine, row.worker)
    person = prepared_person(row.photo)
    garments = [prepared_garment(garment) for garment in row.garments]
    start = time.monotonic()
    frame = person_frame(row.photo, person, info.frame) if info.frame else None
    lease.enter(Stage.GENERATING, {"frame": time.monotonic() - start} if frame else {})
    generated = engine.generate(Inputs(person, garments, frame, row.seed))
    check(generated, person.image)
    lease.enter(Stage.SAVING, generated.timings)
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


def person_frame(photo: Photo, person: PreparedPerson, part: str) -> Frame:
    """The person as HD engines see one; made for the first garment on a photo, kept for the next."""
    version = frame_version()
    kept = PhotoFrame.objects.filter(photo=photo, part=part, version=version).first()
    if kept:
        with kept.data.open("rb") as file:
            return Frame.from_bytes(file.read())
    made = make_frame(person, whole=part == PhotoFrame.Part.WHOLE)
    PhotoFrame.objects.keep(photo, part, version, made.to_bytes())
    return made


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
