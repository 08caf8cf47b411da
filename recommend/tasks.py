"""The cpu worker's short tasks for recommend: embed a garment's picture, and what a shopper searches by."""

import hashlib
import io
import logging

import numpy as np
from celery import shared_task
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models.functions import Now
from PIL import Image

from preprocessing.errors import Refusal, gettext_noop
from recommend import encoders
from recommend.encoders.vectors import amid
from recommend.models import Embedding, Query, QueryLook
from recommend.models.queries import CHANGED
from shop.models import GarmentPicture
from shop.tasks import pixels
from shop.work import Work

log = logging.getLogger(__name__)

BIG_ENOUGH = 640  # pixels of the longer side; no encoder sees more than 384


@shared_task
def embed_picture(embedding_id):
    wanted = encoders.wanted()
    if not Embedding.objects.of(wanted).filter(pk=embedding_id).exists():
        return  # of an encoder that is no longer wanted, or gone with its picture
    row = Embedding.objects.claim(embedding_id)
    if row is not None:
        embed([row], wanted)


@shared_task
def embed_query(query_id):
    query = Query.objects.claim(query_id)
    if query is None:
        return
    try:
        looks = _looks(query)
    except Refusal as refusal:
        log.info("search %s: %s", query_id, refusal)
        told = {"error": refusal.code, "error_sentence": refusal.sentence}
        Query.objects.filter(pk=query_id).update(state=Work.State.FAILED, **told)
        return
    with transaction.atomic():
        # Under lock: of two workers one stores, and nothing is stored for a search that was deleted meanwhile.
        row = Query.objects.select_for_update().filter(pk=query_id, state=Work.State.PENDING).first()
        if row is None or (row.encoder, row.version) != (query.encoder, query.version):
            return
        for look, shown in looks:
            if shown is not None:
                look.cutout.save("cutout.jpg", ContentFile(as_jpeg(shown)), save=False)
            look.save()
        Query.objects.filter(pk=query_id).update(state=Work.State.DONE)


def _looks(query: Query) -> list[tuple[QueryLook, np.ndarray | None]]:
    """With vectors, not stored yet, each with what is shown of it."""
    encoder = encoders.of(query.encoder, query.version)
    if encoder is None:
        raise Refusal("search.encoder_changed", CHANGED)
    if query.kind == Query.Kind.WORDS:
        return [(_looked(query, QueryLook.Part.WORDS, encoder.encode_words([query.words])), None)]
    from recommend import sight  # mediapipe: workers only

    seen = sight.look(pixels(query.image))
    return [(_looked(query, one.part, encoder.encode(list(one.pictures))), one.shown) for one in seen]


def _looked(query: Query, part: str, vectors: np.ndarray) -> QueryLook:
    """By the vector amid those of one part, (N, dim) unit rows."""
    vector = amid(vectors)
    if not np.isfinite(vector).all():
        told = gettext_noop("This cannot be compared with our garments. Please try other words or another picture.")
        raise Refusal("encoder.no_vector", told, f"{query.encoder} {query.version}")
    return QueryLook(query=query, part=part, vector=_bytes(vector))


def _bytes(vector: np.ndarray) -> bytes:
    return vector.astype("<f2").tobytes()


def as_jpeg(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=88)
    return file.getvalue()


def embed(rows: list[Embedding], encoder: encoders.Encoder) -> None:
    """Give rows of one encoder their vectors; those that cannot have one are marked with why."""
    inputs = []
    for row in rows:
        try:
            picture = encoder_input(row.picture)
            inputs.append((row, picture, digest(picture)))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            log.warning("picture %s could not be read: %r", row.picture_id, error)
            Embedding.objects.filter(pk=row.pk).update(state=Work.State.FAILED, error="picture.unreadable")
    known = Embedding.objects.of(encoder).with_vector().filter(sha256__in=[sha256 for *_, sha256 in inputs])
    vectors = {sha256: bytes(vector) for sha256, vector in known.values_list("sha256", "vector")}
    new = {sha256: picture for _, picture, sha256 in inputs if sha256 not in vectors}
    if new:
        try:
            made = encoder.encode(list(new.values()))
        except Refusal as refusal:
            log.error("%s", refusal)
            Embedding.objects.filter(pk__in=[row.pk for row, *_ in inputs]).update(
                state=Work.State.FAILED, error=refusal.code
            )
            return
        vectors |= {
            sha256: _bytes(vector) for sha256, vector in zip(new, made, strict=True) if np.isfinite(vector).all()
        }
    for row, _, sha256 in inputs:
        if sha256 not in vectors:
            log.error("picture %s: %s gives no vector for it", row.picture_id, encoder.label)
            Embedding.objects.filter(pk=row.pk).update(state=Work.State.FAILED, error="encoder.no_vector")
            continue
        # Not save(): that would bring back a row that was deleted with its picture.
        Embedding.objects.filter(pk=row.pk).update(
            state=Work.State.DONE, vector=vectors[sha256], sha256=sha256, error="", updated=Now()
        )


def encoder_input(picture: GarmentPicture) -> np.ndarray:
    """uint8 RGBA with the garment's mask where one was found, else the whole picture, RGB."""
    analysis = picture.analysis
    if analysis is None or analysis.state != Work.State.DONE:
        return whole(picture)
    from preprocessing.garment.prepare import PreparedGarment  # OpenCV: workers only

    with analysis.data.open("rb") as file:
        return with_mask(PreparedGarment.from_bytes(file.read()))


def with_mask(prepared) -> np.ndarray:
    """A `preprocessing.garment.PreparedGarment` as an encoder takes it."""
    return prepared.image if prepared.mask is None else np.dstack([prepared.image, prepared.mask])


def whole(picture: GarmentPicture) -> np.ndarray:
    """uint8 (H, W, 3), what is transparent on white; a large one a whole number of times smaller."""
    with picture.image.open("rb") as file:
        image = Image.open(file)
        image.draft("RGB", (BIG_ENOUGH, BIG_ENOUGH))  # a JPEG is made smaller while it is decoded
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    # Each encoder scales to its own size; scaling finely here as well took as long as all the rest.
    image = image.reduce(max(1, max(image.size) // BIG_ENOUGH))
    if image.mode == "RGB":
        return np.asarray(image)
    opaque = Image.new("RGBA", image.size, "white")
    opaque.alpha_composite(image)
    return np.asarray(opaque.convert("RGB"))


def digest(picture: np.ndarray) -> str:
    return hashlib.sha256(repr(picture.shape).encode() + np.ascontiguousarray(picture).tobytes()).hexdigest()
