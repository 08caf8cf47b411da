"""From an analysed picture to its vector: the task, the sweep, a change of encoder, the merchant's tools."""

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from preprocessing.errors import Refusal
from preprocessing.garment.prepare import PreparedGarment
from recommend import encoders, tasks
from recommend.encoders.colour import Colour
from recommend.encoders.joined import BOTH, Joined
from recommend.models import Embedding, Serving
from recommend.progress import progress
from recommend.receivers import PER_SWEEP, embed_missing
from shop.images import clean_image
from shop.models import Garment, GarmentAnalysis, GarmentPicture
from shop.signals import picture_analysed
from shop.work import MAX_ATTEMPTS
from tests.looks import BLUE, RED, cut_out, image
from tests.pictures import encoded, tee
from tests.small_clips import SMALL_CLIP, saved
from tests.test_encoders import blank


class Counting:
    """Colour's vectors under another name, counting how many pictures it was given."""

    def __init__(self, name="counting", error: Exception | None = None):
        self.name, self.version, self.label, self.error, self.seen = name, "1", name.title(), error, []

    def problem(self):
        return ""

    def encode(self, given):
        self.seen += given
        if self.error:
            raise self.error
        return Colour().encode(given)


@pytest.fixture
def counting(monkeypatch):
    encoder = Counting()
    monkeypatch.setattr(encoders, "wanted", lambda: encoder)
    return encoder


@pytest.fixture
def sent(monkeypatch):
    """The ids that would have gone to the broker."""
    ids = []

    def publish(task, row_id, **how):
        ids.append(row_id)
        return True

    monkeypatch.setattr("recommend.receivers.publish", publish)
    monkeypatch.setattr("recommend.receivers.send", publish)
    return ids


def stored(sku="tee", colour=BLUE) -> GarmentPicture:
    """A picture as an upload leaves it: its analysis is waiting."""
    garment = Garment.objects.create(
        sku=sku, title=sku, category="upper", product_type="tee", colour=sku, price=10, published=True
    )
    return GarmentPicture.objects.store(garment, clean_image(encoded(tee(colour))), role="flat")


def analysed(picture, mask: np.ndarray | None = None) -> GarmentAnalysis:
    prepared = PreparedGarment(image(RED), "upper", mask=mask)
    analysis = picture.analyses.get()
    analysis.data.save("garment.npz", ContentFile(prepared.to_bytes()), save=False)
    analysis.state = "done"
    analysis.save()
    return analysis


@pytest.mark.django_db
def test_an_analysed_picture_is_embedded_with_its_mask(counting, sent):
    picture = stored()
    mask = np.zeros((800, 600), np.uint8)
    mask[200:600, 200:400] = 255
    picture_analysed.send(GarmentAnalysis, analysis=analysed(picture, mask))
    row = Embedding.objects.get()
    assert (row.picture, row.garment, row.encoder, row.state) == (picture, picture.garment, "counting", "pending")
    assert sent == [row.pk]
    tasks.embed_picture(str(row.pk))
    row.refresh_from_db()
    assert (row.state, row.error, len(row.sha256)) == ("done", "", 64)
    assert counting.seen[0].shape == (800, 600, 4)
    assert np.array_equal(counting.seen[0][..., 3], mask)
    vector = np.frombuffer(row.vector, "<f2").astype(float)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=2e-3)
    assert vector @ Colour().encode([image(RED)])[0] > 0.9
    tasks.embed_picture(str(row.pk))  # a message may come twice
    assert len(counting.seen) == 1


@pytest.mark.django_db
def test_a_picture_without_a_found_garment_is_embedded_whole(counting, sent):
    picture_analysed.send(GarmentAnalysis, analysis=analysed(stored(), None))
    tasks.embed_picture(str(Embedding.objects.get().pk))
    assert counting.seen[0].shape == (800, 600, 3)


@pytest.mark.django_db
def test_a_picture_whose_analysis_failed_is_embedded_whole(counting, sent):
    picture = stored()
    embed_missing(None)
    assert not Embedding.objects.exists()  # the mask may still come
    picture.analyses.update(state="failed")
    embed_missing(None)
    tasks.embed_picture(str(Embedding.objects.get().pk))
    assert Embedding.objects.get().state == "done"
    assert tasks.BIG_ENOUGH <= max(counting.seen[0].shape[:2]) < 2 * tasks.BIG_ENOUGH


