"""Skin, eyes: meshes with painted attributes and procedural materials (no skin photographs)."""

from __future__ import annotations

import numpy as np

from .body import TEXTURES, Body, Part
from .shading import Material, add_mesh

# Linear RGB per skin tone: two tones that noise mixes, and the colour blood adds on cheeks and lips.
TONES = {
    "fair": ((0.53, 0.33, 0.245), (0.60, 0.345, 0.25), (0.50, 0.165, 0.13)),
    "light": ((0.49, 0.295, 0.20), (0.54, 0.30, 0.195), (0.44, 0.145, 0.105)),
    "medium": ((0.37, 0.205, 0.125), (0.42, 0.215, 0.125), (0.34, 0.105, 0.075)),
    "tan": ((0.27, 0.14, 0.08), (0.32, 0.155, 0.09), (0.26, 0.08, 0.055)),
    "brown": ((0.165, 0.078, 0.043), (0.215, 0.1, 0.055), (0.17, 0.05, 0.038)),
    "deep": ((0.118, 0.055, 0.033), (0.165, 0.077, 0.045), (0.13, 0.041, 0.034)),
}


def spot(points: np.ndarray, centre, size) -> np.ndarray:
    """A soft ellipsoid: 1 at its centre, falling off as a Gaussian of the given half widths (metres)."""
    return np.exp(-(((points - centre) / np.asarray(size)) ** 2).sum(1))


def both_cheeks(points: np.ndarray, centre, size) -> np.ndarray:
    """The spot and its mirror image."""
    return spot(points, centre, size) + spot(points, np.asarray(centre) * (-1, 1, 1), size)


def add_body(body: Body, part: Part, spec: dict, scalp: np.ndarray) -> None:
    """The skin's mesh. scalp (one value a vertex, 0..1) says where hair grows and tints the skin below it."""
    points = body.posed[part.ids]
    eye, joints = body.eyes, body.joints
    half = (joints["eye.L"] - joints["eye.R"])[0] / 2

    def face(x, y, z):
        return eye + np.array([x, y, z])

    flush = both_cheeks(points, face(0.042, -0.01, -0.042), (0.022, 0.05, 0.018))
    flush += spot(points, face(0, -0.04, -0.042), (0.016, 0.022, 0.014))
    flush += 0.5 * spot(points, face(0, -0.03, -0.115), (0.02, 0.03, 0.014))
    flush += 0.7 * both_cheeks(points, face(0.075, 0.08, -0.02), (0.018, 0.03, 0.03))
    for side in ("L", "R"):
        for finger in range(2, 6):
            flush += 0.6 * spot(points, joints[f"finger{finger}-1.{side}"], (0.016,) * 3)
            flush += 0.4 * spot(points, joints[f"finger{finger}-3.{side}"], (0.012,) * 3)
        flush += 0.5 * spot(points, joints[f"lowerarm01.{side}"], (0.035,) * 3)
    around_eyes = both_cheeks(points, face(half, -0.01, -0.013), (0.018, 0.03, 0.007))
    around_eyes += 0.7 * both_cheeks(points, face(half, -0.01, 0.010), (0.017, 0.03, 0.007))
    around_eyes += 0.6 * both_cheeks(points, face(half - 0.018, -0.01, 0.0), (0.006, 0.03, 0.01))
    shine = spot(points, face(0, -0.02, 0.045), (0.04, 0.05, 0.025))
    shine += spot(points, face(0, -0.04, -0.03), (0.012, 0.03, 0.03))

    skin = add_mesh(
        "body",
        points,
        part.faces,
        part.corner_uv,
        {
            "flush": flush.clip(0, 1),
            "hollow": around_eyes.clip(0, 1),
            "shine": shine.clip(0, 1),
            "beard": beard_area(body, points) * spec.get("shadow", 0.0),
            "scalp": scalp,
        },
    )
    smooth = skin.modifiers.new("smooth", "SUBSURF")
    smooth.levels, smooth.render_levels = 0, 2
    skin.data.materials.append(_skin_material(spec))


def beard_area(body: Body, points: np.ndarray) -> np.ndarray:
    """Where a beard would grow, 0..1: jaw, chin and upper lip, fading towards cheek and throat."""
    x, y, z = (points - body.eyes).T
    x = np.abs(x)
    cheek_line = -0.050 - 0.30 * np.clip(0.055 - x, 0, 0.03)
    jaw = np.clip((cheek_line - z) / 0.014, 0, 1) * np.clip((z + 0.150) / 0.02, 0, 1)
    jaw *= np.clip((0.062 - y) / 0.02, 0, 1) * np.clip(1 - (y - 0.015) / 0.02 * (z < -0.115), 0, 1)
    sideburn = np.clip((y - 0.035) / 0.01, 0, 1) * np.clip((0.068 - y) / 0.01, 0, 1)
    sideburn *= np.clip((0.01 - z) / 0.01, 0, 1) * np.clip((z + 0.09) / 0.02, 0, 1) * (x > 0.05)
    beside_lower_lip = np.exp(-(((x - 0.018) / 0.008) ** 2) - ((z + 0.088) / 0.006) ** 2)
    return np.maximum(jaw * (1 - 0.6 * beside_lower_lip), sideburn).clip(0, 1)


