"""Picture files for tests of uploads: packed as they come, or made byte by byte."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from skimage.data import astronaut

from preprocessing.errors import Refusal
from shop.images import CleanImage, clean_image

PHOTO = Image.fromarray(astronaut())  # 512 x 512
SCRIPT = b"<script>alert(1)</script>"


def packed(picture: Image.Image, form: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def cleaned(data: bytes, **options) -> CleanImage:
    return clean_image(io.BytesIO(data), **options)


def pixels(clean) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(clean.content))).astype(int)


def refused(data: bytes, **options) -> str:
    with pytest.raises(Refusal) as caught:
        cleaned(data, **options)
    return caught.value.code


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes, *extra: bytes, depth: int = 8, colour: int = 2) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    end = png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + end


def grey_rows(width: int, height: int) -> bytes:
    return (b"\0" + b"\x80" * 3 * width) * height


def jpeg_segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def swapped_profile() -> bytes:
    """sRGB with the red and green primaries exchanged: easy to see whether it was applied."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    at = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    profile[at[b"rXYZ"] : at[b"rXYZ"] + 4], profile[at[b"gXYZ"] : at[b"gXYZ"] + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)
