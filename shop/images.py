"""One way in for every picture: pages, API, admin and imports call `clean_image` and store what it returns.

What comes out is made anew from pixels alone: upright, sRGB, eight bits, one frame, no metadata. What cannot be
used is refused with a sentence. Decoding happens in the calling process: `containers.py` leaves the decoder nothing
but the picture, and the limits below bound its memory and time (figures: docs/uploads.md).
"""

import hashlib
import io
import secrets
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.files.base import ContentFile
from PIL import Image, ImageCms

from preprocessing.errors import Refusal, gettext_noop
from shop.containers import Container, is_heic, read_container

EXTENSIONS = {"JPEG": ".jpg", "PNG": ".png"}
SAVE_OPTIONS = {
    # Garments are judged by their colour: no chroma subsampling.
    "JPEG": {"quality": 92, "subsampling": 0},
    "PNG": {"compress_level": 4},
}
LONGEST_BY_SHORTEST = 10
# A photo has one scan, a progressive one ten or so; each costs a pass over every pixel.
MAX_SCANS = 40
# The decoder's memory for the largest picture, in bytes a pixel: two copies of it. See Container.decode_bytes.
DECODE_BYTES = 9
READ_BYTES = 1 << 16
STRIP_ROWS = 256

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

EMPTY = gettext_noop("The file is empty. Choose a picture and try again.")
TOO_MANY_BYTES = gettext_noop("The file is too large. Save the picture smaller or as JPEG and try again.")
TOO_MANY_PIXELS = gettext_noop(
    "The picture has too many pixels. Save a smaller copy, for instance 3000 pixels on the long side, and try again."
)
TOO_SMALL = gettext_noop("The picture has too few pixels. Use a larger one, best as it came from the camera.")
TOO_NARROW = gettext_noop("The picture is a narrow strip. Use one that shows the whole, not a slice of it.")
FORMAT = gettext_noop("This is not a picture we can read. Use a JPEG, PNG or WebP file.")
HEIC = gettext_noop("This is a HEIC picture, which we cannot read. Save or share it as JPEG and upload that.")
ANIMATED = gettext_noop("This picture moves. Use a still picture, as JPEG, PNG or WebP.")
BROKEN = gettext_noop("The picture is damaged or was not fully sent. Open it, save it again and try once more.")


@dataclass(frozen=True)
class CleanImage:
    """A picture made anew: upright, sRGB, no metadata. `sha256` is the hex digest of `content`."""

    content: bytes
    format: str  # "JPEG" or "PNG"
    width: int
    height: int
    sha256: str

    def as_file(self) -> ContentFile:
        """For a FileField, under a random name: what the sender called the file never becomes a path."""
        return ContentFile(self.content, name=secrets.token_hex(16) + EXTENSIONS[self.format])


def clean_image(
    file: BinaryIO, *, min_side: int | None = None, keep_alpha: bool = False, max_side: int | None = None
) -> CleanImage:
    """Check, decode and re-encode a picture somebody sent.

    Args:
        file: anything with `read`; read from its start where it can seek. Its name, type and size are not trusted.
        min_side: least width and height in pixels, of the picture as sent; UPLOAD_MIN_SIDE when None.
        keep_alpha: a picture with transparent parts comes back as an RGBA PNG. Otherwise they turn white.
        max_side: a larger picture is scaled down until its longer side is this.

    Returns:
        CleanImage: RGB as JPEG, or RGBA as PNG.

    Raises:
        Refusal: image.empty, image.too_many_bytes, image.too_many_pixels, image.too_small, image.too_narrow,
            image.format, image.heic, image.animated, image.broken.
    """
    data = _read(file, settings.UPLOAD_MAX_BYTES)
    try:
        container = read_container(data)
        if container is None:
            raise Refusal("image.heic", HEIC) if is_heic(data) else Refusal("image.format", FORMAT)
        _check(container, settings.UPLOAD_MIN_SIDE if min_side is None else min_side)
        del data
        return _encode(_remake(container, keep_alpha, max_side))
    except (Refusal, SoftTimeLimitExceeded):
        raise
    except Exception as error:  # decoders raise whatever they like on hostile input, MemoryError included
        raise Refusal("image.broken", BROKEN, f"{type(error).__name__}: {error}"[:200]) from error


