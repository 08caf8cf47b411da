"""Pictures that tests draw themselves."""

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from skimage import data


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> io.BytesIO:
    """As a file, rewound."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def astronaut() -> Image.Image:
    """A real person from the front, head to hips, (512, 512)."""
    return Image.fromarray(data.astronaut())


def tee(colour=(40, 90, 170), size=(800, 600), background=(236, 236, 238)) -> Image.Image:
    """A flat short-sleeved tee with a soft drop shadow; `size` is (height, width)."""
    height, width = size
    outline = [
        (0.40, 0.14), (0.46, 0.18), (0.54, 0.18), (0.60, 0.14), (0.70, 0.17), (0.90, 0.34), (0.80, 0.43),
        (0.71, 0.36), (0.71, 0.84), (0.29, 0.84), (0.29, 0.36), (0.20, 0.43), (0.10, 0.34), (0.30, 0.17),
    ]  # fmt: skip
    points = [(x * width, y * height) for x, y in outline]
    shadow = Image.new("L", (width, height), 0)
    ImageDraw.Draw(shadow).polygon([(x + 6, y + 8) for x, y in points], fill=70)
    shadow = shadow.filter(ImageFilter.GaussianBlur(8))
    image = Image.composite(
        Image.new("RGB", (width, height), (120, 120, 120)), Image.new("RGB", (width, height), background), shadow
    )
    cloth = Image.new("L", (width * 2, height * 2), 0)
    ImageDraw.Draw(cloth).polygon([(2 * x, 2 * y) for x, y in points], fill=255)
    grain = np.random.default_rng(7).normal(0, 3, (height, width, 1))
    body = np.clip(np.full((height, width, 3), colour) + grain, 0, 255).astype(np.uint8)
    image.paste(Image.fromarray(body), mask=cloth.resize((width, height), Image.Resampling.LANCZOS))
    return image
