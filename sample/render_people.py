"""Render the sample shop's model people: python -m sample.render_people [NAME ...]

Reads sample/people.json and writes the pictures it names (768 x 1024 JPEG), two to five minutes each on two
cores. The same file and the same packages (requirements-people.txt, Python 3.11) give the same people;
only denoising may differ in the last bits between machines. Nothing is fetched, nothing else is written.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from PIL import Image

from .people_rendering import body, clothes, facial_hair, hair, scene, shading, skin

HERE = Path(__file__).parent
SIZE = (1024, 768)  # height, width
QUALITY, MAX_BYTES = 88, 200_000


def render_person(model, base, person: dict, size=SIZE, samples=20, threads=2, close_up=False) -> Image.Image:
    """One person's picture. person is an entry of people.json, model and base come from people_rendering.body."""
    spec = person["look"]
    rng = np.random.default_rng(spec["seed"])
    figure = body.build(model, base, spec)
    part = base.part("body")
    head = hair.Head(figure, part, spec["hair"].get("recession", 0.0))

    scene.new_scene()
    skin.add_body(figure, part, spec, head.scalp())
    skin.add_eyes(figure, spec["iris"])
    clothes.dress(figure, spec)

    shade = shading.hair_material(spec["hair"]["colour"], spec["hair"].get("roughness", 0.45))
    strands = hair.grow(head, spec["hair"], rng)
    shading.add_strands("hair", strands, spec["hair"].get("radius", 0.00018), shade)
    brow_shade = shading.hair_material([0.006 + 0.9 * c for c in spec["hair"]["colour"]], 0.6)
    shading.add_strands("brows", facial_hair.brows(figure, head, spec, rng), 0.0001, brow_shade)
    lash_shade = shading.hair_material((0.006, 0.005, 0.004), 0.5)
    shading.add_strands("lashes", facial_hair.lashes(figure, rng), 0.00014, lash_shade)
    if spec.get("beard_length"):
        shading.add_strands("beard", facial_hair.beard(figure, head, spec, rng), 0.00009, shade)

    scene.add_studio(figure)
    scene.add_camera(figure, float(strands[..., 2].max()), close_up)
    return scene.render(size, samples, threads, spec["seed"])


def save(picture: Image.Image, path: Path) -> None:
    """A JPEG without metadata, at a lower quality where it would pass the size limit."""
    for quality in range(QUALITY, 60, -4):
        picture.save(path, "JPEG", quality=quality, optimize=True, exif=b"")
        if path.stat().st_size <= MAX_BYTES:
            return
    raise ValueError(f"{path.name} stays over {MAX_BYTES} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="people to render (default: all)")
    parser.add_argument("--width", type=int, default=SIZE[1], help="a small width makes a quick draft")
    parser.add_argument("--samples", type=int, default=20, help="light paths per pixel")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--close-up", action="store_true", help="frame the head, to look at a face")
    parser.add_argument("--out", type=Path, default=HERE, help="folder the pictures' paths start from")
    args = parser.parse_args()

    people = json.loads((HERE / "people.json").read_text())
    unknown = set(args.names) - {p["name"] for p in people}
    if unknown:
        parser.error(f"not in people.json: {', '.join(sorted(unknown))}")
    model, base = body.load_model(), body.BaseMesh.load()
    for person in people:
        if args.names and person["name"] not in args.names:
            continue
        start = time.monotonic()
        size = (args.width * 4 // 3, args.width)
        picture = render_person(model, base, person, size, args.samples, args.threads, args.close_up)
        path = args.out / person["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        save(picture, path)
        print(f"{path} {path.stat().st_size // 1000} kB in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