@pytest.mark.django_db
def test_an_analysis_made_anew_is_embedded_anew_and_the_old_vector_serves(counting, sent):
    picture = stored()
    analysis = analysed(picture)
    picture_analysed.send(GarmentAnalysis, analysis=analysis)
    tasks.embed_picture(str(Embedding.objects.get().pk))
    before = Embedding.objects.get()
    picture_analysed.send(GarmentAnalysis, analysis=analysis)
    again = Embedding.objects.get()
    assert (again.pk, again.state, bytes(again.vector)) == (before.pk, "pending", bytes(before.vector))
    tasks.embed_picture(str(again.pk))
    assert Embedding.objects.get().state == "done"


@pytest.mark.django_db
def test_equal_pictures_are_encoded_once(counting, sent):
    for sku in ("one", "two"):
        picture_analysed.send(GarmentAnalysis, analysis=analysed(stored(sku)))
    for row in Embedding.objects.all():
        tasks.embed_picture(str(row.pk))
    one, two = Embedding.objects.all()
    assert bytes(one.vector) == bytes(two.vector)
    assert len(counting.seen) == 1


@pytest.mark.django_db
def test_what_is_transparent_is_seen_on_white():
    picture = stored()
    transparent = cut_out()
    transparent[transparent[..., 3] == 0] = 0
    file = ContentFile(encoded(Image.fromarray(transparent), "PNG").read())
    picture.image.name = picture.image.storage.save("tee.png", file)
    seen = tasks.whole(picture)
    assert seen.shape[2] == 3
    assert (seen[0, 0] == 255).all()


@pytest.mark.django_db
@pytest.mark.parametrize("form, mode", [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "RGBA")])
def test_a_large_picture_is_made_smaller_and_keeps_its_colours(form, mode):
    picture = stored()
    large = Image.fromarray(image(RED)).resize((1500, 2000)).convert(mode)
    picture.image.name = picture.image.storage.save("tee", ContentFile(encoded(large, form).read()))
    seen = tasks.whole(picture)
    assert tasks.BIG_ENOUGH <= max(seen.shape[:2]) < 2 * tasks.BIG_ENOUGH
    expected = np.asarray(large.convert("RGB").resize((seen.shape[1], seen.shape[0]), Image.Resampling.BOX))
    assert np.abs(seen.astype(int) - expected).mean() < 3


@pytest.mark.django_db
def test_a_picture_that_cannot_be_read_is_marked(counting, sent):
    picture = stored()
    picture.analyses.update(state="failed")
    picture.image.storage.delete(picture.image.name)
    embed_missing(None)
    tasks.embed_picture(str(Embedding.objects.get().pk))
    row = Embedding.objects.get()
    assert (row.state, row.error) == ("failed", "picture.unreadable")


@pytest.mark.django_db
def test_an_encoder_that_refuses_marks_the_row(counting, sent):
    counting.error = Refusal("encoder.not_loaded", "It could not be loaded.")
    picture_analysed.send(GarmentAnalysis, analysis=analysed(stored()))
    tasks.embed_picture(str(Embedding.objects.get().pk))
    row = Embedding.objects.get()
    assert (row.state, row.error) == ("failed", "encoder.not_loaded")


@pytest.mark.django_db
def test_a_vector_that_is_none_is_not_kept(counting, sent, monkeypatch):
    picture_analysed.send(GarmentAnalysis, analysis=analysed(stored()))
    monkeypatch.setattr(counting, "encode", lambda given: np.full((len(given), 8), np.nan))
    tasks.embed_picture(str(Embedding.objects.get().pk))
    row = Embedding.objects.get()
    assert (row.state, row.error, row.vector) == ("failed", "encoder.no_vector", None)


