"""What comes out of `clean_image`: a plain upright picture, whatever was sent."""

import hashlib
import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin
from skimage.data import astronaut

from tests.image_files import PHOTO, SCRIPT, cleaned, packed, pixels, png, swapped_profile


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
