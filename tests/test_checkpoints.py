"""Published checkpoints from the operator's file to a network that runs, with small networks and real files."""

import collections
import contextlib
import hashlib
import io
import os
import pickle
import subprocess
import sys
import zipfile

import pytest
import torch
from safetensors import SafetensorError

from devtools import checkpoints as importing
from devtools import doctor
from devtools import weights as command
from devtools.layout import Trouble
from preprocessing import weights as registry
from preprocessing.pretrained import WEIGHTS, Checkpoint, File, Weight
from preprocessing.weights import WeightsMissing
from tests import tiny_checkpoints
from tests.tiny_checkpoints import Condition, Image
from tryon.engines import checkpoints
from tryon.engines.checkpoints import CheckpointWrong

TINY = "tests.tiny_checkpoints"


def trained(network, seed: int = 1) -> collections.OrderedDict:
    """The state of a network that has seen something."""
    torch.manual_seed(seed)
    network = network()
    network.train()
    network(torch.randn(2, network.channels, 8, 8))
    return network.state_dict()


def saved(state, path, **options):
    torch.save(state, path, **options)
    return path


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def published(tmp_path):
    """The two files as their makers would have published them."""
    folder = tmp_path / "published"
    folder.mkdir()
    return [saved(trained(Condition), folder / "condition.pth"), saved(trained(Image), folder / "image.pth")]


@pytest.fixture
def pair(tmp_path, monkeypatch, published):
    """A weight of two files that are made from checkpoints, alone in a registry with an empty folder."""
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path / "weights"))
    files = tuple(
        File(f"{path.stem}.safetensors", made_from=Checkpoint(path.name, path.stat().st_size, sha256(path), network))
        for path, network in zip(published, (f"{TINY}:Condition", f"{TINY}:Image"), strict=True)
    )
    weight = Weight("pair", "a test", "CC-BY-NC-4.0", False, "name the authors", "Nothing is tested.", files)
    for module in (registry, command, checkpoints, doctor):
        monkeypatch.setattr(module, "WEIGHTS", {"pair": weight})
    return weight


@pytest.fixture
def at_once(monkeypatch):
    """The program that reads checkpoints, without the seconds it takes to start it."""

    def run(command, *, input, **options):
        assert command[1:] == ["-m", "tryon.engines.checkpoints"]
        said, told = io.StringIO(), io.StringIO()
        code = 0
        with monkeypatch.context() as patch, contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            patch.setattr(sys, "stdin", io.StringIO(input))
            try:
                checkpoints.main()
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 1
                told.write("" if ended.code == code else ended.code)
        return subprocess.CompletedProcess(command, code, said.getvalue(), told.getvalue())

    monkeypatch.setattr(importing.subprocess, "run", run)


def bring(*paths) -> int:
    return command.weights(["import", "pair", *map(str, paths)])


def lying() -> dict[str, bytes]:
    folder = registry.folder() / "pair"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.fixture
def refused(pair, published, at_once):
    """Bring files that are refused, before and after the right ones came in; the error."""

    def refused(*paths) -> str:
        with pytest.raises(Trouble, match="Nothing was changed") as before:
            bring(*paths)
        assert lying() == {}
        bring(*published)
        there = lying()
        with pytest.raises(Trouble):
            bring(*paths)
        assert lying() == there
        assert {path.name for path in registry.folder().iterdir()} == {"pair", "fetch.lock"}
        return str(before.value)

    return refused


# --- Bringing in --------------------------------------------------------------------------------------------


