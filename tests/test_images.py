"""Every way in for a picture: what comes out is a plain upright picture, what cannot be used is refused by code."""

import hashlib
import io
import random
import struct
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from skimage.data import astronaut

from preprocessing.errors import Refusal
from shop.images import clean_image

PHOTO = Image.fromarray(astronaut())  # 512 x 512
SCRIPT = b"<script>alert(1)</script>"


def packed(picture: Image.Image, form: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def cleaned(data: bytes, **options):
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


# --- What comes out ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("form", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {"lossless": True})]
)
def test_a_photo_comes_back_as_jpeg_with_the_same_pixels(form, options):
    clean = cleaned(packed(PHOTO, form, quality=95, **options))
    assert (clean.format, clean.width, clean.height) == ("JPEG", 512, 512)
    assert clean.sha256 == hashlib.sha256(clean.content).hexdigest()
    assert np.abs(pixels(clean) - astronaut()).mean() < 3


def test_the_file_gets_a_random_name_and_the_content():
    clean = cleaned(packed(PHOTO))
    first, second = clean.as_file(), clean.as_file()
    assert first.read() == clean.content
    assert first.name != second.name
    assert len(first.name) == 36
    assert first.name.endswith(".jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation, form):
    exif = Image.Exif()
    exif[0x0112] = orientation
    sent = Image.open(io.BytesIO(packed(PHOTO.crop((0, 0, 400, 300)), form, exif=exif, quality=95)))
    expected = np.asarray(ImageOps.exif_transpose(sent).convert("RGB")).astype(int)
    clean = cleaned(packed(PHOTO.crop((0, 0, 400, 300)), form, exif=exif, quality=95))
    assert (clean.height, clean.width) == expected.shape[:2]
    assert np.abs(pixels(clean) - expected).mean() < 3


def test_metadata_profiles_comments_and_trailing_bytes_are_gone():
    exif = Image.Exif()
    exif[0x010E] = "taken by SECRETNAME"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 7.0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("payload.php", SCRIPT)
    sent = packed(PHOTO, exif=exif, icc_profile=profile, comment=SCRIPT, xmp=b"<x:xmpmeta>SECRETNAME</x:xmpmeta>")
    sent += archive.getvalue()
    for needle in (b"SECRETNAME", b"xmpmeta", SCRIPT, b"PK\x05\x06", b"ICC_PROFILE", b"Exif"):
        assert needle in sent
    clean = cleaned(sent)
    stored = Image.open(io.BytesIO(clean.content))
    assert set(stored.info) == {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert not stored.getexif()
    for needle in (b"SECRETNAME", b"xmpmeta", SCRIPT, b"PK\x05\x06", b"ICC_PROFILE", b"Exif"):
        assert needle not in clean.content
    assert not zipfile.is_zipfile(io.BytesIO(clean.content))


def test_a_kept_alpha_png_carries_no_text_or_profile():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRETNAME")
    picture = PHOTO.convert("RGBA")
    picture.putalpha(Image.new("L", PHOTO.size, 128))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = cleaned(packed(picture, "PNG", pnginfo=text, icc_profile=profile), keep_alpha=True)
    assert clean.format == "PNG"
    assert Image.open(io.BytesIO(clean.content)).info == {}
    assert np.all(pixels(clean)[..., 3] == 128)


def test_transparent_parts_turn_white_unless_alpha_is_kept():
    picture = PHOTO.convert("RGBA")
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:256] = 0
    picture.putalpha(Image.fromarray(alpha))
    flat = cleaned(packed(picture, "PNG"))
    assert flat.format == "JPEG"
    assert pixels(flat)[:240].min() > 250
    assert np.abs(pixels(flat)[272:] - astronaut()[272:]).mean() < 3
    kept = cleaned(packed(picture, "WEBP", lossless=True), keep_alpha=True, max_side=256)
    assert (kept.format, kept.width, kept.as_file().name[-4:]) == ("PNG", 256, ".png")
    assert pixels(kept)[:120, :, 3].max() == 0
    assert pixels(kept)[136:, :, 3].min() == 255


def test_an_opaque_alpha_channel_is_no_reason_for_a_png():
    assert cleaned(packed(PHOTO.convert("RGBA"), "PNG"), keep_alpha=True).format == "JPEG"


def test_palette_transparency_is_honoured():
    picture = PHOTO.quantize(16)
    transparent = picture.getpixel((5, 5))
    clean = cleaned(packed(picture, "PNG", transparency=transparent))
    where = np.asarray(picture) == transparent
    inner = np.asarray(Image.fromarray(where).convert("L").reduce(16).resize((512, 512), 0)) == 255
    assert inner.sum() > 100
    assert pixels(clean)[inner].min() > 225
    assert np.abs(pixels(clean)[~where] - np.asarray(picture.convert("RGB"))[~where]).mean() < 20


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK"])
def test_every_mode_becomes_rgb(mode):
    picture = PHOTO.convert(mode)
    clean = cleaned(packed(picture, "JPEG" if mode == "CMYK" else "PNG"))
    expected = np.asarray(picture.convert("RGB")).astype(int)
    # a JPEG of dithered dots rings; means of 8 x 8 blocks are what must agree
    blocks = np.abs(pixels(clean) - expected).reshape(64, 8, 64, 8, 3)
    signed = (pixels(clean) - expected).reshape(64, 8, 64, 8, 3).mean(axis=(1, 3))
    assert np.abs(signed).mean() < 4
    assert blocks.mean() < 16


def test_sixteen_bit_grey_is_scaled_not_clipped():
    ramp = np.linspace(0, 65535, 300 * 300).reshape(300, 300).astype(np.uint16)
    clean = cleaned(packed(Image.fromarray(ramp), "PNG"))
    assert np.abs(pixels(clean)[..., 1] - (ramp >> 8)).max() < 6


def test_sixteen_bit_colour_is_taken():
    row = b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0) * 300
    clean = cleaned(png(300, 300, row * 300, depth=16))
    assert np.abs(pixels(clean) - (255, 128, 0)).max() <= 3


