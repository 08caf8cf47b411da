"""A catalogue from a CSV file and a folder of pictures. Run it again: what is there is changed, nothing twice."""

import csv
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.forms import modelform_factory
from PIL import Image

from preprocessing.errors import Refusal, gettext_noop
from shop.images import clean_image
from shop.models import Garment, GarmentPicture, Shape

FIELDS = [
    "sku", "title", "title_ko", "description", "description_ko", "category", "product_type", "sleeve", "length",
    "colour", "brand", "gender", "age_group", "design", "price", "sale_price", "currency",
]  # fmt: skip
NEEDED = {"sku", "title", "category", "product_type", "colour", "price"}
GarmentForm = modelform_factory(Garment, fields=FIELDS)

NOT_TEXT = gettext_noop("The file is not text in UTF-8. Save it as “CSV UTF-8” and try again.")
LANDMARKS = gettext_noop("The file landmarks.json is not right. Compare it with the example, or leave it out.")
COLUMNS_MISSING = gettext_noop("The file lacks columns that every garment needs. Compare it with the example.")


class RowError(Exception):
    """What is wrong with one row, in a sentence; the other rows go on."""


@dataclass
class Report:
    created: int = 0
    changed: int = 0
    pictures: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)  # (line of the file, sentence)


def import_csv(path: Path, folder: Path, *, publish: bool = True, dry_run: bool = False) -> Report:
    """Read `path` row by row; each row stands or falls alone.

    Columns: those of FIELDS, `sizes` ("S:3|M:0": size and stock) and `image` ("flat:tee.jpg;back:tee-back.jpg":
    files below `folder`, in order; a name without a role is flat).

    Raises:
        Refusal: import.not_text, import.columns_missing, import.landmarks, before anything is changed.
    """
    rows = read_rows(path)
    shapes = read_landmarks(folder)
    report = Report()
    for line, row in rows:
        try:
            with transaction.atomic():
                import_row(row, folder, shapes, publish=publish, report=report)
                if dry_run:
                    transaction.set_rollback(True)
        except RowError as error:
            report.errors.append((line, str(error)))
        except Refusal as refusal:
            report.errors.append((line, refusal.sentence))
    return report


def read_rows(path: Path) -> list[tuple[int, dict]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            rows = [(reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal("import.not_text", NOT_TEXT, str(error)) from error
    if missing := NEEDED - set(reader.fieldnames or []):
        raise Refusal("import.columns_missing", COLUMNS_MISSING, ", ".join(sorted(missing)))
    return rows


def import_row(row: dict, folder: Path, shapes: dict, *, publish: bool, report: Report) -> None:
    garment = Garment.objects.filter(sku=row["sku"]).first()
    given = {name: row[name] for name in FIELDS if row.get(name)}
    defaults = {name: getattr(garment or Garment(), name) for name in FIELDS}
    form = GarmentForm({**defaults, **given}, instance=garment)
    if not form.is_valid():
        raise RowError("; ".join(f"{name}: {' '.join(errors)}" for name, errors in form.errors.items()))
    sizes = parse_sizes(row.get("sizes", ""))
    pictures = []
    for role, name in parse_pictures(row.get("image", "")):
        clean = open_picture(folder, name)
        known = shapes.get(Path(name).stem) if role == GarmentPicture.Role.FLAT else None
        pictures.append((role, clean, open_shape(folder, name, clean, known) if known else None))
    form.instance.published = publish or form.instance.published
    stored = form.save()
    for position, (size, stock) in enumerate(sizes):
        stored.variants.update_or_create(size=size, defaults={"stock": stock, "position": position})
    for position, (role, clean, shape) in enumerate(pictures):
        GarmentPicture.objects.store(stored, clean, role=role, position=position, shape=shape)
    report.created += garment is None
    report.changed += garment is not None
    report.pictures += len(pictures)


def parse_sizes(text: str) -> list[tuple[str, int]]:
    sizes = []
    for part in filter(None, text.split("|")):
        match = re.fullmatch(r"\s*(.+?)\s*:\s*(\d+)\s*", part)
        if not match:
            raise RowError(f"sizes: “{part}” is not like “M:3”")
        sizes.append((match[1], int(match[2])))
    return sizes


def parse_pictures(text: str) -> list[tuple[str, str]]:
    pictures = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        role, _, name = part.rpartition(":")
        role = role or GarmentPicture.Role.FLAT
        if role not in GarmentPicture.Role.values:
            raise RowError(f"image: “{role}” is not one of {', '.join(GarmentPicture.Role.values)}")
        pictures.append((role, name))
    return pictures


def read_landmarks(folder: Path) -> dict:
    """What is known exactly of the folder's pictures, by name without ending; nothing where there is no such file."""
    path = folder / "landmarks.json"
    if not path.is_file():
        return {}
    try:
        return {name: entry for name, entry in json.loads(path.read_text("utf-8")).items() if entry["landmarks"]}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refusal("import.landmarks", LANDMARKS, repr(error)) from error


def open_shape(folder: Path, name: str, clean, known: dict) -> Shape:
    """The mask beside a picture, and its landmarks; both must be of the picture as it is stored."""
    path = (folder / name).with_suffix(".mask.png")
    if known.get("size") != [clean.height, clean.width]:
        raise RowError(
            f"landmarks.json: “{name}” is {clean.height} x {clean.width}, the landmarks are of {known['size']}"
        )
    try:
        with Image.open(path, formats=["PNG"]) as mask:
            if mask.size != (clean.width, clean.height):
                raise RowError(f"“{path.name}” has another size than its picture")
            file = io.BytesIO()
            mask.convert("L").save(file, "PNG")
    except (OSError, SyntaxError, ValueError) as error:
        raise RowError(f"“{path.name}” cannot be read: {error}") from error
    return Shape(file.getvalue(), {**known["landmarks"], "neckline": known.get("neckline") or []})


def open_picture(folder: Path, name: str):
    path = (folder / name).resolve()
    if folder.resolve() not in path.parents or not path.is_file():
        raise RowError(f"image: “{name}” is not in the folder")
    with path.open("rb") as handle:
        return clean_image(handle, keep_alpha=True, max_side=settings.PICTURE_MAX_SIDE)