def test_published_files_come_in_and_run(pair, published, capsys):
    assert registry.missing(["pair"]) == ["pair"]
    assert bring(*published) == 0
    assert sorted(lying()) == [
        f"{name}.safetensors{more}" for name in ("condition", "image") for more in ("", ".provenance.json")
    ]
    condition, image = checkpoints.load("pair")
    for network, path in zip((condition, image), published, strict=True):
        before = torch.load(path, weights_only=True)
        assert not network.training
        assert list(network.state_dict()) == list(before)
        assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    reference = Image().eval()
    reference.load_state_dict(torch.load(published[1], weights_only=True))
    x = torch.randn(1, 3, 8, 8)
    assert torch.equal(image(x), reference(x))

    told = capsys.readouterr().out
    assert "condition.safetensors is here, made from condition.pth as it was published" in told
    assert "CC-BY-NC-4.0: NO commercial use; name the authors" in told
    assert "stay off until ALLOW_NONCOMMERCIAL_ENGINES=true" in told


def test_provenance_tells_both_hashes(pair, at_once, published):
    bring(*published)
    record = registry.provenance(pair, pair.files[0])
    lies = registry.file_path(pair, pair.files[0])
    assert (record["sha256"], record["size"]) == (sha256(lies), lies.stat().st_size)
    assert record["made_from"] == {
        "name": "condition.pth",
        "size": published[0].stat().st_size,
        "sha256": sha256(published[0]),
        "published": True,
    }
    assert record["date"]


def test_which_is_which_is_told_by_the_keys(pair, at_once, published, tmp_path):
    paths = [published[1].rename(tmp_path / "download"), published[0].rename(tmp_path / "download(1)")]
    assert bring(*paths) == 0
    condition, _ = checkpoints.load("pair")
    assert isinstance(condition, Condition)
    assert registry.provenance(pair, pair.files[0])["made_from"]["name"] == "download(1)"


def test_a_folder_that_holds_them(pair, at_once, published):
    (published[0].parent / "readme.txt").write_text("as downloaded")
    assert bring(published[0].parent) == 0
    assert registry.present("pair")


def test_a_training_of_ones_own_is_taken_and_said_to_be_one(pair, at_once, published, tmp_path, capsys):
    own = saved(trained(Image, seed=2), tmp_path / "image.pth")
    assert bring(published[0], own) == 0
    line = f"made from image.pth, which is NOT the published image.pth (a training of your own?): its keys and shapes \
fit, its sha256 is {sha256(own)}"
    assert line in capsys.readouterr().out
    assert registry.provenance(pair, pair.files[1])["made_from"]["published"] is False
    assert registry.unpublished("pair") == ["image.safetensors"]
    [finding] = [finding for finding in doctor.pretrained() if "weights pair" in finding.text]
    assert finding.text.endswith("(image.safetensors: NOT made from the published checkpoint)")
    assert not finding.mend
    command.weights(["list"])
    told = capsys.readouterr().out
    assert line in told
    assert "condition.safetensors, made from condition.pth as it was published" in told


def test_old_and_halved_forms_become_the_same_network(pair, at_once, published, tmp_path):
    state = trained(Image)
    halved = {key: value.half() for key, value in state.items()}
    for form in (
        saved(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False),
        saved(halved, tmp_path / "half.pth"),
        saved({key: torch.nn.Parameter(value) for key, value in state.items()}, tmp_path / "parameters.pth"),
    ):
        assert bring(published[0], form) == 0
        _, image = checkpoints.load("pair")
        for key, value in image.state_dict().items():
            assert value.dtype == torch.float32
            assert torch.allclose(value, state[key], atol=1e-3)


def test_the_same_checkpoint_gives_the_same_bytes(pair, at_once, published):
    bring(*published)
    first = {name: content for name, content in lying().items() if name.endswith(".safetensors")}
    bring(*published)
    assert {name: content for name, content in lying().items() if name.endswith(".safetensors")} == first


def test_tensors_that_share_memory_are_written_apart(tmp_path):
    network = torch.nn.Linear(3, 3, bias=False)
    state = {"weight": torch.zeros(1).expand(3, 3)}
    both = {"a": network.weight, "b": network.weight}
    checkpoints.save(state, network.state_dict(), tmp_path / "expanded")
    checkpoints.save(both, {"a": network.weight, "b": network.weight}, tmp_path / "shared")
    assert checkpoints.load_file(tmp_path / "expanded")["weight"].eq(0).all()
    assert torch.equal(checkpoints.load_file(tmp_path / "shared")["b"], network.weight)


