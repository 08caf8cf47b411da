"""Plain clothes, cut from MakeHuman's body-tight suit and draped by Blender's cloth solver.

The cuts are made on the body at rest (arms half raised), where sleeve, hem and neckline are simple fields;
the cloth then hangs on the posed body.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
from scipy.spatial import cKDTree

from .body import Body
from .shading import Material, add_mesh
from .surface import border, clip, neighbours, normals, smooth, split

FRAMES = 22
THICKNESS = 0.0016


@dataclass
class Suit:
    """The body-tight suit, finely triangulated: posed, at rest, and each point's share of arm."""

    body: Body
    posed: np.ndarray
    rest: np.ndarray
    arm: np.ndarray
    triangles: np.ndarray

    @classmethod
    def of(cls, body: Body) -> Suit:
        part = body.base.part("helper-tights")
        fields = [body.posed[part.ids], body.rest[part.ids], body.arm_weight[part.ids]]
        fields, faces = split(fields, part.faces)
        average = neighbours(len(fields[0]), faces)
        fields = [smooth(f, average, 2, 0.4) for f in fields]
        (posed, rest, arm), faces = split(fields, faces.tolist())
        return cls(body, posed, rest, arm, np.concatenate([faces[:, [0, 1, 2]], faces[:, [0, 2, 3]]]))

    def along_arm(self) -> np.ndarray:
        """0 at the shoulder joint, 1 at the elbow; 0 off the arm."""
        share = np.zeros(len(self.rest))
        for side, sign in (("L", 1), ("R", -1)):
            start, end = (self.body.rest_joints[f"{bone}.{side}"] for bone in ("upperarm01", "lowerarm01"))
            bone, here = end - start, self.rest[:, 0] * sign > 0
            share[here] = ((self.rest[here] - start) @ bone) / (bone @ bone)
        return share * np.clip(self.arm.max(1) / 0.6, 0, 1)

    def below_neck(self, drop: float, tilt: float) -> np.ndarray:
        """Metres below a neckline plane that lies `drop` under the neck joint and tilts forward."""
        joint = self.body.rest_joints["neck01"]
        normal = np.array([0, -tilt, 1.0]) / np.hypot(tilt, 1)
        return -((self.rest - (0, joint[1], joint[2] - drop)) @ normal)


def dress(body: Body, spec: dict) -> None:
    """Put trousers and a top on the person.

    Cloth meets the smooth suit, not the skin, in whose small hollows it would catch.
    """
    suit = Suit.of(body)
    form = add_mesh("form", suit.posed, suit.triangles)
    form.hide_render = True
    _collide(form, 0.003)
    trousers = _trousers(suit, spec["bottom"])
    _drape(trousers, spec["bottom"])
    _collide(trousers, 0.003)
    top = (_tank if spec["top"]["kind"] == "tank" else _tee)(suit, spec["top"])
    _drape(top, spec["top"])
    for garment in (trousers, top):
        shell = garment.modifiers.new("thickness", "SOLIDIFY")
        shell.thickness, shell.offset = THICKNESS * 2.4, 1
        shell.vertex_group, shell.thickness_vertex_group = "edge", 0.42


def _collide(obj, thickness: float) -> None:
    obj.modifiers.new("collision", "COLLISION")
    obj.collision.thickness_outer, obj.collision.cloth_friction = thickness, 14


def _garment(suit: Suit, name: str, openings: dict, ease, material, lines: dict):
    """Clip the suit to where every opening's field is >= 0 and lift it off the body by `ease` metres.

    openings: name -> (field, thickness 0..1 of its rim, width in metres of the pinned rim, 0 for a loose one).
    The material finds each opening's name as an attribute: the distance from that rim in metres, far from it 1.
    lines are further attributes for the material.
    """
    level = np.minimum.reduce([field for field, _, _ in openings.values()])
    fields = [suit.posed, suit.rest, ease, *(field for field, _, _ in openings.values()), *lines.values()]
    (posed, rest, ease, *values), triangles = clip(fields, suit.triangles, level)
    rims, values = values[: len(openings)], values[len(openings) :]
    ends = border(triangles)
    attributes = {"rest": rest} | dict(zip(lines, values, strict=True))
    edge, pinned = np.zeros(len(rest)), np.zeros(len(rest))
    for (rim, (_, thick, pin)), field in zip(openings.items(), rims, strict=True):
        on_rim = ends[np.abs(field[ends]) < 1e-6]
        distance = np.minimum(cKDTree(rest[on_rim]).query(rest)[0], 1.0)
        attributes[rim] = distance
        edge = np.maximum(edge, thick * _near(distance, 0.018))
        if pin:
            pinned = np.maximum(pinned, _near(distance, pin))

    average = neighbours(len(posed), triangles)
    outward = smooth(normals(posed, triangles), average, 6)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    ease = ease + (0.003 - ease) * pinned
    posed = smooth(posed + outward * ease[:, None], average, 12, fixed=ends)
    obj = add_mesh(name, posed, triangles, attributes=attributes)
    for group, weights in (("pin", pinned), ("edge", edge)):
        target = obj.vertex_groups.new(name=group)
        for index, weight in enumerate(weights.clip(0, 1)):
            target.add([index], float(weight), "REPLACE")
    obj.data.materials.append(material)
    return obj