def _read(file: BinaryIO, limit: int) -> bytes:
    if hasattr(file, "seek") and getattr(file, "seekable", lambda: True)():
        file.seek(0)
    parts = []
    left = limit + 1
    while left > 0 and (part := file.read(min(left, READ_BYTES))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise Refusal("image.too_many_bytes", TOO_MANY_BYTES, f"more than {limit} bytes")
    if not parts:
        raise Refusal("image.empty", EMPTY)
    return b"".join(parts)


def _check(container: Container, min_side: int) -> None:
    """Everything that can be refused before a pixel is decoded."""
    width, height = container.width, container.height
    seen = f"{container.format} {width}x{height}, {container.scans} scans"
    if container.animated:
        raise Refusal("image.animated", ANIMATED, seen)
    pixels = width * height
    most = settings.UPLOAD_MAX_PIXELS
    if pixels > most or pixels * container.decode_bytes > most * DECODE_BYTES:
        raise Refusal("image.too_many_pixels", TOO_MANY_PIXELS, seen)
    if min(width, height) < max(min_side, 1):
        raise Refusal("image.too_small", TOO_SMALL, seen)
    if max(width, height) > LONGEST_BY_SHORTEST * min(width, height):
        raise Refusal("image.too_narrow", TOO_NARROW, seen)
    if container.scans > MAX_SCANS:
        raise Refusal("image.broken", BROKEN, seen)


def _remake(container: Container, keep_alpha: bool, max_side: int | None) -> Image.Image:
    """A new RGB or RGBA picture with the file's pixels and nothing else of it."""
    longest = max(container.width, container.height)
    scale = min(1.0, (max_side or longest) / longest)
    size = max(1, round(container.width * scale)), max(1, round(container.height * scale))
    picture = _decode(container, size)
    if picture.mode == "RGBA" and not (keep_alpha and picture.getextrema()[3][0] < 255):
        picture = _on_white(picture)
    if picture.size != size:
        mode = picture.mode
        if mode == "RGBA":  # resize would do the same, with the first picture still in memory
            picture = picture.convert("RGBa")
        picture = picture.resize(size, Image.Resampling.LANCZOS).convert(mode)
    if container.orientation in TURNS:
        picture = picture.transpose(TURNS[container.orientation])
    return picture


def _decode(container: Container, size: tuple[int, int]) -> Image.Image:
    """The whole picture in sRGB, as RGB or RGBA; a JPEG may come smaller, though never below `size`.

    It is copied strip by strip, so that two copies of it are in memory at most, whatever has to be converted.
    """
    with Image.open(io.BytesIO(container.data), formats=[container.format]) as image:
        if image.size != (container.width, container.height):
            raise ValueError(f"the decoder sees {image.size}, the header says otherwise")
        if size != image.size:
            image.draft(None, size)  # only JPEG: decodes to a half, a quarter or an eighth
        image.load()
        has_alpha = image.mode in {"LA", "PA", "RGBA"} or "transparency" in image.info
        to_srgb = _to_srgb(image)
        copy = Image.new("RGBA" if has_alpha else "RGB", image.size)
        for top in range(0, image.height, STRIP_ROWS):
            strip = image.crop((0, top, image.width, min(top + STRIP_ROWS, image.height)))
            copy.paste(_plain(strip, copy.mode, to_srgb), (0, top))
    return copy


def _to_srgb(image: Image.Image) -> ImageCms.ImageCmsTransform | None:
    """From the picture's embedded profile; None without one, or with one that is broken or fits another mode."""
    profile = image.info.get("icc_profile")
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
        fits = {"RGB": {"RGB", "RGBA", "P"}, "L": {"L", "LA"}, "CMYK": {"CMYK"}}
        if mode is None or image.mode not in fits[mode]:
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def _plain(strip: Image.Image, mode: str, to_srgb: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """The strip in `mode`, RGB or RGBA, in sRGB."""
    if strip.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion clips instead of scaling
        strip = Image.fromarray((np.asarray(strip) >> 8).astype(np.uint8))
    alpha = None
    if mode == "RGBA":
        strip = strip.convert("RGBA")
        alpha = strip.getchannel("A")
    if to_srgb:
        strip = to_srgb.apply(strip.convert(to_srgb.input_mode))
    strip = strip.convert("RGB")
    if alpha:
        strip.putalpha(alpha)
    return strip


def _on_white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGB", picture.size, "white")
    for top in range(0, picture.height, STRIP_ROWS):
        strip = picture.crop((0, top, picture.width, min(top + STRIP_ROWS, picture.height)))
        white.paste(strip, (0, top), mask=strip)
    return white


def _encode(picture: Image.Image) -> CleanImage:
    form = "PNG" if picture.mode == "RGBA" else "JPEG"
    buffer = io.BytesIO()
    picture.save(buffer, form, **SAVE_OPTIONS[form])
    content = buffer.getvalue()
    return CleanImage(content, form, *picture.size, hashlib.sha256(content).hexdigest())
