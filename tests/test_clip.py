"""CLIP from a file or a folder: its vectors are open_clip's own, and what cannot be used is told."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from preprocessing.errors import Refusal
from recommend import encoders
from recommend.encoders import pictures, vectors
from recommend.encoders.clip import AT_ONCE, WEIGHTS_FILE, Clip
from recommend.models import Serving
from recommend.receivers import embed_missing
from tests.looks import RED, cut_out, image
from tests.small_clips import SMALL_CLIP, SMALL_SIGLIP, brought, saved

TEXTS = [
    "a red summer dress",
    "Men's T-SHIRT &amp; 100% cotton!",
    "빨간 원피스 👗",
    "",
    "blue " * 400,
    "<start_of_text>",
]


def of_another_model(folder: Path) -> None:
    """Another width of pictures, and fewer word pieces than the tokenizer has."""
    file = folder / "open_clip_config.json"
    config = json.loads(file.read_text())
    config["model_cfg"]["embed_dim"] = 32
    config["model_cfg"]["text_cfg"]["vocab_size"] = 30
    file.write_text(json.dumps(config))


def of_open_clip(folder: Path, given: list[np.ndarray], texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """open_clip's own vectors of pictures and of texts, put on squares and reduced as ours are."""
    import open_clip
    import torch

    model = open_clip.create_model(f"local-dir:{folder}").eval()
    config = model.visual.preprocess_cfg
    side = config["size"][0]
    squares = np.stack([pictures.squared(picture, side) for picture in given]).astype(np.float32) / 255
    batch = torch.from_numpy((squares - np.float32(config["mean"])) / np.float32(config["std"])).permute(0, 3, 1, 2)
    with torch.inference_mode():
        seen = model.encode_image(batch).numpy()
        read = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(texts)).numpy()
    return vectors.reduced(seen), vectors.reduced(read)


@pytest.fixture(scope="module")
def shared_weights(tmp_path_factory) -> Path:
    """A weights folder with a small CLIP under a registered name, so that it is exported once for all tests."""
    weights_folder = tmp_path_factory.mktemp("weights")
    brought("clip_vit_b32_laion2b", SMALL_CLIP, weights_folder)
    return weights_folder


@pytest.fixture
def registered(shared_weights, monkeypatch) -> str:
    monkeypatch.setenv("WEIGHTS_DIR", str(shared_weights))
    return "ViT-B-32/laion2b_s34b_b79k"


@pytest.fixture
def own_weights(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("WEIGHTS_DIR", str(folder))
    return tmp_path


def assert_as_open_clip(encoder: Clip, folder: Path) -> None:
    given = [image(), cut_out(RED)]
    seen, read = encoder.encode(given), encoder.encode_words(TEXTS)
    expected_seen, expected_read = of_open_clip(folder, given, TEXTS)
    assert seen.shape == expected_seen.shape
    assert np.abs(seen - expected_seen).max() < 1e-5
    assert np.abs(read - expected_read).max() < 1e-5
    assert encoder.has_words
    assert encoder.encode_words(TEXTS[:1]).tobytes() == read[:1].tobytes()


def test_registered_clip_gives_open_clips_own_vectors(registered, shared_weights):
    encoder = Clip(registered)
    assert encoder.problem() == ""
    assert (encoder.name, encoder.version) == ("clip_vit_b32_laion2b", "2-abababababab")
    assert encoder.encode([image()]).shape == (1, 512)
    assert_as_open_clip(encoder, shared_weights / "clip_vit_b32_laion2b")


def test_siglip_from_a_folder_gives_open_clips_own_vectors(own_weights):
    folder = saved(own_weights / "mine", SMALL_SIGLIP)
    encoder = Clip(str(folder))
    assert encoder.problem() == ""
    assert (encoder.name, encoder.label, encoder.has_words) == ("clip mine", "CLIP mine", True)
    assert_as_open_clip(encoder, folder)


def test_int8_gives_nearly_the_same_vectors_under_another_version(registered):
    exact, quick = Clip(registered), Clip(registered, "int8")
    assert quick.version == f"{exact.version}-int8"
    one, other = exact.encode([image()]), quick.encode([image()])
    assert (one * other).sum() > 0.999
    assert not np.array_equal(one, other)
    assert np.array_equal(exact.encode_words(TEXTS), quick.encode_words(TEXTS))
    assert np.array_equal(quick.encode([image(RED), image()])[1:], other)  # whatever is encoded beside it


def test_pictures_together_have_the_vectors_they_have_alone(registered):
    exact = Clip(registered)
    given = [image((n * 20, 90, 170)) for n in range(AT_ONCE + 2)]
    alone = np.concatenate([exact.encode([picture]) for picture in given])
    assert np.abs(exact.encode(given) - alone).max() < 1e-6


def test_a_process_that_encodes_imports_no_torch(registered):
    Clip(registered).encode([image()])  # exports it
    program = (
        "import sys, django; django.setup()\n"
        "import numpy as np\n"
        "from recommend.encoders.clip import Clip\n"
        f"encoder = Clip({registered!r})\n"
        "encoder.encode([np.zeros((9, 9, 3), np.uint8)]); encoder.encode_words(['a dress'])\n"
        "print([name for name in ('torch', 'open_clip', 'transformers') if name in sys.modules])"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop.settings"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_model_whose_words_cannot_be_read_still_sees(own_weights):
    folder = saved(own_weights / "mine", SMALL_SIGLIP)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    encoder = Clip(str(folder))
    assert encoder.encode([image()]).shape == (1, 64)
    assert not encoder.has_words
    with pytest.raises(Refusal) as refusal:
        encoder.encode_words(["a dress"])
    assert refusal.value.code == "encoder.no_words"


def test_other_weights_are_another_version(tmp_path):
    file = tmp_path / "mine.pt"
    file.write_bytes(b"one")
    before = Clip(f"ViT-S-32-alt/{file}")
    assert (before.problem(), before.name) == ("", "clip ViT-S-32-alt mine.pt")
    version = before.version
    file.write_bytes(b"another")
    assert Clip(f"ViT-S-32-alt/{file}").version != version


def test_a_file_that_runs_code_is_not_opened(tmp_path, own_weights):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    file = tmp_path / "evil.pt"
    file.write_bytes(pickle.dumps({"state_dict": Evil()}, protocol=2))
    with pytest.raises(Refusal) as refusal:
        Clip(f"ViT-S-32-alt/{file}").encode([image()])
    assert refusal.value.code == "encoder.not_exported"
    assert "could not be loaded" in refusal.value.detail
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "harm, told",
    [
        (lambda folder: (folder / "open_clip_config.json").write_text("{"), ["open_clip_config.json cannot be read"]),
        (lambda folder: (folder / "open_clip_config.json").write_text("{}"), ["has no model_cfg"]),
        (lambda folder: os.truncate(folder / WEIGHTS_FILE, 5000), ["is not whole"]),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), ["make no tokenizer"]),
        (of_another_model, ["it is not the model", "gives the number"]),
    ],
)
def test_what_is_wrong_with_an_operators_folder_is_told_line_by_line(tmp_path, harm, told):
    from recommend.encoders.exports.check import problems

    folder = saved(tmp_path / "brought", SMALL_SIGLIP)
    assert problems(folder) == []
    harm(folder)
    found = "\n".join(problems(folder))
    for words in told:
        assert words in found


