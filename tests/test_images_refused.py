"""What `clean_image` refuses, and by which code; and that hostile files cost and do nothing else."""

import io
import random
import struct
import warnings
import zlib

import pytest
from PIL import Image

from preprocessing.errors import Refusal
from shop.images import clean_image
from tests.image_files import PHOTO, cleaned, grey_rows, jpeg_segment, packed, pixels, png, png_chunk, refused


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


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_file_of_countless_parts_is_refused(form):
    parts = {"JPEG": jpeg_segment(0xE1, b""), "PNG": png_chunk(b"tEXt", b""), "WEBP": b"JUNK" + bytes(4)}[form]
    data = packed(PHOTO, form)
    at = {"JPEG": 2, "PNG": 33, "WEBP": len(data)}[form]

    def with_parts(count):
        sent = data[:at] + parts * count + data[at:]
        return sent if form != "WEBP" else sent[:4] + struct.pack("<I", len(sent) - 8) + sent[8:]

    assert cleaned(with_parts(1000)).width == 512
    assert refused(with_parts(100_000)) == "image.broken"


def test_only_one_colour_profile_is_inflated():
    profile = png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(b"nothing"))
    bomb = png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(50_000_000), 9))
    assert cleaned(png(300, 300, grey_rows(300, 300), profile, bomb)).width == 300
