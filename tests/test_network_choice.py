"""Which network makes which map: settings, the operator's own file, label tables, and the maps that callers get."""

import os
import re
import subprocess
import sys

import pytest

from devtools import doctor
from preprocessing import networks
from preprocessing.labels import Body25, DensePose, Parse
from preprocessing.networks import DeclarationsWrong
from preprocessing.networks.declaration import DECODERS, ROLES
from preprocessing.networks.file import KEYS, read
from preprocessing.networks.known import KNOWN
from preprocessing.networks.tables import TABLES
from preprocessing.pretrained import WEIGHTS
from preprocessing.weights import REPOSITORY

SHA = "0" * 64
MINIMAL = f'[mine]\nrole = "parse"\nfile = "mine.onnx"\nsha256 = "{SHA}"\nsize = [64, 48]\ndecode = "argmax"\n'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty weights folder, nothing chosen."""
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    for name in ("NETWORKS", "NETWORKS_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def declare(folder):
    def declare(text: str):
        path = folder / "networks.toml"
        path.write_text(text)
        return path

    return declare


def wrong(path) -> list[str]:
    with pytest.raises(DeclarationsWrong) as raised:
        read(path)
    return str(raised.value).splitlines()


# --- Tables and the registry's networks -------------------------------------------------------------------


def test_the_registrys_networks_have_files_roles_and_decoders_that_exist():
    for name, network in KNOWN.items():
        assert network.name == name
        assert network.decode in DECODERS[network.role]
        assert WEIGHTS[network.weight].files[0].sha256 == network.digest
        house = ROLES[network.role]
        assert all(isinstance(label, house) for _, label in network.labels) if house else not network.labels


def test_tables_name_each_label_once_and_in_the_makers_order():
    for table in TABLES.values():
        names = [name for name, _ in table]
        assert len(set(names)) == len(names)
    assert {name: len(table) for name, table in TABLES.items()} == {
        "cihp": 20,
        "lip": 20,
        "atr": 18,
        "segformer_clothes": 18,
        "u2net_cloth_seg": 4,
        "densepose": 25,
        "body_25": 26,
    }
    assert [label for _, label in TABLES["cihp"]] == list(Parse)
    assert [label for _, label in TABLES["densepose"]] == list(DensePose)
    assert [label for _, label in TABLES["body_25"]] == [*Body25, None]


@pytest.mark.parametrize(
    ("table", "number", "name", "label"),
    [
        ("lip", 5, "Upper-clothes", Parse.UPPER),
        ("lip", 10, "Jumpsuits", Parse.DRESS),
        ("lip", 14, "Left-arm", Parse.LEFT_ARM),
        ("atr", 4, "Upper-clothes", Parse.UPPER),
        ("atr", 9, "Left-shoe", Parse.LEFT_SHOE),
        ("atr", 16, "Bag", Parse.BACKGROUND),
        ("u2net_cloth_seg", 3, "Full body", Parse.DRESS),
    ],
)
def test_labels_of_known_networks(table, number, name, label):
    assert TABLES[table][number] == (name, label)


# --- The operator's own file ------------------------------------------------------------------------------


def test_a_declaration_says_everything(declare, folder):
    path = declare(
        f"""
        [schp_lip]
        role = "parse"
        file = "schp/lip.onnx"
        sha256 = "{SHA}"
        size = [473, 473]
        fit = "letterbox"
        order = "BGR"
        mean = [0.406, 0.456, 0.485]
        std = [0.225, 0.224, 0.229]
        output = 1
        decode = "argmax"
        labels = "lip"
        seconds = 20

        [hands]
        role = "keypoints"
        weight = "modnet"
        size = [368, 368]
        divide = 256
        decode = "heatmaps"
        channels = [0, 3]
        labels = [["left", "L_WRIST"], ["right", "R_WRIST"], ["neither", "-"]]
        threshold = 0.2
        """
    )
    found = read(path)
    assert found["schp_lip"] == networks.Network(
        name="schp_lip",
        role="parse",
        size=(473, 473),
        decode="argmax",
        labels=TABLES["lip"],
        file=folder / "schp" / "lip.onnx",
        sha256=SHA,
        fit="letterbox",
        order="BGR",
        mean=(0.406, 0.456, 0.485),
        std=(0.225, 0.224, 0.229),
        output=1,
        seconds=20,
    )
    hands = found["hands"]
    assert hands.labels == (("left", Body25.L_WRIST), ("right", Body25.R_WRIST), ("neither", None))
    assert hands.path == folder / "modnet.onnx"
    assert hands.digest == WEIGHTS["modnet"].files[0].sha256
    assert (hands.channels, hands.divide, hands.threshold) == ((0, 3), 256, 0.2)


def test_everything_wrong_is_listed_at_once(declare):
    path = declare(
        f"""
        loose = 1
        [u2net]
        role = "cloth_mask"
        weight = "u2net"
        size = [320, 320]
        decode = "minmax"
        [a]
        role = "nose"
        sizes = [1, 2]
        size = [473]
        std = [1, 0, 1]
        file = "a.onnx"
        [b]
        role = "cloth_mask"
        weight = "modnet"
        size = [512, 512]
        decode = "argmax"
        [c]
        role = ["parse"]
        weight = "modnet"
        file = "c.onnx"
        sha256 = "{SHA}"
        size = [true, 4]
        decode = "argmax"
        [d]
        role = "densepose"
        weight = "modnet"
        size = [8, 8]
        decode = "labels"
        labels = "lip"
        """
    )
    lines = wrong(path)
    assert all(line.startswith("networks.toml: ") for line in lines)
    text = [line.removeprefix("networks.toml: ") for line in lines]
    assert text[0] == "loose: is not a table; write [name] and the keys below it"
    assert text[1] == "u2net: this name is taken by a network of the registry"
    assert text[2].startswith("a: 'sizes' is no key; there are role, size, ")
    assert text[3:8] == [
        "a: decode is missing: a word",
        "a: role is 'nose' instead of one of keypoints, parse, densepose, cloth_mask",
        "a: size is [473] instead of [height, width] in pixels",
        "a: std is [1, 0, 1] instead of three numbers above 0",
        "a: file and sha256 go together: `sha256sum FILE` prints it",
    ]
    assert text[8] == "b: decode is 'argmax'; for cloth_mask there are soft, sigmoid, minmax"
    assert text[9].startswith("c: role is ['parse'] instead of one of ")
    assert text[10] == "c: size is [True, 4] instead of [height, width] in pixels"
    assert text[11] == "c: either weight or file says where the network is"
    assert text[12] == "d: labels: the table lip is not one of DensePose"
    assert len(text) == 13


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ("", "labels is missing: a table's name or a list of pairs"),
        ('labels = "coco"', f"labels: no table is called 'coco'; there are {', '.join(TABLES)}"),
        ("labels = []", "labels: the table is empty"),
        ('labels = ["UPPER"]', "labels: number 0 is 'UPPER' instead of [its name there, its name here]"),
        ('labels = [["sky", "-"]]', f"labels: number 0, 'sky': '-' is none of {', '.join(Parse.__members__)}"),
        (
            'labels = [["a", "BACKGROUND"], ["b", "TROUSERS"]]',
            f"labels: number 1, 'b': 'TROUSERS' is none of {', '.join(Parse.__members__)}",
        ),
    ],
)
def test_a_label_without_a_meaning_here_is_named(declare, labels, line):
    assert wrong(declare(MINIMAL + labels)) == [f"networks.toml: mine: {line}"]


def test_a_file_that_is_no_toml(declare, folder):
    assert "networks.toml" in wrong(declare("[mine"))[0]
    assert "No such file" in wrong(folder / "elsewhere.toml")[0]


def test_the_examples_of_the_documentation_can_be_read(declare):
    page = (REPOSITORY / "docs" / "networks.md").read_text()
    whole, labels = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    found = read(declare(whole.replace("…", SHA)))
    assert {name: (network.role, len(network.labels)) for name, network in found.items()} == {
        "schp_lip": ("parse", 20),
        "segformer_clothes": ("parse", 18),
        "openpose": ("keypoints", 26),
        "densepose": ("densepose", 25),
    }
    assert read(declare(MINIMAL + labels))["mine"].labels[1] == ("shirt", Parse.UPPER)
    listed = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|(.*?)\|", page, re.MULTILINE))))
    assert set(KEYS) | set(ROLES) <= listed


# --- The settings -----------------------------------------------------------------------------------------


def test_nothing_is_chosen_by_default(declare):
    declare("[broken")  # nobody asks for it
    assert networks.choices() == {}


def test_networks_are_chosen_by_name(declare, monkeypatch):
    declare(MINIMAL + 'labels = "cihp"')
    monkeypatch.setenv("NETWORKS", " cloth_mask=u2net, parse = mine ,")
    found = networks.choices()
    assert found["cloth_mask"] is KNOWN["u2net"]
    assert found["parse"].labels == TABLES["cihp"]
    monkeypatch.setenv("NETWORKS", "parse=u2net_cloth_seg")
    assert networks.choices() == {"parse": KNOWN["u2net_cloth_seg"]}


def test_a_file_may_lie_elsewhere_and_must_then_be_there(tmp_path, monkeypatch):
    elsewhere = tmp_path / "own" / "nets.toml"
    monkeypatch.setenv("NETWORKS_FILE", str(elsewhere))
    with pytest.raises(DeclarationsWrong, match="No such file"):
        networks.choices()
    elsewhere.parent.mkdir()
    elsewhere.write_text(MINIMAL + 'labels = "cihp"')
    monkeypatch.setenv("NETWORKS", "parse=mine")
    assert networks.choices()["parse"].path == elsewhere.parent / "mine.onnx"


def test_unknown_choices_are_all_named(monkeypatch):
    monkeypatch.setenv("NETWORKS", "hair=u2net,parse=schp,parse,keypoints=u2net,cloth_mask=u2net,cloth_mask=u2net")
    with pytest.raises(DeclarationsWrong) as raised:
        networks.choices()
    assert str(raised.value).splitlines() == [
        "NETWORKS: 'hair=u2net' does not begin with one of keypoints, parse, densepose, cloth_mask and “=”",
        "NETWORKS: no network is called 'schp'; there are u2net, u2net_cloth_seg",
        "NETWORKS: no network is called ''; there are u2net, u2net_cloth_seg",
        "NETWORKS: u2net makes the cloth_mask, not the keypoints",
        "NETWORKS: cloth_mask is named twice",
    ]


START = """
import sys
import shop.settings
print(sorted({"numpy", "onnxruntime", "cv2"} & set(sys.modules)))
"""


def start(**env: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"SECRET_KEY": "x" * 50} | env
    return subprocess.run(
        [sys.executable, "-c", START], cwd=REPOSITORY, env=environment, capture_output=True, text=True
    )


def test_the_shop_starts_with_a_choice_and_imports_nothing_heavy_for_it(declare):
    declare(MINIMAL + 'labels = "cihp"')
    done = start(NETWORKS="cloth_mask=u2net,parse=mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


def test_a_wrong_choice_or_declaration_stops_the_start(declare):
    done = start(NETWORKS="parse=schp")
    assert done.returncode == 1
    assert "ImproperlyConfigured: NETWORKS: no network is called 'schp'" in done.stderr
    done = start(NETWORKS="parse=mine", NETWORKS_FILE=str(declare(MINIMAL)))
    assert "ImproperlyConfigured: networks.toml: mine: labels is missing" in done.stderr


# --- The doctor -------------------------------------------------------------------------------------------


def test_the_doctor_says_which_are_chosen_and_whether_their_files_are_there(declare, folder, monkeypatch):
    declare(MINIMAL + 'labels = "cihp"')
    assert [finding.text for finding in doctor.networks_chosen()] == ["networks: none chosen, every map is our own"]
    monkeypatch.setenv("NETWORKS", "parse=mine,cloth_mask=u2net")
    parse, mask = doctor.networks_chosen()
    assert parse.text == "parse by the network mine"
    assert parse.mend == f"the default map is used: mine.onnx is not in {folder}"
    assert "./dev weights fetch u2net" in mask.mend
    assert not parse.needed
    (folder / "mine.onnx").touch()
    assert not next(iter(doctor.networks_chosen())).mend
    monkeypatch.setenv("NETWORKS", "parse=nobody")
    (finding,) = doctor.networks_chosen()
    assert "no network is called 'nobody'" in finding.mend
    assert finding.needed