def test_verify_reads_what_was_made(pair, at_once, published, capsys):
    bring(*published)
    assert command.weights(["verify", "pair"]) == 0
    lies = registry.file_path(pair, pair.files[1])
    flipped(lies)
    assert registry.present("pair")
    assert command.weights(["verify", "pair"]) == 1
    assert "image.safetensors is wrong, sha256" in capsys.readouterr().out


def test_missing_is_told_with_the_published_names(pair):
    assert "./dev weights import pair condition.pth image.pth" in WeightsMissing(["pair"]).detail
    assert pair.size == sum(file.made_from.size for file in pair.files)
    assert command.weights(["fetch", "pair"]) == 1


# --- Refusing -----------------------------------------------------------------------------------------------


def flipped(path):
    """One bit in the middle of a file is another."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path


def test_everything_that_differs_is_listed(refused, published, tmp_path):
    state = trained(Image)
    state["out.weight"] = state["out.weight"][:2]
    state["conv_0.weight_u"] = torch.zeros(8, dtype=torch.int64)
    state["out.bias"] = torch.tensor([0.0, float("nan"), 0.0])
    del state["conv_0.bias"]
    state["extra"] = torch.zeros(3)
    told = refused(saved(state, tmp_path / "wrong.pth"), published[0])
    for line in (
        "wrong.pth does not fit image, 5 differ:",
        "  conv_0.bias (8,) is missing",
        "  conv_0.weight_u holds torch.int64 instead of torch.float32",
        "  out.weight is (2, 8, 1, 1) instead of (3, 8, 1, 1)",
        "  out.bias has values that are infinite or not a number",
        "  extra is not part of the network",
        "As published, image.pth has",
    ):
        assert line in told


def test_both_files_are_told_at_once(refused, tmp_path):
    (tmp_path / "page.pth").write_bytes(b"<!DOCTYPE html><html>Too many users have viewed this file</html>")
    state = trained(Condition)
    state["out.bias"][0] = float("inf")
    told = refused(tmp_path / "page.pth", saved(state, tmp_path / "endless.pth"))
    assert "page.pth (64 bytes) is not a checkpoint" in told
    assert "out.bias has values that are infinite" in told


class Evil:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("form", ["zip", "old", "bare"])
def test_a_pickle_that_would_run_code_runs_none(refused, published, tmp_path, form):
    target = tmp_path / "it ran"
    state = trained(Image) | {"extra": Evil(target)}
    path = tmp_path / "evil.pth"
    if form == "bare":
        path.write_bytes(pickle.dumps(Evil(target), protocol=2))
    else:
        saved(state, path, _use_new_zipfile_serialization=form == "zip")
    told = refused(path, published[0])
    assert "could run code (posix.mkdir)" in told
    assert "weights_only" not in told, "torch's own advice is to run it"
    assert not target.exists()


def test_a_whole_pickled_network_is_not_opened(refused, published, tmp_path):
    network = Image()
    torch.nn.utils.remove_spectral_norm(network.conv_0)
    assert "could run code (tests.tiny_checkpoints.Image)" in refused(
        saved(network, tmp_path / "network.pth"), published[0]
    )


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_is_cut_short(refused, published, tmp_path, old, share):
    whole = saved(trained(Image), tmp_path / "cut.pth", _use_new_zipfile_serialization=not old)
    whole.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
    told = refused(published[0], whole)
    assert "is cut short, damaged or not a checkpoint" in told
    assert f"({whole.stat().st_size} bytes)" in told


def test_a_changed_bit_is_found_by_the_checksum(refused, published, tmp_path):
    path = saved(trained(Image), tmp_path / "image.pth")
    content = path.read_bytes()
    weight = trained(Image)["conv_0.weight_orig"].numpy().tobytes()
    at = content.index(weight) + 5
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert "is damaged" in refused(published[0], path)


def test_what_is_not_plain_tensors_by_name(refused, published, tmp_path):
    state = trained(Image)
    state["out.bias"] = [0.0, 0.0, 0.0]
    state["out.weight"] = torch.empty(3, 8, 1, 1, device="meta")
    state["conv_0.bias"] = torch.zeros(8).to_sparse()
    told = refused(published[0], saved(state, tmp_path / "odd.pth"))
    for key in ("out.bias", "out.weight", "conv_0.bias"):
        assert f"{key} is not a plain tensor" in told


def test_what_has_no_names(refused, published, tmp_path):
    assert "holds a list, not tensors by name" in refused(published[0], saved([1, 2], tmp_path / "list.pth"))


def test_a_checkpoint_of_another_network(refused, published, tmp_path):
    other = saved(torch.nn.BatchNorm1d(3).state_dict(), tmp_path / "other.pth")
    assert "is of another network: it shares none of its 5 keys (weight, bias, running_mean, …)" in refused(
        other, published[0]
    )


def test_the_same_network_twice(refused, published, tmp_path):
    second = saved(trained(Condition, seed=2), tmp_path / "second.pth")
    assert f"{second} and {published[0]} are both condition" in refused(published[0], second)


def test_names_that_would_write_on_the_terminal_are_shown_harmless(refused, published, tmp_path):
    state = trained(Image) | {"\x1b[2Jgone": torch.zeros(1)}
    told = refused(published[0], saved(state, tmp_path / "rude.pth"))
    assert "\x1b" not in told
    assert r"'\x1b[2Jgone' is not part of the network" in told


def test_a_size_that_is_not_there(refused, published, tmp_path):
    """A tensor that claims more values than its file holds."""
    path = saved(trained(Image), tmp_path / "image.pth")
    buffer = io.BytesIO()
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(buffer, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, b"" if name.endswith("/data/0") else content)
    path.write_bytes(buffer.getvalue())
    refused(published[0], path)


def test_the_same_file_named_twice_counts_once(pair, at_once, published):
    assert bring(published[0], *published) == 0


@pytest.mark.parametrize("given", [0, 1, 3])
def test_as_many_files_as_it_takes(pair, published, tmp_path, given):
    paths = [*published, saved(trained(Image, seed=2), tmp_path / "third.pth")][:given] or [tmp_path]
    with pytest.raises(Trouble, match=rf"pair needs 2 files \(condition.pth, image.pth\); {given} were given"):
        bring(*paths)


def test_a_path_that_does_not_exist(pair, published, tmp_path):
    with pytest.raises(Trouble, match="does not exist"):
        bring(published[0], tmp_path / "absent.pth")


def test_what_would_run_code_is_refused_by_the_program_too(pair, published, tmp_path):
    evil = saved(trained(Image) | {"extra": Evil(tmp_path / "it ran")}, tmp_path / "evil.pth")
    with pytest.raises(Trouble, match=r"evil\.pth \(\d+ bytes\) could run code(.|\n)*Nothing was changed"):
        bring(published[0], evil)
    assert lying() == {}
    assert not (tmp_path / "it ran").exists()


def test_a_program_that_is_killed_changes_nothing(pair, published, monkeypatch):
    killed = subprocess.CompletedProcess([], -9, "", "")
    monkeypatch.setattr(importing.subprocess, "run", lambda *arguments, **options: killed)
    with pytest.raises(Trouble, match=r"ended with -9; was there memory enough\?"):
        bring(*published)
    assert lying() == {}


def test_what_cannot_be_written_is_not_called_the_files_fault(pair, at_once, published, monkeypatch):
    def full(tensors, target, metadata):
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(Trouble, match=r"could not be written to .*: No space left on device\nNothing was changed"):
        bring(*published)
    assert lying() == {}


def test_too_little_memory_is_told_from_a_damaged_file():
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert checkpoints.reason(error.value) == "needs more memory than there is"


def test_files_are_read_by_the_torch_the_project_names(monkeypatch):
    """Ours here; in another Python, whatever torch that has, .venv's."""
    monkeypatch.setattr(importing, "prepare", lambda: None)
    assert importing.python_with_torch() == sys.executable
    monkeypatch.setattr(importing.importlib.metadata, "version", lambda package: "1.13.1+cu117")
    assert importing.python_with_torch() == str(importing.PYTHON)