@pytest.mark.django_db
def test_a_picture_that_kills_its_worker_is_given_up(counting, sent):
    counting.error = MemoryError()
    picture_analysed.send(GarmentAnalysis, analysis=analysed(stored()))
    row_id = str(Embedding.objects.get().pk)
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(MemoryError):
            tasks.embed_picture(row_id)
    tasks.embed_picture(row_id)
    assert (Embedding.objects.get().state, Embedding.objects.get().error) == ("failed", "work.too_many_attempts")


@pytest.mark.django_db
def test_a_message_for_a_deleted_picture_or_another_encoder_does_nothing(counting, sent, monkeypatch):
    picture_analysed.send(GarmentAnalysis, analysis=analysed(stored()))
    row = Embedding.objects.get()
    monkeypatch.setattr(encoders, "wanted", lambda: Counting("newer"))
    tasks.embed_picture(str(row.pk))
    assert Embedding.objects.get().attempts == 0
    row_id = str(row.pk)
    row.delete()
    tasks.embed_picture(row_id)


@pytest.mark.django_db
def test_the_sweep_sends_what_was_lost_and_no_more_than_a_few(counting, sent):
    garment = stored().garment
    GarmentPicture.objects.bulk_create(
        GarmentPicture(garment=garment, image=f"{n}.jpg", width=1, height=1, sha256=str(n)) for n in range(70)
    )
    embed_missing(None)
    assert len(sent) == PER_SWEEP
    embed_missing(None)
    assert len(sent) == PER_SWEEP  # none of those under way is lost yet
    Embedding.objects.filter(pk__in=sent[:20]).update(state="failed")
    embed_missing(None)
    assert len(set(sent)) == 70


@pytest.mark.django_db
def test_another_encoder_takes_over_when_its_set_is_complete(sent, monkeypatch):
    old, new = Counting("old"), Counting("new")
    monkeypatch.setattr(encoders, "wanted", lambda: old)
    for number in range(3):
        picture_analysed.send(GarmentAnalysis, analysis=analysed(stored(f"tee-{number}", (number * 60, 0, 0))))
    for row in Embedding.objects.all():
        tasks.embed_picture(str(row.pk))
    embed_missing(None)
    assert Serving.objects.current().label == "Old"
    monkeypatch.setattr(encoders, "wanted", lambda: new)
    embed_missing(None)
    rows = list(Embedding.objects.of(new))
    assert len(rows) == 3
    for row in rows[:2]:
        tasks.embed_picture(str(row.pk))
    embed_missing(None)
    assert Serving.objects.current().label == "Old"
    tasks.embed_picture(str(rows[2].pk))
    embed_missing(None)
    assert Serving.objects.current().label == "New"


@pytest.mark.django_db
def test_a_network_that_arrives_later_is_used_once_every_picture_was_seen_by_it(sent, tmp_path, monkeypatch):
    monkeypatch.setattr(Joined, "encode", lambda self, given: Colour().encode(given))
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    blank(tmp_path, "efficientnet_lite2")
    for number in range(2):
        picture_analysed.send(GarmentAnalysis, analysis=analysed(stored(f"tee-{number}", (number * 60, 0, 0))))
    for row in Embedding.objects.all():
        tasks.embed_picture(str(row.pk))
    embed_missing(None)
    assert Serving.objects.current().label == "EfficientNet-Lite2 with colour"
    blank(tmp_path, "inception_fid")
    embed_missing(None)
    rows = list(Embedding.objects.of(BOTH))
    assert len(rows) == 2
    tasks.embed_picture(str(rows[0].pk))
    embed_missing(None)
    assert Serving.objects.current().label == "EfficientNet-Lite2 with colour"
    tasks.embed_picture(str(rows[1].pk))
    embed_missing(None)
    assert Serving.objects.current().label == "EfficientNet-Lite2 and Inception with colour"


@pytest.mark.django_db
def test_an_encoder_that_fails_does_not_take_over(sent, monkeypatch):
    old, new = Counting("old"), Counting("new", Refusal("encoder.not_loaded", "Broken."))
    monkeypatch.setattr(encoders, "wanted", lambda: old)
    picture_analysed.send(GarmentAnalysis, analysis=analysed(stored()))
    tasks.embed_picture(str(Embedding.objects.get().pk))
    embed_missing(None)
    monkeypatch.setattr(encoders, "wanted", lambda: new)
    embed_missing(None)
    tasks.embed_picture(str(Embedding.objects.of(new).get().pk))
    embed_missing(None)
    assert Embedding.objects.of(new).get().state == "failed"
    assert Serving.objects.current().label == "Old"