def _skin_material(spec: dict):
    first, second, blood = TONES[spec["skin_tone"]]
    m = Material("skin")
    at = m.position()
    blotches = m.noise(at, 14, 5, 0.6)
    grain = m.noise(at, 160, 4, 0.6)
    colour = m.mix(m.ramp(blotches, 0.35, 0.65), first, second)
    colour = m.mix(m.math("MULTIPLY", m.ramp(grain, 0.45, 0.75), 0.28), colour, blood)
    flush = m.math("MULTIPLY", m.attribute("flush"), m.math("ADD", m.ramp(m.noise(at, 90, 5), 0.3, 0.7), 0.55))
    colour = m.mix(m.math("MULTIPLY", flush, spec.get("flush", 0.4)), colour, blood)
    colour = m.darken(m.math("MULTIPLY", m.attribute("hollow"), 0.5), colour, 0.55)
    freckles = m.ramp(m.noise(at, 310, 2), 0.66, 0.74)
    colour = m.darken(m.math("MULTIPLY", freckles, spec.get("freckles", 0.25)), colour, 0.5)
    colour = m.darken(m.ramp(m.cells(at, 26), 0.035, 0.015), colour, 0.45)  # a few moles
    hair = tuple(0.5 * c for c in spec["hair"]["colour"])
    stubble = m.math("MULTIPLY", m.attribute("beard"), m.math("ADD", m.ramp(m.noise(at, 700, 2), 0.3, 0.7), 0.45))
    colour = m.mix(stubble, colour, hair)
    colour = m.mix(m.math("MULTIPLY", m.attribute("scalp"), 0.85), colour, hair)
    lips = m.image(TEXTURES / "mpfb_lips.jpg")
    lip_colour = tuple(c * s for c, s in zip(blood, (0.95, 0.9, 0.95), strict=True))
    colour = m.mix(m.math("MULTIPLY", lips, spec.get("lips", 0.6)), colour, lip_colour)

    rough = m.math("MULTIPLY_ADD", grain, 0.22, 0.44)
    rough = m.math("SUBTRACT", rough, m.math("MULTIPLY", m.attribute("shine"), 0.09))
    rough = m.math("SUBTRACT", rough, m.math("MULTIPLY", lips, 0.1))
    pores = m.bump(m.cells(at, 620), 0.35, 0.0005)
    lines = m.bump(m.noise(at, 130, 6, 0.65), 0.30, 0.0018, pores)
    m.set(
        Base_Color=colour,
        Roughness=rough,
        Normal=lines,
        Subsurface_Weight=0.22,
        Subsurface_Radius=(1.0, 0.35, 0.2),
        Subsurface_Scale=0.004,
        Specular_IOR_Level=0.42,
    )
    return m.material


def add_eyes(body: Body, iris) -> None:
    """Both eyeballs: rings of colour around the direction the eye looks in, under a wet coat."""
    for side, bone in (("l", "eye.L"), ("r", "eye.R")):
        part = body.base.part(f"helper-{side}-eye")
        points = body.posed[part.ids]
        towards = points - (points.max(0) + points.min(0)) / 2
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        eye = add_mesh(bone, points, part.faces, attributes={"towards": towards})
        eye.modifiers.new("smooth", "SUBSURF").render_levels = 2
        eye.data.materials.append(_eye_material(iris))


def _eye_material(iris):
    m = Material("eye")
    unit = m.node("ShaderNodeVectorMath", {0: m.attribute("towards", vector=True)}, operation="NORMALIZE")
    x, z = (m.node("ShaderNodeSeparateXYZ", {0: unit}, output=axis) for axis in (0, 2))
    radius = m.math("SQRT", m.math("ADD", m.math("MULTIPLY", x, x), m.math("MULTIPLY", z, z)))
    colour = m.mix(m.ramp(radius, 0.19, 0.22), (0.003, 0.003, 0.003), iris)
    colour = m.mix(m.ramp(radius, 0.25, 0.42), colour, tuple(1.6 * c for c in iris))
    colour = m.darken(m.ramp(radius, 0.40, 0.47), colour, 0.2)
    colour = m.mix(m.ramp(radius, 0.48, 0.55), colour, (0.50, 0.46, 0.43))
    m.set(Base_Color=colour, Roughness=0.3, Coat_Weight=1.0, Coat_Roughness=0.03)
    return m.material