# --- Loading ------------------------------------------------------------------------------------------------


def test_missing_weights_load_no_network(pair):
    with pytest.raises(WeightsMissing):
        checkpoints.load("pair")


def test_a_file_changed_after_it_came_in_is_not_loaded(pair, at_once, published):
    bring(*published)
    path = flipped(registry.file_path(pair, pair.files[0]))
    with pytest.raises(CheckpointWrong, match=f"has the sha256 {sha256(path)} instead of"):
        checkpoints.load("pair")


def test_a_file_put_there_by_hand_is_not_loaded(pair, tmp_path):
    for file, network in zip(pair.files, (Condition, Image), strict=True):
        path = registry.file_path(pair, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        checkpoints.save_file(trained(network), path)
    with pytest.raises(WeightsMissing, match="not brought in"):
        checkpoints.load("pair")


def test_loading_lists_what_differs(tmp_path):
    state = trained(Image)
    del state["conv_0.bias"]
    state["extra"] = torch.zeros(1)
    checkpoints.save_file(state, tmp_path / "image.safetensors")
    with pytest.raises(CheckpointWrong) as wrong:
        checkpoints.load_network(Image(), tmp_path / "image.safetensors")
    assert "conv_0.bias (8,) is missing" in wrong.value.detail
    assert "extra is not part of the network" in wrong.value.detail
    assert "conv_0" not in wrong.value.sentence


def test_no_network_is_left_with_a_value_from_nowhere(tmp_path):
    checkpoints.save_file(tiny_checkpoints.Forgetful().state_dict(), tmp_path / "forgetful.safetensors")
    empty = checkpoints.build(f"{TINY}:Forgetful")
    with pytest.raises(CheckpointWrong, match="grid has no value in it"):
        checkpoints.load_network(empty, tmp_path / "forgetful.safetensors")


def test_a_network_without_values_cannot_run():
    network = checkpoints.build(f"{TINY}:Condition")
    assert all(tensor.is_meta for tensor in network.state_dict().values())
    with pytest.raises(RuntimeError, match="meta"):
        network(torch.zeros(1, 4, 8, 8))


# --- The published ones ---------------------------------------------------------------------------------------

# sha256 of the sorted lines "key shape" of the published files, one a line.
PUBLISHED_KEYS = {
    "mtviton.pth": (262, "5cd2e0b5671d8516931eba6d49e8dfd5dcfd317639eadaf2be56f1a9743bc5d3"),
    "gen.pth": (264, "c411a94de3f4015734bc6e921b6e3cc6e83e85adc2ce6b71a84c8dc63fb77494"),
}


@pytest.mark.parametrize("checkpoint", PUBLISHED_KEYS)
def test_networks_have_the_keys_and_shapes_of_the_published_files(checkpoint):
    [network] = {
        file.made_from.network
        for weight in WEIGHTS.values()
        for file in weight.files
        if file.made_from and file.made_from.name == checkpoint
    }
    state = checkpoints.build(network).state_dict()
    lines = sorted(f"{key} {tuple(tensor.shape)}" for key, tensor in state.items())
    assert (len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()) == PUBLISHED_KEYS[checkpoint]