def _drape(garment, spec: dict) -> None:
    """Let the cloth settle for a moment and keep the result."""
    scene = bpy.context.scene
    modifier = garment.modifiers.new("cloth", "CLOTH")
    cloth = modifier.settings
    cloth.quality, cloth.mass, cloth.air_damping = 6, spec.get("mass", 0.25), 2
    cloth.tension_stiffness, cloth.compression_stiffness, cloth.shear_stiffness = 12, 6, 4
    cloth.bending_stiffness = spec.get("bending", 0.25)
    cloth.vertex_group_mass = "pin"
    cloth.shrink_min = cloth.shrink_max = -spec.get("looser", 0.012)
    modifier.collision_settings.distance_min = 0.002
    modifier.collision_settings.collision_quality = 3
    modifier.point_cache.frame_end = FRAMES
    scene.frame_start, scene.frame_end = 1, FRAMES
    for frame in range(1, FRAMES + 1):
        scene.frame_set(frame)
    settled = garment.evaluated_get(bpy.context.evaluated_depsgraph_get())
    points = np.zeros(len(garment.data.vertices) * 3, np.float32)
    settled.to_mesh().vertices.foreach_get("co", points)
    garment.modifiers.remove(modifier)
    garment.data.vertices.foreach_set("co", points)
    garment.data.update()
    scene.frame_set(1)


def _near(distance: np.ndarray, width: float) -> np.ndarray:
    """1 at an edge, 0 from `width` metres on."""
    return np.clip(1.5 - distance / width, 0, 1)


def _tee(suit: Suit, spec: dict):
    body, rest = suit.body, suit.rest
    arm = suit.along_arm()
    chest = body.rest_joints["upperarm01.L"][2] - 0.12
    ease = spec.get("ease", 0.005) + 0.008 * np.clip((chest - rest[:, 2]) / 0.25, 0, 1)
    ease = ease + 0.009 * np.clip(1.6 * arm, 0, 1)
    openings = {
        "collar": (suit.below_neck(spec.get("neck_drop", -0.008), spec.get("neck_tilt", 0.62)), 1.0, 0.012),
        "hem": (rest[:, 2] - body.rest_joints["upperleg01.L"][2] - spec.get("hem", 0.015), 0.6, 0),
        "cuff": (0.3 * (spec.get("sleeve", 0.6) - arm), 0.6, 0),
    }
    return _garment(suit, "top", openings, ease, _jersey(spec["colour"]), {})


def _tank(suit: Suit, spec: dict):
    body, rest = suit.body, suit.rest
    shoulder, joint = body.rest_joints["upperarm01.L"], body.rest_joints["neck01"]
    side = np.abs(rest[:, 0])
    hole = np.hypot((side - shoulder[0] + 0.002) / 0.056, (rest[:, 2] - shoulder[2] - 0.01) / 0.125) - 1
    hole = np.minimum(0.06 * hole, 0.5 - np.clip(suit.arm.max(1) / 0.6, 0, 1))
    depth = np.where(rest[:, 1] < joint[1] - 0.01, spec.get("scoop", 0.125), 0.075)
    neck = np.hypot(side / 0.080, (rest[:, 2] - joint[2] - 0.02) / depth) - 1
    neck = 0.06 * np.where(rest[:, 2] > joint[2] + 0.03, -1, neck)
    ease = 0.004 + 0.006 * np.clip((shoulder[2] - 0.2 - rest[:, 2]) / 0.2, 0, 1)
    openings = {
        "collar": (neck, 0.7, 0.008),
        "cuff": (hole, 0.7, 0.008),
        "hem": (rest[:, 2] - body.rest_joints["upperleg01.L"][2] - spec.get("hem", 0.015), 0.6, 0),
    }
    return _garment(suit, "top", openings, ease, _jersey(spec["colour"]), {})


def _trousers(suit: Suit, spec: dict):
    body, rest = suit.body, suit.rest
    hip, knee = body.rest_joints["upperleg01.L"], body.rest_joints["lowerleg01.L"]
    waist, crotch = hip[2] + 0.10, hip[2] - 0.06
    from_waist = waist - rest[:, 2]
    down_leg = np.clip((crotch + 0.04 - rest[:, 2]) / 0.30, 0, 1)
    ease = 0.004 + spec.get("width", 0.016) * down_leg
    side = np.abs(rest[:, 0])
    front = rest[:, 1] < hip[1] + 0.02
    # A slanted pocket: from the waistband down to the side seam.
    pocket = np.where(front & (from_waist < 0.19), (side - 0.085) - 0.42 * (from_waist - 0.03), 1.0)
    at_fly = front & (rest[:, 2] > crotch)
    fly = np.where(at_fly, rest[:, 0], 1.0)
    j_stitch = np.hypot(np.clip(waist - 0.10 - rest[:, 2], 0, 1), rest[:, 0])
    j_stitch = np.where(at_fly & (rest[:, 0] > 0), j_stitch, 1.0)
    seam = np.where(rest[:, 2] < crotch + 0.12, _seam_distance(suit, hip, knee), 1.0)
    lines = {"pocket": pocket, "fly": fly, "stitch": j_stitch, "seam": seam, "thigh": _thigh_wear(rest, hip, knee)}
    openings = {"waist": (from_waist, 0.5, 0.04), "ankle": (rest[:, 2] - knee[2] + 0.25, 0.5, 0)}
    return _garment(suit, "bottom", openings, ease, _twill(spec["colour"], spec.get("denim", False)), lines)


