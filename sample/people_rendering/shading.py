"""Blender objects from arrays, and a small way to write node materials as expressions."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np


def add_mesh(name: str, vertices, faces, corner_uv=None, attributes: dict | None = None):
    """A smooth mesh object; attributes are (N,) or (N, 3) arrays, readable in materials by their name."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(np.asarray(vertices, float).tolist(), [], [list(map(int, f)) for f in faces])
    if corner_uv is not None:
        layer = mesh.uv_layers.new(name="UVMap")
        layer.data.foreach_set("uv", np.asarray(corner_uv, np.float32).ravel())
    for key, values in (attributes or {}).items():
        set_attribute(mesh, key, values)
    mesh.polygons.foreach_set("use_smooth", [True] * len(mesh.polygons))
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    return obj


def set_attribute(mesh, name: str, values: np.ndarray) -> None:
    kind, field = ("FLOAT_VECTOR", "vector") if values.ndim == 2 else ("FLOAT", "value")
    attribute = mesh.attributes.new(name, kind, "POINT")
    attribute.data.foreach_set(field, values.astype(np.float32).ravel())


def add_strands(name: str, points: np.ndarray, radius: float, material, tip: float = 0.3):
    """Hair curves from points (strands, points per strand, 3), thinning from the root to tip * radius."""
    count, length, _ = points.shape
    curves = bpy.data.hair_curves.new(name)
    curves.add_curves([length] * count)
    curves.attributes["position"].data.foreach_set("vector", points.astype(np.float32).ravel())
    thickness = curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")
    taper = np.linspace(radius, radius * tip, length)
    thickness.data.foreach_set("value", np.tile(taper, count).astype(np.float32))
    obj = bpy.data.objects.new(name, curves)
    bpy.context.scene.collection.objects.link(obj)
    curves.materials.append(material)
    return obj


class Material:
    """A Principled material. Values passed to the methods are numbers, colours or sockets of earlier nodes."""

    def __init__(self, name: str):
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.nodes = self.material.node_tree.nodes
        self.surface = self.nodes["Principled BSDF"]

    def set(self, **inputs) -> None:
        """Plug values into the surface; Base_Color stands for its input "Base Color"."""
        for name, value in inputs.items():
            self._plug(self.surface.inputs[name.replace("_", " ")], value)

    def _plug(self, socket, value) -> None:
        if isinstance(value, bpy.types.NodeSocket):
            self.material.node_tree.links.new(value, socket)
        elif isinstance(value, tuple | list):
            socket.default_value = tuple(value) + (1.0,) * (len(socket.default_value) - len(value))
        else:
            socket.default_value = value

    def node(self, kind: str, inputs: dict, output=0, **settings):
        node = self.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for key, value in inputs.items():
            self._plug(node.inputs[key], value)
        return node.outputs[output]

    def math(self, operation: str, *values, clamp: bool = False):
        return self.node("ShaderNodeMath", dict(enumerate(values)), operation=operation, use_clamp=clamp)

    def ramp(self, value, low: float, high: float):
        """value mapped so that low becomes 0 and high 1, clamped."""
        return self.node("ShaderNodeMapRange", {0: value, 1: low, 2: high})

    def mix(self, factor, first, second):
        return self.node("ShaderNodeMix", {0: factor, 6: first, 7: second}, output=2, data_type="RGBA")

    def darken(self, factor, colour, by: float):
        """colour times (1 - factor * (1 - by)): by = 0.5 halves it where the factor is one."""
        return self.node(
            "ShaderNodeMix",
            {0: factor, 6: colour, 7: (by, by, by)},
            output=2,
            data_type="RGBA",
            blend_type="MULTIPLY",
        )

    def noise(self, position, scale: float, detail: float = 4, roughness: float = 0.5):
        inputs = {"Vector": position, "Scale": scale, "Detail": detail, "Roughness": roughness}
        return self.node("ShaderNodeTexNoise", inputs)

    def cells(self, position, scale: float):
        return self.node("ShaderNodeTexVoronoi", {"Vector": position, "Scale": scale})

    def waves(self, position, scale: float, direction: str, distortion: float = 1.0):
        inputs = {"Vector": position, "Scale": scale, "Distortion": distortion}
        return self.node("ShaderNodeTexWave", inputs, bands_direction=direction)

    def attribute(self, name: str, vector: bool = False):
        output = "Vector" if vector else "Fac"
        return self.node("ShaderNodeAttribute", {}, output=output, attribute_name=name)

    def position(self):
        return self.node("ShaderNodeTexCoord", {}, output="Object")

    def image(self, path: Path):
        picture = bpy.data.images.load(str(path))
        picture.colorspace_settings.name = "Non-Color"
        return self.node("ShaderNodeTexImage", {}, image=picture)

    def bump(self, height, strength: float, distance: float, normal=None):
        inputs = {"Height": height, "Strength": strength, "Distance": distance}
        return self.node("ShaderNodeBump", inputs if normal is None else inputs | {"Normal": normal})


def hair_material(colour, roughness: float = 0.45):
    """Principled Hair; every strand differs a little in lightness."""
    material = bpy.data.materials.new("hair")
    material.use_nodes = True
    nodes, link = material.node_tree.nodes, material.node_tree.links.new
    nodes.clear()
    shader = nodes.new("ShaderNodeBsdfHairPrincipled")
    shader.parametrization = "COLOR"
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Radial Roughness"].default_value = roughness + 0.15
    strand, tint = nodes.new("ShaderNodeHairInfo"), nodes.new("ShaderNodeMix")
    tint.data_type = "RGBA"
    tint.inputs[6].default_value = (*(0.65 * c for c in colour), 1)
    tint.inputs[7].default_value = (*(1.45 * c for c in colour), 1)
    link(strand.outputs["Random"], tint.inputs[0])
    link(tint.outputs[2], shader.inputs["Color"])
    link(shader.outputs[0], nodes.new("ShaderNodeOutputMaterial").inputs[0])
    return material