# --- The merchant's tools ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_command_embeds_at_once_or_leaves_it_to_a_worker(counting, sent, capsys):
    for sku, colour in (("one", BLUE), ("two", RED)):
        stored(sku, colour).analyses.update(state="failed")
    call_command("embed")
    assert "2 pictures wait for a worker (Counting)." in capsys.readouterr().out
    assert len(sent) == 2
    call_command("embed", "--now")
    out = capsys.readouterr().out
    assert "2 of 2" in out
    assert "Counting: 2 pictures embedded, 0 failed." in out
    call_command("embed", "--status")
    assert "100 %  Counting: 2 of 2 pictures, 0 failed; shown now" in capsys.readouterr().out
    call_command("embed", "--now", "--again")
    assert "2 of 2" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_merchant_sees_how_far_the_next_encoder_is(admin_client: Client, sent, monkeypatch):
    old, new = Counting("old"), Counting("new", Refusal("encoder.not_loaded", "Broken."))
    for number in range(4):
        analysed(stored(f"tee-{number}", (number * 50, 0, 0)))
    monkeypatch.setattr(encoders, "wanted", lambda: old)
    call_command("embed", "--now")
    monkeypatch.setattr(encoders, "wanted", lambda: new)
    call_command("embed")
    assert [(one.label, one.percent, one.serves, one.wanted) for one in progress()] == [
        ("Old", 100, True, False),
        ("New", 0, False, True),
    ]
    tasks.embed_picture(str(Embedding.objects.of(new).first().pk))
    _, next_one = progress()
    assert (next_one.total, next_one.done, next_one.failed, next_one.percent) == (4, 0, 1, 25)
    page = admin_client.get("/admin/recommend/embedding/").content.decode()
    assert '<progress max="4" value="4" aria-label="Old">' in page
    assert '<progress max="4" value="1" aria-label="New">' in page
    assert "takes over when it is complete" in page
    kept = Embedding.objects.of(old).first()
    for name in ("efficientnet_lite2", "of-yore"):
        Embedding.objects.filter(pk=kept.pk).update(encoder=name, version="0")
        assert encoders.label(name) in {one.label for one in progress()}
    assert [encoders.label(name) for name in ("efficientnet_lite2", "of-yore")] == [
        "EfficientNet-Lite2 with colour",
        "of-yore",
    ]


@pytest.mark.django_db
def test_the_command_compares_int8_on_the_shops_own_pictures(settings, tmp_path, monkeypatch, capsys):
    with pytest.raises(CommandError, match="no CLIP"):
        call_command("embed", "--compare")
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    settings.RECOMMEND_CLIP = str(saved(tmp_path / "mine", SMALL_CLIP))
    with pytest.raises(CommandError, match="0 readable pictures; 20 are needed"):
        call_command("embed", "--compare")
    for number in range(20):
        stored(f"tee-{number}", (number * 12, 255 - number * 9, number * 5)).analyses.update(state="failed")
    call_command("embed", "--compare")
    told = capsys.readouterr().out
    assert "CLIP mine, 20 pictures" in told
    assert "of the ten nearest are the same" in told
    assert not Embedding.objects.exists()


@pytest.mark.django_db
def test_the_admin_lists_embeddings_and_has_them_made_again(admin_client: Client, counting, sent):
    analysed(stored())
    call_command("embed", "--now")
    page = admin_client.get("/admin/recommend/embedding/")
    assert page.status_code == 200
    assert "Counting" in page.content.decode()
    row = Embedding.objects.get()
    assert admin_client.get(f"/admin/recommend/embedding/{row.pk}/change/").status_code == 200
    assert admin_client.get("/admin/recommend/embedding/add/").status_code == 403
    admin_client.post("/admin/recommend/embedding/", {"action": "embed_again", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("pending", 0)
    assert row.vector