def _seam_distance(suit: Suit, hip, knee) -> np.ndarray:
    """Metres (signed) from the plane through the leg's axis where the side seams run."""
    share = np.clip((hip[2] - suit.rest[:, 2]) / (hip[2] - knee[2]), -0.2, 1.6)
    return suit.rest[:, 1] - (hip[1] + (knee[1] - hip[1]) * share) - 0.035


def _thigh_wear(rest, hip, knee) -> np.ndarray:
    """Where denim fades: the front of the thighs."""
    side = np.abs(rest[:, 0]) - (hip[0] + knee[0]) / 2
    middle = hip[2] * 0.55 + knee[2] * 0.45
    front = np.clip((hip[1] + 0.02 - rest[:, 1]) / 0.06, 0, 1)
    return np.exp(-((side / 0.05) ** 2) - ((rest[:, 2] - middle) / 0.14) ** 2) * front


def _line(m: Material, name: str, at: float, width: float):
    """1 on a line of the given width along attribute = at."""
    return m.ramp(m.math("ABSOLUTE", m.math("SUBTRACT", m.attribute(name), at)), width, width * 0.5)


def _jersey(colour):
    """Fine cotton knit, a ribbed collar, double-stitched hems."""
    m = Material("jersey")
    at = m.attribute("rest", vector=True)
    tint = m.mix(m.noise(at, 9, 5), tuple(0.90 * c for c in colour), tuple(min(1, 1.08 * c) for c in colour))
    knit = m.waves(at, 420, "X", 1.2)
    seam = _line(m, "collar", 0.018, 0.0016)
    for name in ("hem", "cuff"):
        seam = m.math("MAXIMUM", seam, m.math("MULTIPLY", _line(m, name, 0.020, 0.0013), 0.6))
    tint = m.darken(m.math("MULTIPLY", seam, 0.6), tint, 0.35)
    tint = m.darken(m.math("MULTIPLY", m.noise(at, 700, 2), 0.12), tint, 0.3)
    fine = m.bump(m.math("ADD", knit, m.noise(at, 500, 2)), 0.35, 0.0006)
    folds = m.bump(m.noise(at, 6.5, 3, 0.45), 0.45, 0.016, fine)
    m.set(Base_Color=tint, Roughness=0.88, Sheen_Weight=0.2, Specular_IOR_Level=0.2, Normal=folds)
    return m.material


def _twill(colour, denim: bool):
    """Trouser cloth; denim adds pale weft, faded thighs and contrasting stitches."""
    m = Material("twill")
    at = m.attribute("rest", vector=True)
    weave = m.waves(at, 300, "DIAGONAL", 1.5)
    pale = tuple(min(1, 0.06 + 2.2 * c) for c in colour)
    tint = m.mix(m.math("MULTIPLY", weave, 0.30 if denim else 0.06), colour, pale)
    wear = m.math("MULTIPLY", m.attribute("thigh"), m.math("ADD", m.noise(at, 12, 4), 0.35))
    tint = m.mix(m.math("MULTIPLY", wear, 0.42 if denim else 0.05), tint, pale)
    tint = m.mix(m.math("MULTIPLY", m.ramp(m.noise(at, 160, 3), 0.5, 0.8), 0.22 if denim else 0.05), tint, pale)
    groove = _line(m, "pocket", 0.0, 0.0035)
    for name, place, width in (("fly", 0.0, 0.0022), ("seam", 0.0, 0.0022)):
        groove = m.math("MAXIMUM", groove, _line(m, name, place, width))
    tint = m.darken(m.math("MULTIPLY", groove, 0.85), tint, 0.25)
    stitch = _line(m, "pocket", -0.008, 0.0014)
    for name, place in (("stitch", 0.036), ("seam", -0.008)):
        stitch = m.math("MAXIMUM", stitch, _line(m, name, place, 0.0013))
    thread = (0.36, 0.19, 0.07) if denim else tuple(0.6 * c for c in colour)
    tint = m.mix(m.math("MULTIPLY", stitch, 0.55), tint, thread)
    fine = m.bump(m.math("SUBTRACT", weave, m.math("MULTIPLY", groove, 6)), 0.4, 0.0008)
    folds = m.bump(m.noise(at, 8, 3, 0.5), 0.5, 0.016, fine)
    m.set(Base_Color=tint, Roughness=0.82, Sheen_Weight=0.15, Specular_IOR_Level=0.25, Normal=folds)
    return m.material
