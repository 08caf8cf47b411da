"""A CLIP of more than 512 numbers is fitted to the shop's pictures: how, when, and what takes over."""

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from recommend import encoders, fit
from recommend.encoders import vectors
from recommend.encoders.clip import Clip
from recommend.encoders.fitted import Fitted
from recommend.locks import Lock
from recommend.models import Basis, Embedding, Serving
from recommend.receivers import embed_missing
from recommend.tasks import encoder_input
from shop.models import GarmentAnalysis, GarmentPicture
from tests.locks import held_elsewhere, is_free
from tests.looks import image
from tests.small_clips import SMALL_CLIP, SMALL_SIGLIP, saved
from tests.test_embeddings import stored
from tests.workers import process_environment


def spectrum(count: int, dim: int = 640, seed: int = 0) -> np.ndarray:
    """Unit rows whose directions grow weaker, about a mean that is not zero."""
    strengths = np.arange(1, dim + 1) ** -0.7
    random = np.random.RandomState(seed)
    return vectors.unit(random.standard_normal((count, dim)) * strengths + 0.5 * strengths)


# --- Arithmetic -------------------------------------------------------------------------------------------


def test_the_strongest_directions_are_kept_and_inner_products_with_them():
    rows, others = spectrum(3000), spectrum(500, seed=1)
    basis = vectors.fitted(rows)
    assert basis.shape == (640, 512)
    assert np.abs(basis.T @ basis - np.eye(512)).max() < 1e-9
    assert vectors.kept(others, basis) > 0.98 > 0.9 > vectors.kept(others, vectors.fitted(rows[:0]))
    strengths = ((rows @ basis) ** 2).sum(0)
    assert (np.diff(strengths) < 1e-3).all()
    full, short = others @ others.T, vectors.reduced(others, basis)
    assert np.abs(short @ short.T - full).max() < 0.03


@pytest.mark.parametrize("count", [1, 2, 100, 512])
def test_few_rows_are_kept_whole(count):
    rows = spectrum(count)
    basis = vectors.fitted(rows)
    assert np.abs(basis.T @ basis - np.eye(512)).max() < 1e-9
    short = vectors.reduced(rows, basis)
    assert np.abs(short @ short.T - rows @ rows.T).max() < 1e-4


def test_without_rows_the_fixed_directions_are_left():
    rows = spectrum(20)
    assert np.array_equal(vectors.reduced(rows, vectors.fitted(rows[:0])), vectors.reduced(rows))


# --- A shop's own -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> "dict[str, str]":
    """Settings of a CLIP of 640 numbers and of one of 64, each exported once for all tests."""
    folder = tmp_path_factory.mktemp("weights")
    return {
        "wide": str(saved(folder / "wide", SMALL_CLIP)),
        "narrow": str(saved(folder / "narrow", SMALL_SIGLIP)),
        "folder": str(folder),
    }


@pytest.fixture
def clip(db, models, settings, monkeypatch) -> Clip:
    monkeypatch.setenv("WEIGHTS_DIR", models["folder"])
    monkeypatch.setattr(fit, "start_if_due", lambda encoder: False)
    settings.RECOMMEND_CLIP = models["wide"]
    return encoders.clip()


def catalogue(count: int, first: int = 0) -> list[GarmentPicture]:
    """Garments in different colours, looked at by a worker in vain: they are embedded whole."""
    pictures = [stored(f"tee-{n}", (n * 37 % 256, n * 91 % 256, n * 53 % 256)) for n in range(first, first + count)]
    GarmentAnalysis.objects.update(state="failed")
    return pictures


def test_a_fit_is_another_version_and_keeps_what_was_seen(clip):
    pictures = catalogue(12)
    before = encoders.wanted()
    assert before is clip
    basis = fit.fit(clip)
    wanted = encoders.wanted()
    assert (wanted.name, wanted.label, wanted.has_words) == (clip.name, clip.label, True)
    assert (wanted.version, wanted.basis) == (f"{clip.version}-{basis.sha256[:8]}", basis)
    assert encoders.of(wanted.name, wanted.version).version == wanted.version
    assert encoders.of(clip.name, clip.version) is clip
    assert encoders.of(clip.name, f"{clip.version}-00000000") is None
    inputs = [encoder_input(picture) for picture in pictures]
    full, short = vectors.unit(clip.features(inputs)), wanted.encode(inputs)
    assert short.shape == (12, 512)
    assert np.abs(short @ short.T - full @ full.T).max() < 1e-4
    # Words go the same way: whatever of them lies among the pictures' directions is compared as before.
    words = vectors.unit(clip.word_features(["a red dress", "blue jeans"]))
    cosines, expected = wanted.encode_words(["a red dress", "blue jeans"]) @ short.T, words @ full.T
    assert np.corrcoef(cosines[0], expected[0])[0, 1] > 0.999


def test_what_a_fit_keeps_is_measured_on_other_garments(clip):
    catalogue(12)
    basis = fit.fit(clip)
    assert (basis.pictures, basis.dim) == (12, 640)
    assert 0.5 < basis.kept < 1
    garments, rows = fit.sampled(clip)
    assert basis.kept == pytest.approx(fit.kept_of_others(garments, rows), abs=1e-3)
    assert fit.kept_of_others(garments[:4], rows[:4]) is None


