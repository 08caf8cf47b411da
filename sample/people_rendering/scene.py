"""The studio: backdrop, lights, camera, and the picture that comes out."""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector
from PIL import Image, ImageFilter

from .body import Body
from .shading import Material, add_mesh

LENS_MM, SENSOR_MM = 85, 36
HEADROOM = 0.09  # metres between the crown (hair left out) and the upper edge


def new_scene() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


def add_studio(body: Body, backdrop=(0.60, 0.605, 0.62)) -> None:
    """A curved backdrop and four soft lights: key from the left, fill, rim and top."""
    bend = np.linspace(0, np.pi / 2, 17)
    profile = [(-5, 0), *zip(1.9 + 1.2 * np.sin(bend), 1.2 - 1.2 * np.cos(bend), strict=True), (3.1, 6)]
    vertices = [(x, y, z) for y, z in profile for x in (-7, 7)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(profile) - 1)]
    paper = Material("paper")
    paper.set(Roughness=0.95, Base_Color=backdrop)
    add_mesh("backdrop", vertices, faces).data.materials.append(paper.material)

    h, chest = body.height, (0, 0, body.height * 0.72)
    _add_light((-1.7, -2.6, h + 0.75), chest, 1.1, 125)
    _add_light((2.6, -2.4, h * 0.75), chest, 2.4, 32)
    _add_light((1.9, 1.3, h + 0.4), chest, 0.9, 38)
    _add_light((-1.9, 1.3, h + 0.4), chest, 0.9, 18)
    _add_light((0, 0.6, h + 2.2), (0, 2.6, 1.2), 2.2, 70)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True
    sky = world.node_tree.nodes["Background"]
    sky.inputs[0].default_value, sky.inputs[1].default_value = (0.93, 0.95, 1, 1), 0.22


def _add_light(place, target, size: float, watts: float) -> None:
    data = bpy.data.lights.new("light", "AREA")
    data.energy, data.size, data.shape = watts, size, "DISK"
    light = bpy.data.objects.new("light", data)
    light.location = place
    light.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    bpy.context.scene.collection.objects.link(light)


def add_camera(body: Body, top: float, close_up: bool = False) -> None:
    """Frame the person from above `top` (metres) to just above the knees, the camera at chest height.

    The lens is shifted rather than tilted, so that uprights stay upright and no one is seen from below.
    """
    upper = top + HEADROOM
    lower = body.eyes[2] - 0.22 if close_up else body.joints["lowerleg01.L"][2] + 0.04
    middle, half = (upper + lower) / 2, (upper - lower) / 2
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_fit, data.sensor_height = LENS_MM, "VERTICAL", SENSOR_MM
    distance = half * LENS_MM / (SENSOR_MM / 2)
    height = body.height * 0.80
    data.shift_y = (middle - height) / (2 * half)
    camera = bpy.data.objects.new("camera", data)
    camera.location = (0, body.joints["neck01"][1] - distance, height)
    camera.rotation_euler = (np.pi / 2, 0, 0)
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera


def render(size: tuple[int, int], samples: int, threads: int, seed: int) -> Image.Image:
    """The scene as an RGB picture of size (height, width), with the light grain of a sensor."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed, cycles.max_bounces = "CPU", samples, seed, 6
    cycles.use_adaptive_sampling, cycles.adaptive_threshold = True, 0.03
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_y, scene.render.resolution_x = size
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - High Contrast"
    scene.render.image_settings.file_format = "PNG"
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "render.png")
        bpy.ops.render.render(write_still=True)
        picture = Image.open(scene.render.filepath).convert("RGB")
    return _like_a_photo(picture, seed)


def _like_a_photo(picture: Image.Image, seed: int) -> Image.Image:
    sharp = picture.filter(ImageFilter.UnsharpMask(radius=1.2, percent=45, threshold=0))
    pixels = np.asarray(sharp, np.float32)
    grain = np.random.default_rng(seed).normal(0, 1.2, pixels.shape[:2])[..., None]
    return Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))
