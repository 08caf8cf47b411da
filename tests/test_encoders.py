"""Encoders: what a picture becomes, the default's network, CLIP from a file, and the tasks that use them."""

import json
import sys
import tempfile

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.test import Client
from PIL import Image

from preprocessing import weights
from preprocessing.errors import Refusal
from preprocessing.garment import PreparedGarment
from recommend import encoders, tasks
from recommend.encoders import efficientnet, pictures, vectors
from recommend.encoders.clip import Clip
from recommend.encoders.colour import DIM as COLOUR_DIM
from recommend.encoders.colour import Colour, histogram
from recommend.encoders.efficientnet import EfficientNet
from recommend.models import Embedding, Serving
from recommend.receivers import PER_SWEEP, embed_missing
from shop.images import clean_image
from shop.models import Garment, GarmentAnalysis, GarmentPicture
from shop.signals import picture_analysed
from shop.work import MAX_ATTEMPTS
from tests.pictures import encoded, tee

FIRST_THREE = [0.004461, -0.035224, -0.033902]
BLUE, RED = (40, 90, 170), (180, 40, 40)


def image(colour=BLUE, **options) -> np.ndarray:
    return np.asarray(tee(colour, **options))


def cut_out(colour=BLUE, background=(10, 200, 10)) -> np.ndarray:
    """A tee with its exact mask, RGBA."""
    on_white, on_black = image(colour, background=(255, 255, 255)), image(colour, background=(0, 0, 0))
    mask = (np.abs(on_white.astype(int) - on_black).max(-1) < 30).astype(np.uint8) * 255
    picture = np.dstack([on_white, mask])
    picture[mask == 0, :3] = background
    return picture


# --- Pictures ---------------------------------------------------------------------------------------------


def test_a_picture_is_put_whole_on_a_square_of_its_background():
    picture = np.full((400, 200, 3), 250, np.uint8)
    picture[:10, 50:150] = picture[-10:, 50:150] = 0  # collar and hem
    square = pictures.squared(picture, 100)
    assert square.shape == (100, 100, 3)
    assert (square[:, :20] == 250).all()
    assert square[0, 50].max() < 60
    assert square[-1, 50].max() < 60


def test_a_mask_on_a_plain_background_crops_to_the_garment():
    near = cut_out()
    far = np.zeros((1600, 1500, 4), np.uint8)
    far[..., :3] = near[0, 0, :3]
    far[300:1100, 800:1400] = near
    one, other = (pictures.squared(picture, 120).astype(int) for picture in (near, far))
    assert np.abs(one - other).mean() < 2
    rows = np.flatnonzero((np.abs(one - one[0, 0]) > 30).any((1, 2)))
    assert rows[0] == pytest.approx(120 * pictures.MARGIN, abs=2)


def test_a_mask_on_a_busy_background_is_not_trusted():
    picture = cut_out()
    picture[::40, :, :3] = picture[:, ::40, :3] = picture[1::40, :, :3] = 255
    picture[2::20, :, :3] = 0
    assert np.array_equal(pictures.squared(picture, 64), pictures.squared(picture[..., :3], 64))


@pytest.mark.parametrize("alpha", [0, 255])
def test_a_mask_that_says_nothing_is_not_trusted(alpha):
    plain = image()
    masked = np.dstack([plain, np.full(plain.shape[:2], alpha, np.uint8)])
    assert np.array_equal(pictures.squared(masked, 64), pictures.squared(plain, 64))


def test_lab_is_what_the_standard_says():
    from skimage.color import rgb2lab

    colours = np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)
    assert np.abs(pictures.to_lab(colours) - rgb2lab(colours)).max() < 0.05


def test_colours_come_from_the_garment_alone():
    expected = pictures.to_lab(np.uint8([BLUE]))[0]
    for picture in (image(), cut_out()):
        assert np.median(pictures.garment_colours(picture), axis=0) == pytest.approx(expected, abs=3)
    covering = np.random.default_rng(0).integers(0, 256, (300, 200, 3), np.uint8)
    assert len(pictures.garment_colours(covering)) > 1000


# --- Colour -----------------------------------------------------------------------------------------------


def test_a_histogram_shares_colours_out_and_knows_near_from_far():
    def of(*lab):
        return histogram(np.array([lab], float))

    assert of(50, 10, 10).sum() == pytest.approx(1)
    assert (of(50, 10, 10) > 0).sum() == 8
    assert np.array_equal(of(120, 200, -200), of(100, 60, -60))
    base = np.sqrt(of(50, 10, 10))
    assert base @ np.sqrt(of(53, 13, 8)) > 0.95
    assert base @ np.sqrt(of(50, -50, 10)) < 0.1