def test_the_merchant_fits_and_sees_what_it_keeps(clip, admin_client, capsys):
    catalogue(3)
    call_command("embed", "--now")
    call_command("embed", "--status")
    assert "512 fixed directions, not fitted to the pictures yet" in capsys.readouterr().out
    call_command("embed", "--fit")
    told = "512 of 640 directions, fitted to 3 pictures"
    assert f"CLIP wide {encoders.wanted().version}: {told}." in capsys.readouterr().out
    catalogue(9, first=3)
    call_command("embed", "--fit")
    out = capsys.readouterr().out
    assert "fitted to 12 pictures; " in out
    assert " % of other garments' squared length is kept." in out
    call_command("embed", "--now")
    assert "fitted to 12 pictures; " in admin_client.get("/admin/recommend/embedding/").content.decode()


def test_a_shop_without_pictures_keeps_the_fixed_directions(clip):
    with pytest.raises(CommandError, match="no picture yet that could be read; fixed directions serve"):
        call_command("embed", "--fit")
    assert encoders.wanted() is clip
    assert clip.encode([image()]).shape == (1, 512)


def test_a_clip_of_few_numbers_is_not_fitted(clip, settings, models):
    settings.RECOMMEND_CLIP = models["narrow"]
    catalogue(2)
    with pytest.raises(CommandError, match="CLIP narrow gives 64 numbers: all are kept"):
        call_command("embed", "--fit")
    assert not fit.due(encoders.wanted())


def test_without_a_clip_nothing_is_fitted(clip, settings):
    settings.RECOMMEND_CLIP = "none"
    with pytest.raises(CommandError, match="RECOMMEND_CLIP is none"):
        call_command("embed", "--fit")
    assert not fit.due(encoders.wanted())


def test_another_fit_takes_over_without_a_gap(clip):
    catalogue(4)
    call_command("embed", "--now")
    versions = [Serving.objects.current().version]
    for more in (4, 8):
        fit.fit(clip)
        embed_missing(None)
        served = Serving.objects.current()
        assert served.version == versions[-1] != encoders.wanted().version
        assert encoders.of(served.name, served.version).encode_words(["a dress"]).shape == (1, 512)
        call_command("embed", "--now")
        versions.append(Serving.objects.current().version)
        catalogue(4, first=more)
    assert len(set(versions)) == 3
    assert versions[0] == clip.version
    assert versions[-1] == encoders.wanted().version


def test_a_picture_without_a_direction_is_left_out(clip, monkeypatch, caplog):
    catalogue(3)
    features = Clip.features
    broken = iter([np.nan, 0.0])
    monkeypatch.setattr(Clip, "features", lambda self, given: features(self, given) * next(broken, 1.0))
    assert fit.fit(clip).pictures == 1
    assert caplog.text.count("CLIP wide gives no direction for it") == 2


def test_a_damaged_row_is_not_used_and_a_fit_mends_it(clip):
    catalogue(2)
    call_command("embed", "--now")
    basis = fit.fit(clip)
    Basis.objects.update(matrix=b"\0" * (640 * 2048))
    call_command("embed", "--now")
    assert set(Embedding.objects.of(encoders.wanted()).values_list("state", "error")) == {
        ("failed", "encoder.basis_damaged")
    }
    assert Serving.objects.current().version == clip.version
    assert fit.fit(clip) == basis  # the same pictures, the same version
    mended = encoders.wanted()
    call_command("embed", "--now", "--again")
    assert Serving.objects.current().version == mended.version


@pytest.mark.django_db
def test_the_database_refuses_a_matrix_of_another_length():
    told = {"encoder": "clip", "base": "1", "version": "1-1", "dim": 640, "sha256": "", "pictures": 1}
    with pytest.raises(IntegrityError, match="basis_is_whole"):
        Basis.objects.create(**told, matrix=b"\0" * 2048)


# --- When -------------------------------------------------------------------------------------------------


def test_it_is_due_once_and_again_when_the_catalogue_has_grown(clip, monkeypatch):
    assert not fit.due(clip)  # no picture
    catalogue(2)
    clip.encode([image()])
    assert fit.due(clip)
    stored("coming")
    assert not fit.due(clip)  # while its analysis is waited for
    GarmentAnalysis.objects.update(state="failed")
    fit.fit(clip)
    assert isinstance(encoders.wanted(), Fitted)
    assert not fit.due(encoders.wanted())
    catalogue(9, first=10)
    assert fit.due(encoders.wanted())
    monkeypatch.setattr(fit, "ENOUGH", 3)
    assert not fit.due(encoders.wanted())


def test_one_process_fits_at_a_time(transactional_db, clip, monkeypatch):
    catalogue(2)
    with held_elsewhere(Lock.FIT), pytest.raises(fit.NotFitted, match="Another process"):
        fit.fit(clip)
    sampled = fit.sampled

    def watched(given):
        assert not is_free(Lock.FIT)
        return sampled(given)

    monkeypatch.setattr(fit, "sampled", watched)
    assert fit.fit(clip) == Basis.objects.get()


def test_a_worker_has_it_fitted_by_a_process_of_its_own(transactional_db, models, settings, monkeypatch):
    settings.RECOMMEND_CLIP = models["wide"]
    environment = process_environment(
        "redis://localhost:1/0",
        DJANGO_SETTINGS_MODULE="shop.settings",
        WEIGHTS_DIR=models["folder"],
        RECOMMEND_CLIP=models["wide"],
    )
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(fit, "_process", None)
    monkeypatch.setattr(fit, "_no_sooner", 0)
    catalogue(2)
    encoders.wanted().encode([image()])
    assert fit.start_if_due(encoders.wanted())
    assert not fit.start_if_due(encoders.wanted())  # one at a time, and not every few seconds
    assert fit._process.wait(60) == 0
    assert Basis.objects.get().pictures == 2
    assert not fit.due(encoders.wanted())