def test_a_profile_is_converted_to_srgb_and_a_broken_one_ignored():
    swapped = swapped_profile()
    plain = cleaned(packed(PHOTO, quality=95))
    converted = cleaned(packed(PHOTO, quality=95, icc_profile=swapped))
    assert np.abs(pixels(converted) - pixels(plain)[..., [1, 0, 2]]).mean() < 3
    broken = cleaned(packed(PHOTO, quality=95, icc_profile=b"no profile" * 40))
    assert np.array_equal(pixels(broken), pixels(plain))


def swapped_profile() -> bytes:
    """sRGB with the red and green primaries exchanged: easy to see whether it was applied."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    at = {bytes(profile[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    profile[at[b"rXYZ"] : at[b"rXYZ"] + 4], profile[at[b"gXYZ"] : at[b"gXYZ"] + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_max_side_scales_down_and_never_up(form):
    wide = PHOTO.resize((2000, 1000))
    clean = cleaned(packed(wide, form), max_side=400)
    assert (clean.width, clean.height) == (400, 200)
    expected = np.asarray(wide.resize((400, 200), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(pixels(clean) - expected).mean() < 5
    assert cleaned(packed(PHOTO, form), max_side=4000).width == 512


def test_max_side_holds_for_a_turned_picture():
    exif = Image.Exif()
    exif[0x0112] = 6
    clean = cleaned(packed(PHOTO.resize((1000, 500)), exif=exif), max_side=400)
    assert (clean.width, clean.height) == (200, 400)


def test_of_a_multi_picture_jpeg_the_first_is_taken():
    sent = packed(PHOTO, "MPO", save_all=True, append_images=[Image.new("RGB", (512, 512), "red")])
    assert Image.open(io.BytesIO(sent)).n_frames == 2
    clean = cleaned(sent)
    assert np.abs(pixels(clean) - astronaut()).mean() < 6
    assert len(clean.content) == clean.content.index(b"\xff\xd9") + 2


# --- What is refused --------------------------------------------------------------------------------------
def test_the_limits_of_bytes(settings):
    data = packed(PHOTO)
    settings.UPLOAD_MAX_BYTES = len(data)
    assert cleaned(data).width == 512
    settings.UPLOAD_MAX_BYTES = len(data) - 1
    assert refused(data) == "image.too_many_bytes"


class Stream:
    """A body that lies about its size, cannot seek, comes in small pieces, and counts what was taken."""

    size = 10
    name = "../../etc/passwd"

    def __init__(self, length: int | None, start: bytes = b"\xff\xd8\xff"):
        self.length = length
        self.start = start
        self.taken = 0

    def read(self, count: int) -> bytes:
        count = min(count, 5000) if self.length is None else min(count, 5000, self.length - self.taken)
        part = (self.start[self.taken :] + b"\0" * count)[:count]
        self.taken += count
        return part


def test_an_endless_body_is_cut_off_whatever_size_it_claims(settings):
    stream = Stream(None)
    with pytest.raises(Refusal) as caught:
        clean_image(stream)
    assert caught.value.code == "image.too_many_bytes"
    assert stream.taken == settings.UPLOAD_MAX_BYTES + 1


def test_a_body_in_pieces_with_a_wrong_size_is_read_whole():
    data = packed(PHOTO)
    assert clean_image(Stream(len(data), data)).sha256 == cleaned(data).sha256


def test_a_file_that_was_read_before_is_read_from_its_start():
    file = io.BytesIO(packed(PHOTO))
    file.read()
    assert clean_image(file).width == 512


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "image.empty"),
        (packed(PHOTO, "GIF"), "image.format"),
        (packed(PHOTO, "TIFF"), "image.format"),
        (packed(PHOTO, "BMP"), "image.format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 600 600\n", "image.format"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image.format"),
        (b"<!doctype html><script>alert(1)</script>", "image.format"),
        (b"PK\x03\x04" + bytes(100), "image.format"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image.heic"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "image.format"),
        (b"\xff\xd8\xff", "image.broken"),
        (b"\x89PNG\r\n\x1a\n", "image.broken"),
        (b"RIFF\x04\0\0\0WEBP", "image.broken"),
    ],
)
def test_what_is_no_picture_of_ours_is_refused_by_content(data, code):
    assert refused(data) == code


@pytest.mark.parametrize(("width", "height"), [(13_000, 13_000), (2**31 - 1, 2**31 - 1), (65_000, 400), (5001, 5000)])
def test_too_many_pixels_are_refused_before_decoding(width, height):
    # only the header claims them: a decoder would call this file broken
    assert refused(png(width, height, b"")) == "image.too_many_pixels"


def test_a_jpeg_and_a_webp_that_claim_too_many_pixels():
    jpeg = bytearray(packed(PHOTO))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
    assert refused(bytes(jpeg)) == "image.too_many_pixels"
    webp = bytearray(packed(PHOTO, "WEBP", xmp=b"<x/>", lossless=True))
    assert webp[12:16] == b"VP8X"
    webp[24:30] = (16_382).to_bytes(3, "little") * 2
    assert refused(bytes(webp)) == "image.too_many_pixels"


def test_a_webp_whose_canvas_hides_a_larger_picture_is_refused():
    webp = bytearray(packed(PHOTO, "WEBP", xmp=b"<x/>", lossless=True))
    webp[24:30] = (255).to_bytes(3, "little") * 2
    assert refused(bytes(webp)) == "image.broken"


def test_formats_that_cost_more_memory_may_have_fewer_pixels(settings):
    settings.UPLOAD_MAX_PIXELS = 512 * 512
    assert cleaned(packed(PHOTO, "PNG")).width == 512
    assert refused(packed(PHOTO, "WEBP")) == "image.too_many_pixels"
    assert refused(packed(PHOTO, progressive=True, subsampling=0)) == "image.too_many_pixels"
    settings.UPLOAD_MAX_PIXELS *= 2
    assert cleaned(packed(PHOTO, "WEBP")).width == 512
    assert cleaned(packed(PHOTO, progressive=True, subsampling=0)).width == 512


def test_too_small_and_too_narrow(settings):
    assert settings.UPLOAD_MIN_SIDE == 256
    assert refused(packed(PHOTO.resize((255, 600)))) == "image.too_small"
    assert refused(packed(PHOTO), min_side=513) == "image.too_small"
    assert refused(png(1, 50_000, b"")) == "image.too_small"
    assert refused(png(1, 50_000, b""), min_side=1) == "image.too_narrow"
    assert refused(png(0, 0, b""), min_side=0) == "image.too_small"
    assert cleaned(packed(PHOTO.resize((255, 600))), min_side=200).width == 255


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_moving_pictures_are_refused(form):
    sent = packed(PHOTO, form, save_all=True, append_images=[PHOTO.transpose(0)], duration=100)
    assert refused(sent) == "image.animated"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_cut_short_is_refused(form, share):
    data = packed(PHOTO, form)
    assert refused(data[: int(len(data) * share)]) == "image.broken"


def test_a_progressive_jpeg_of_a_thousand_scans_is_refused():
    data = packed(Image.new("L", (512, 512), 90), progressive=True)
    last = data.rindex(b"\xff\xda")
    assert cleaned(data[:last] + data[last:-2] * 20 + b"\xff\xd9").width == 512
    assert refused(data[:last] + data[last:-2] * 1000 + b"\xff\xd9") == "image.broken"


def test_text_bombs_are_never_inflated_and_a_profile_bomb_is_refused():
    bomb = zlib.compress(bytes(50_000_000), 9)
    text = png_chunk(b"zTXt", b"Comment\0\0" + bomb) + png_chunk(b"iTXt", b"a\0\1\0\0\0" + bomb)
    assert cleaned(png(300, 300, grey_rows(300, 300), text * 20)).width == 300
    profile = png_chunk(b"iCCP", b"icc\0\0" + bomb)
    assert refused(png(300, 300, grey_rows(300, 300), profile)) == "image.broken"


def test_absurd_exif_costs_nothing_and_warns_of_nothing():
    entries = b"".join(struct.pack(">HHII", tag, 7, 60_000, 8) for tag in range(0x200, 0x1400))
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">H", 0x1200) + entries
    for exif in (tiff, b"MM\0*\xff\xff\xff\xff", b"II*\0", b""):
        sent = packed(PHOTO)
        sent = sent[:2] + jpeg_segment(0xE1, b"Exif\0\0" + exif) + sent[2:]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert cleaned(sent).width == 512


def test_refusals_have_sentences_that_are_translated():
    with pytest.raises(Refusal) as caught:
        cleaned(b"")
    assert caught.value.sentence.endswith(".")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_mutations_are_cleaned_or_refused_and_nothing_else(form):
    dice = random.Random(form)
    exif = Image.Exif()
    exif[0x0112] = 3
    small = PHOTO.resize((48, 40))
    sources = {
        "JPEG": [packed(small, exif=exif), packed(small.convert("CMYK"), progressive=True)],
        "PNG": [packed(small.quantize(8), "PNG", transparency=1), packed(small.convert("RGBA"), "PNG", exif=exif)],
        "WEBP": [packed(small, "WEBP", exif=exif), packed(small.convert("RGBA"), "WEBP", lossless=True)],
    }[form]
    outcomes = set()
    for _ in range(100):
        data = bytearray(dice.choice(sources))
        for _ in range(dice.randint(1, 6)):
            # headers are where parsers go wrong: half of the hits go there
            at = dice.randrange(min(len(data), 120) if dice.random() < 0.5 else len(data))
            data[at : at + dice.choice((0, 1, 1, 4))] = dice.randbytes(dice.choice((0, 1, 1, 4)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                clean = cleaned(bytes(data), min_side=1)
            except Refusal as refusal:
                outcomes.add(refusal.code)
            else:
                outcomes.add(clean.format)
                assert pixels(clean).shape == (clean.height, clean.width, 3)
    assert {"JPEG", "image.broken"} <= outcomes
