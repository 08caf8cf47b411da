"""The maps of a person that HD engines take, each by its chosen network or by our own means.

They may take seconds each, so neither the photo check nor the preview asks for them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from preprocessing import arrays, networks
from preprocessing.networks.clothes import sees_clothes_alone, with_clothes
from preprocessing.person.body25 import body25
from preprocessing.person.densepose import densepose
from preprocessing.person.prepare import VERSION, PreparedPerson
from preprocessing.person.refocus import Crop, refocus

ROLES = ("keypoints", "parse", "densepose")


@dataclass(frozen=True)
class Maps:
    """What the try-on networks know of a person.

    Attributes:
        points: float32 (25, 3) x, y, confidence; indexed by `Body25`.
        parse: uint8 (H, W) of `Parse`.
        densepose: uint8 (H, W) of `DensePose`.
    """

    points: np.ndarray
    parse: np.ndarray
    densepose: np.ndarray


def maps(person: PreparedPerson) -> Maps:
    """The maps of a person, best a refocused one: the networks then see all of it as large as can be."""
    parse = _parse(person)
    return Maps(_points(person), parse, _densepose(replace(person, parse=parse)))


@dataclass(frozen=True)
class Frame:
    """A person as HD engines see one: the part of a photo they look at, at 1024 x 768, and its maps.

    Attributes:
        crop: where in the photo that is; `crop.to_frame(person.image)` gives the picture.
        maps: of that picture.
    """

    crop: Crop
    maps: Maps

    def to_bytes(self) -> bytes:
        crop = {name: np.asarray(value) for name, value in asdict(self.crop).items()}
        return arrays.pack(crop | asdict(self.maps))

    @classmethod
    def from_bytes(cls, data: bytes) -> Frame:
        found = arrays.unpack(data)
        crop = {field.name: found.pop(field.name).tolist() for field in fields(Crop)}
        return cls(Crop(**crop | {"photo": tuple(crop["photo"])}), Maps(**found))


def frame(person: PreparedPerson, *, whole: bool = False) -> Frame:
    """Refocus a person (see `refocus`) and make every map of what is then seen."""
    refocused = refocus(person, whole=whole)
    return Frame(refocused.crop, maps(refocused.person))


def frame_version() -> str:
    """Changes when the same photo gives another frame, so that caches are made anew."""
    chosen = networks.choices()
    return ".".join([VERSION, *(f"{role}={chosen[role].name}" for role in ROLES if role in chosen)])


def _parse(person: PreparedPerson) -> np.ndarray:
    """A network that knows every label replaces our map, one that knows clothes alone their part of it."""
    seen = networks.look("parse", person.image)
    if seen is None:
        return person.parse
    network = networks.choices()["parse"]
    return with_clothes(person.parse, seen, network) if sees_clothes_alone(network) else seen


def _points(person: PreparedPerson) -> np.ndarray:
    """Joints that the network does not see stay ours: hips below the picture's edge, for one."""
    own = body25(person.keypoints, person.image.shape[:2])
    seen = networks.look("keypoints", person.image)
    return own if seen is None else np.where(seen[:, 2:] > 0, seen, own)


def _densepose(person: PreparedPerson) -> np.ndarray:
    seen = networks.look("densepose", person.image)
    return densepose(person) if seen is None else seen
