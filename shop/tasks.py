"""The cpu worker's short tasks for shop: check a photo, analyse a garment's picture."""

import io
from dataclasses import asdict

from celery import shared_task
from django.core.files.base import ContentFile

from preprocessing.errors import Refusal
from shop.models import GarmentAnalysis, GarmentPicture, Photo
from shop.signals import picture_analysed
from shop.work import Work


def pixels(file, mode="RGB"):
    """A stored picture as uint8 (H, W, 3), (H, W, 4) for the mode "RGBA", (H, W) for "L"."""
    import numpy as np  # only a worker comes here
    from PIL import Image

    with file.open("rb") as handle:
        image = Image.open(io.BytesIO(handle.read()))
    return np.asarray(image.convert(mode))


def look_at(photo):
    """Find out what a photo shows, and note it on the object; `keep` writes it to the row.

    Returns:
        The `PreparedPerson`.

    Raises:
        Refusal: "photo.…", for one that cannot be used.
        WeightsMissing: the networks are not there.
    """
    from preprocessing.person import checks, prepare  # mediapipe: workers only

    person = prepare.prepare_person(pixels(photo.image))
    photo.findings = [asdict(finding) for finding in checks.check_photo(person)]
    photo.difficulty = person.difficulty.level
    photo.prepared.save("person.npz", ContentFile(person.to_bytes()), save=False)
    photo.prepared_version = prepare.VERSION
    return person


def keep(photo, rows, old: str) -> None:
    """Write what `look_at` has noted to the photo's row, if that is still among `rows`; the file without a row goes.

    Args:
        old: the name of what was prepared before.
    """
    kept = rows.filter(pk=photo.pk).update(
        state=Work.State.DONE,
        findings=photo.findings,
        difficulty=photo.difficulty,
        prepared=photo.prepared.name or "",
        prepared_version=photo.prepared_version,
    )
    if obsolete := old if kept else photo.prepared.name:  # the photo was deleted, or another worker was faster
        photo.prepared.storage.delete(obsolete)


@shared_task
def check_photo(photo_id):
    from preprocessing.weights import WeightsMissing

    photo = Photo.objects.claim(photo_id)
    if photo is None:
        return
    old = photo.prepared.name
    try:
        look_at(photo)
    except WeightsMissing:
        raise  # the shop's fault: nothing is said against the photo
    except Refusal as refusal:
        photo.findings = [{"code": refusal.code, "severity": "refuse", "sentence": refusal.sentence}]
        photo.difficulty = photo.prepared = photo.prepared_version = ""
    keep(photo, Photo.objects.filter(state=Work.State.PENDING), old)


@shared_task
def analyse_picture(analysis_id):
    from preprocessing.garment.prepare import Attributes, prepare_garment  # OpenCV: workers only

    analysis = GarmentAnalysis.objects.claim(analysis_id)
    if analysis is None:
        return
    picture = GarmentPicture.objects.select_related("garment").get(pk=analysis.picture_id)
    garment = picture.garment
    prepared = prepare_garment(
        pixels(picture.image, "RGBA" if picture.image.name.endswith(".png") else "RGB"),
        garment.category,
        Attributes(garment.sleeve or None, garment.length or None, garment.product_type),
        mask=pixels(picture.mask, "L") if picture.mask else None,
        landmarks=picture.landmarks,
    )
    analysis.data.save("garment.npz", ContentFile(prepared.to_bytes()), save=False)
    done = GarmentAnalysis.objects.filter(pk=analysis_id, state=Work.State.PENDING).update(
        state=Work.State.DONE,
        data=analysis.data.name,
        problems=[asdict(problem) for problem in prepared.problems],
        colours=[{"lab": lab, "share": share} for *lab, share in prepared.colours.tolist()],
        sleeve=prepared.sleeve or "",
        length=prepared.length or "",
        asked=garment.cut,
    )
    if not done:
        analysis.data.storage.delete(analysis.data.name)
        return
    GarmentAnalysis.objects.filter(picture=picture, version__lt=analysis.version).delete()
    picture_analysed.send(GarmentAnalysis, analysis=GarmentAnalysis.objects.get(pk=analysis_id))