# --- Which of them is used --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_marqo_is_used_from_when_it_was_brought_and_nobody_is_told_before(only_efficientnet, settings, capsys):
    assert encoders.wanted().name == "efficientnet_lite2"
    call_command("check")
    assert capsys.readouterr().err == ""
    assert "marqo_fashion_siglip" in encoders.clip().problem()
    brought("marqo_fashion_siglip", SMALL_SIGLIP, only_efficientnet)
    assert (encoders.wanted().name, encoders.problem()) == ("marqo_fashion_siglip", "")
    unset = encoders.wanted()
    for name in ("hf-hub:Marqo/marqo-fashionSigLIP", "marqo_fashion_siglip"):
        settings.RECOMMEND_CLIP = name
        assert (encoders.wanted().name, encoders.wanted().version) == (unset.name, unset.version)
    settings.RECOMMEND_CLIP = "none"
    assert (encoders.wanted().name, encoders.problem(), encoders.clip()) == ("efficientnet_lite2", "", None)


def test_a_damaged_marqo_is_told_though_nothing_is_set(only_efficientnet):
    os.truncate(brought("marqo_fashion_siglip", SMALL_SIGLIP, only_efficientnet) / WEIGHTS_FILE, 5000)
    assert encoders.wanted().name == "efficientnet_lite2"
    assert "Marqo-FashionSigLIP cannot be used: open_clip_model.safetensors has 5000 bytes" in encoders.problem()


@pytest.mark.django_db
@pytest.mark.parametrize("given_up", ["none", ""])
def test_what_serves_is_not_given_up_because_a_worker_lacks_it(only_efficientnet, settings, caplog, given_up):
    folder = brought("marqo_fashion_siglip", SMALL_SIGLIP, only_efficientnet)
    embed_missing(None)
    assert Serving.objects.current().name == "marqo_fashion_siglip"
    folder.rename(only_efficientnet / "elsewhere")  # another worker's machine
    encoders.say.cache_clear()
    for _ in range(2):
        embed_missing(None)
    assert Serving.objects.current().name == "marqo_fashion_siglip"
    assert len([record for record in caplog.records if "serves and cannot be used here" in record.message]) == 1
    with pytest.raises(CommandError, match=r"weights fetch marqo_fashion_siglip.*--anyway"):
        call_command("embed", "--now")
    settings.RECOMMEND_CLIP = given_up
    call_command("embed", "--now", *[] if given_up else ["--anyway"])
    assert Serving.objects.current().name == "efficientnet_lite2"


@pytest.mark.django_db
def test_the_merchant_is_told_that_what_serves_is_lacking_here(only_efficientnet, admin_client):
    Serving.objects.create(name="marqo_fashion_siglip", version="1-abababababab", label="Marqo-FashionSigLIP")
    page = admin_client.get("/admin/recommend/embedding/").content.decode()
    assert "Marqo-FashionSigLIP serves and cannot be used here" in page