def test_the_colour_encoder_tells_colours_apart():
    blue, navy, red = Colour().encode([image(BLUE), image((30, 70, 140)), image(RED)])
    assert blue.shape == (COLOUR_DIM,)
    assert blue @ navy > 0.8 > 0.5 > blue @ red


# --- Vectors ----------------------------------------------------------------------------------------------


def test_long_vectors_are_reduced_the_same_way_everywhere():
    rows = vectors.unit(np.random.RandomState(1).standard_normal((40, 768)))
    short = vectors.reduced(rows)
    assert short.shape == (40, 512)
    assert np.linalg.norm(short, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert np.abs(short @ short.T - rows @ rows.T).max() < 0.12
    # What is stored in a shop's database must fit what a later release makes.
    assert short[0, :3] == pytest.approx(FIRST_THREE, abs=1e-5)
    assert vectors.reduced(rows[:, :512]).shape == (40, 512)


def test_the_cosine_of_joined_rows_is_the_weighted_mean():
    a, b = vectors.unit(np.random.RandomState(1).standard_normal((2, 6))), vectors.unit(np.eye(2, 4) + 0.3)
    both = vectors.joined([(0.7, a), (0.3, b)])
    assert both[0] @ both[1] == pytest.approx(0.7 * (a[0] @ a[1]) + 0.3 * (b[0] @ b[1]), abs=1e-6)


# --- EfficientNet-Lite2 -----------------------------------------------------------------------------------


def test_the_default_encoder_sees_shape_and_colour():
    encoder = EfficientNet()
    assert encoder.problem() == ""
    blue, navy, red, trousers = encoder.encode([image(BLUE), image((35, 80, 155)), image(RED), stripes()])
    assert blue.shape == (480,)
    assert blue.dtype == np.float32
    for vector in (blue, navy, red, trousers):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert blue @ navy > blue @ red > blue @ trousers
    assert np.array_equal(blue, encoder.encode([image(BLUE)])[0])


def stripes() -> np.ndarray:
    picture = image().copy()
    picture[np.arange(len(picture)) % 20 < 4] = 255
    return picture[:, :150]


def test_the_network_is_exported_once_and_equals_torch(tmp_path, monkeypatch):
    import onnxruntime
    import torch

    from recommend.encoders.export import build

    source = weights.path(efficientnet.WEIGHT)
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    (tmp_path / source.name).symlink_to(source)
    made = efficientnet.onnx_file()
    assert made.parent == tmp_path / "cache"
    assert efficientnet.SHA256[:12] in made.name
    assert list(made.parent.iterdir()) == [made]
    stamp = made.stat().st_mtime_ns
    assert efficientnet.onnx_file().stat().st_mtime_ns == stamp
    state = torch.load(source, map_location="cpu", weights_only=True)
    batch = np.concatenate([efficientnet.prepared(image()), efficientnet.prepared(image(RED))])
    with torch.inference_mode():
        expected = build(state)(torch.from_numpy(batch)).numpy()
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"image": batch})[0] - expected).max() < 1e-4


def test_where_the_weights_cannot_be_written_the_network_lies_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHTS_DIR", "/proc")  # not even root can make a folder there
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = efficientnet.cache_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert efficientnet.cache_folder() == folder


def test_a_failed_export_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Refusal) as refusal:
        efficientnet.export(weights.path(efficientnet.WEIGHT), tmp_path / "made.onnx")
    assert refusal.value.code == "encoder.not_exported"
    assert not list(tmp_path.iterdir())


# --- CLIP -------------------------------------------------------------------------------------------------

SMALL_CLIP = {
    "embed_dim": 640,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 8, "vocab_size": 64, "width": 64, "heads": 2, "layers": 1},
}


@pytest.fixture
def small_clip(tmp_path):
    """open_clip's real classes with random weights, in a file: (name, file, model)."""
    import open_clip
    import torch

    config = tmp_path / "fitroom-small.json"
    config.write_text(json.dumps(SMALL_CLIP))
    open_clip.add_model_config(config)
    torch.manual_seed(0)
    model = open_clip.create_model("fitroom-small").eval()
    file = tmp_path / "small.pt"
    torch.save(model.state_dict(), file)
    return "fitroom-small", file, model


