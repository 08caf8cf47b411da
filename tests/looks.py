"""Garments with known looks: published ones with vectors in a plane, and pictures with exact masks."""

import hashlib
from types import SimpleNamespace

import numpy as np

from recommend import ranking
from recommend.models import Embedding, Serving
from shop.models import Garment, GarmentPicture
from tests.pictures import tee

BLUE, RED = (40, 90, 170), (180, 40, 40)
PLAIN = SimpleNamespace(name="plain", version="1", label="Plain")


def image(colour=BLUE, **options) -> np.ndarray:
    return np.asarray(tee(colour, **options))


def cut_out(colour=BLUE, background=(10, 200, 10)) -> np.ndarray:
    """A tee with its exact mask, RGBA."""
    on_white, on_black = image(colour, background=(255, 255, 255)), image(colour, background=(0, 0, 0))
    mask = (np.abs(on_white.astype(int) - on_black).max(-1) < 30).astype(np.uint8) * 255
    picture = np.dstack([on_white, mask])
    picture[mask == 0, :3] = background
    return picture


def direction(degrees: float, dim: int = 8) -> np.ndarray:
    vector = np.zeros(dim, "<f2")
    vector[:2] = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return vector


def make(sku: str, degrees: float | None, encoder=PLAIN, **fields) -> Garment:
    """A published garment with one picture, embedded in a direction, or not at all."""
    garment = Garment.objects.create(
        **{
            "sku": sku, "title": sku, "category": "upper", "product_type": "tee", "colour": sku, "gender": "women",
            "price": 10, "published": True,
        }
        | fields
    )  # fmt: skip
    add_picture(garment, degrees, encoder)
    return garment


def add_picture(garment: Garment, degrees: float | None, encoder=PLAIN, role="flat") -> GarmentPicture:
    sha256 = hashlib.sha256(f"{garment.sku} {garment.pictures.count()}".encode()).hexdigest()
    picture = GarmentPicture.objects.create(
        garment=garment, image=f"garments/{garment.sku}.jpg", width=60, height=80, sha256=sha256, role=role
    )
    if degrees is not None:
        embed(picture, degrees, encoder)
    return picture


def embed(picture: GarmentPicture, degrees: float, encoder=PLAIN) -> Embedding:
    row = Embedding.by(encoder, picture)
    row.vector, row.state = direction(degrees).tobytes(), "done"
    row.save()
    Serving.objects.follow(encoder)
    return row


def skus(garment: Garment, k: int = 12) -> list[str]:
    return [found.garment.sku for found in ranking.similar(garment, k)]
