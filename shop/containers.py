"""What a JPEG, PNG or WebP file says of itself, read without decoding, and the part of it a decoder needs.

A decoder is handed only what makes pixels: no EXIF, XMP, comments, text chunks, thumbnails, second frames or bytes
after the end. So nothing in them can cost memory or time or reach the stored picture, and the size, the frames and
the scans are known before a byte is decoded.

Sources: ITU-T T.81 annex B (JPEG), ISO/IEC 15948 (PNG), RFC 9649 (WebP), Exif 2.32 section 4.6 (orientation).
"""

import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

# Segments or chunks in one file. Of the largest that is taken, in pieces of 1 kB, there are a tenth as many.
MAX_PARTS = 100_000

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP"}
PNG_ANIMATED = {b"acTL", b"fcTL", b"fdAT"}
WEBP_KEPT = {b"VP8 ", b"VP8L", b"ALPH", b"ICCP"}
WEBP_ANIMATED = {b"ANIM", b"ANMF"}
# In a VP8X header: an ICC profile and an alpha channel may follow. The flags of what is dropped are cleared.
WEBP_KEPT_FLAGS = 0b0011_0000
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

# JPEG markers that carry no length: TEM, RST0 to RST7.
BARE_MARKERS = {0x01, *range(0xD0, 0xD8)}
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
FRAME_HEADERS = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
# Tables (DHT, DAC, DQT, DNL, DRI) and frame and scan headers; of the application segments only those named below.
JPEG_KEPT = FRAME_HEADERS | {0xC4, 0xCC, 0xDB, 0xDC, 0xDD, SOS}
JPEG_KEPT_APPS = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
MARKER = re.compile(rb"\xff[\x01-\xfe]")
# In a scan's data 0xFF is followed by 0x00, by a restart marker or by another 0xFF; anything else ends the data.
END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")

ORIENTATION_TAG, SHORT = 0x0112, 3


class BrokenContainer(ValueError):
    """The file contradicts its format."""


@dataclass(frozen=True)
class Container:
    """A picture file before decoding.

    Attributes:
        format: "JPEG", "PNG" or "WEBP", by content.
        width, height: as stored, before the orientation is applied.
        orientation: EXIF's, 1 to 8; 1 when absent or absurd.
        animated: more than one frame in the sense of APNG or animated WebP.
        scans: passes over the pixels a JPEG decoder makes; 1 for the others.
        decode_bytes: memory the decoder takes at its peak, in bytes a pixel, the decoded picture included.
        data: a file of the same format with nothing but the picture in it.
    """

    format: str
    width: int
    height: int
    orientation: int
    animated: bool
    scans: int
    decode_bytes: float
    data: bytes


def is_heic(data: bytes) -> bool:
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS


def read_container(data: bytes) -> Container | None:
    """Read the file's structure. None: not a JPEG, PNG or WebP by content.

    Raises:
        BrokenContainer, struct.error: the file contradicts its format.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(data)
    if data.startswith(PNG_SIGNATURE):
        return _read_png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _read_webp(data)
    return None


def _parts() -> Iterator[None]:
    """A turn for each segment or chunk; one that never ends its turns is no honest file."""
    yield from itertools.repeat(None, MAX_PARTS)
    raise BrokenContainer(f"more than {MAX_PARTS} parts")


def _read_jpeg(data: bytes) -> Container:
    kept = [b"\xff\xd8"]
    frame = exif = None
    scans = 0
    position = 2
    for _ in _parts():
        start = MARKER.search(data, position)  # skips what is between segments, as decoders do
        if not start:
            break
        position = start.start()
        marker = data[position + 1]
        if marker == EOI:
            kept.append(b"\xff\xd9")
            break
        if marker in BARE_MARKERS:
            position += 2
            continue
        end = position + 2 + struct.unpack_from(">H", data, position + 2)[0]
        payload = data[position + 4 : end]
        if marker in FRAME_HEADERS:
            if frame:
                raise BrokenContainer("two JPEG frames")
            frame = marker, payload
        elif marker == SOS:
            scans += 1
            next_marker = END_OF_SCAN.search(data, end)
            end = next_marker.start() if next_marker else len(data)
        elif marker == 0xE1 and exif is None and payload.startswith(b"Exif\0"):
            exif = payload
        if marker in JPEG_KEPT or payload.startswith(JPEG_KEPT_APPS.get(marker, b"\xff")):
            kept.append(data[position:end])
        position = end
    if not frame or not scans:
        raise BrokenContainer("a JPEG without a picture")
    height, width = struct.unpack_from(">HH", frame[1], 1)
    decode_bytes = 4.0
    if frame[0] in PROGRESSIVE or scans > 1:
        decode_bytes += 2 * _samples_per_pixel(frame[1])  # 16 bits for each coefficient of the whole picture
    orientation = _orientation(exif) if exif else 1
    return Container("JPEG", width, height, orientation, False, scans, decode_bytes, b"".join(kept))


def _samples_per_pixel(frame: bytes) -> float:
    """1.5 for 4:2:0, 3 for 4:4:4, 4 for full CMYK; from a JPEG frame header."""
    factors = [(byte >> 4, byte & 15) for byte in frame[7::3]]
    if not factors or not all(h and v for h, v in factors):
        raise BrokenContainer("JPEG sampling factors")
    most = max(h for h, _ in factors) * max(v for _, v in factors)
    return sum(h * v for h, v in factors) / most


def _read_png(data: bytes) -> Container:
    if data[12:16] != b"IHDR":
        raise BrokenContainer("a PNG that does not begin with IHDR")
    width, height = struct.unpack_from(">II", data, 16)
    kept = [PNG_SIGNATURE]
    exif = None
    animated = profile = False
    position = len(PNG_SIGNATURE)
    for _ in _parts():
        if position + 12 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        animated = animated or kind in PNG_ANIMATED
        if kind == b"eXIf" and exif is None:
            exif = data[position + 8 : end - 4]
        if kind in PNG_KEPT and not (kind == b"iCCP" and profile):  # each one would be inflated
            kept.append(data[position:end])
            profile = profile or kind == b"iCCP"
        elif kind[0] & 0x20 == 0:
            raise BrokenContainer(f"unknown critical PNG chunk {kind!r}")
        position = end
        if kind == b"IEND":
            break
    orientation = _orientation(exif) if exif else 1
    return Container("PNG", width, height, orientation, animated, 1, 4.0, b"".join(kept))


def _read_webp(data: bytes) -> Container:
    kept = []
    size = exif = None
    animated = False
    position = 12
    end_of_file = min(len(data), 8 + struct.unpack_from("<I", data, 4)[0])
    for _ in _parts():
        if position + 8 > end_of_file:
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        payload = data[position + 8 : position + 8 + length]
        position += 8 + length + length % 2
        animated = animated or kind in WEBP_ANIMATED
        size = size or _webp_size(kind, payload)
        if kind == b"EXIF" and exif is None:
            exif = payload
        if kind == b"VP8X" and len(payload) == 10:
            payload = bytes([payload[0] & WEBP_KEPT_FLAGS]) + payload[1:]
            kept.append(_webp_chunk(kind, payload))
        elif kind in WEBP_KEPT:
            kept.append(_webp_chunk(kind, payload))
    if size is None:
        raise BrokenContainer("a WebP without a picture")
    body = b"WEBP" + b"".join(kept)
    orientation = _orientation(exif) if exif else 1
    # libwebp's animation decoder, the only one Pillow has, holds two canvases; a copy and the picture come on top.
    return Container("WEBP", *size, orientation, animated, 1, 18.0, b"RIFF" + struct.pack("<I", len(body)) + body)


def _webp_size(kind: bytes, payload: bytes) -> tuple[int, int] | None:
    """(width, height) by the chunk that names it first, as libwebp has it; None from any other chunk."""
    if kind == b"VP8X":
        return 1 + int.from_bytes(payload[4:7], "little"), 1 + int.from_bytes(payload[7:10], "little")
    if kind == b"VP8 " and payload[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", payload, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and payload[:1] == b"\x2f":
        (bits,) = struct.unpack_from("<I", payload, 1)
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None


def _webp_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _orientation(exif: bytes) -> int:
    """The first directory's orientation; 1 when it is missing or makes no sense."""
    tiff = exif[6:] if exif.startswith(b"Exif\0") else exif
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, directory)
        for entry in range(entries):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", tiff, directory + 2 + 12 * entry)
            if tag == ORIENTATION_TAG:
                return value if kind == SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