def test_clip_from_a_file_gives_open_clips_own_vectors(small_clip):
    import torch

    name, file, model = small_clip
    encoder = Clip(f"{name}/{file}")
    assert encoder.problem() == ""
    assert encoder.name == "clip fitroom-small small.pt"
    found = encoder.encode([image(), cut_out(RED)])
    assert found.shape == (2, 512)
    config = model.visual.preprocess_cfg
    squares = np.stack([pictures.squared(p, 32) for p in (image(), cut_out(RED))]).astype(np.float32) / 255
    batch = torch.from_numpy((squares - np.float32(config["mean"])) / np.float32(config["std"])).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = model.encode_image(batch).numpy()
    assert np.abs(found - vectors.reduced(expected)).max() < 1e-5


def test_other_weights_are_another_version(small_clip):
    import torch

    name, file, model = small_clip
    before = Clip(f"{name}/{file}").version
    state = {key: value + 1 for key, value in model.state_dict().items()}
    torch.save(state, file)
    assert Clip(f"{name}/{file}").version != before


def test_a_file_that_runs_code_is_not_opened(tmp_path, small_clip):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    file = tmp_path / "evil.pt"
    file.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    with pytest.raises(Refusal) as refusal:
        Clip(f"{small_clip[0]}/{file}").encode([image()])
    assert refusal.value.code == "encoder.not_loaded"
    assert not (tmp_path / "owned").exists()


def test_weights_of_another_model_are_refused(tmp_path, small_clip):
    import torch

    file = tmp_path / "other.pt"
    torch.save({"visual.proj": torch.zeros(3, 3)}, file)
    with pytest.raises(Refusal):
        Clip(f"{small_clip[0]}/{file}").encode([image()])


def test_registered_clip_is_loaded_from_its_folder(tmp_path, monkeypatch, small_clip):
    from safetensors.torch import save_file

    _, _, model = small_clip
    folder = tmp_path / "clip_vit_b32_laion2b"
    folder.mkdir()
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    preprocess = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": SMALL_CLIP, "preprocess_cfg": preprocess}))
    for file in list(folder.iterdir()):
        told = {"size": file.stat().st_size, "sha256": "ab" * 32}
        file.with_name(f"{file.name}.provenance.json").write_text(json.dumps(told))
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    encoder = Clip("ViT-B-32/laion2b_s34b_b79k")
    assert encoder.problem() == ""
    assert (encoder.name, encoder.version) == ("clip_vit_b32_laion2b", "1-abababababab")
    assert encoder.encode([image()]).shape == (1, 512)


# --- Which encoder ----------------------------------------------------------------------------------------


def test_the_default_is_wanted_unless_the_shop_says_otherwise(settings, small_clip):
    assert encoders.wanted().label == "EfficientNet-Lite2 with colour"
    assert encoders.problem() == ""
    name, file, _ = small_clip
    settings.RECOMMEND_CLIP = f"{name}/{file}"
    assert encoders.wanted().label == "CLIP fitroom-small"


@pytest.mark.parametrize(
    "setting, told",
    [
        ("marqo_fashion_siglip", "./dev weights fetch marqo_fashion_siglip"),
        ("ViT-B-32/laion2b_s34b_b79k", "./dev weights fetch clip_vit_b32_laion2b"),
        ("ViT-B-16//nowhere/x.pt", "neither"),
        ("nonsense", "neither"),
    ],
)
def test_missing_weights_fall_back_and_are_told(settings, tmp_path, monkeypatch, setting, told, caplog, capsys):
    settings.RECOMMEND_CLIP = setting
    source = weights.path(efficientnet.WEIGHT)
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    (tmp_path / source.name).symlink_to(source)
    encoders._say.cache_clear()
    assert encoders.wanted().name == "efficientnet_lite2"
    encoders.wanted()
    assert len(caplog.records) == 1
    assert told in caplog.text
    call_command("check")
    assert told in capsys.readouterr().err


def test_without_any_weights_colour_alone_is_left(tmp_path, monkeypatch):
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    assert encoders.wanted().name == "colour"
    assert "./dev weights fetch efficientnet_lite2" in encoders.problem()


# --- Tasks ------------------------------------------------------------------------------------------------


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
    assert max(counting.seen[0].shape[:2]) == tasks.BIG_ENOUGH


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
    call_command("embed", "--now", "--again")
    assert "2 of 2" in capsys.readouterr().out


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
