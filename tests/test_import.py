"""A catalogue from a CSV file and a folder."""

import csv
import json

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from preprocessing.errors import Refusal
from shop.imports import import_csv
from shop.models import Garment, GarmentPicture
from tests.pictures import encoded, tee

pytestmark = pytest.mark.django_db

ROW = {
    "sku": "T-1", "title": "Tee", "title_ko": "티셔츠", "category": "upper", "product_type": "t-shirt",
    "sleeve": "short", "colour": "white", "price": "20.00", "sale_price": "",
    "sizes": "S:3|M:0", "image": "flat:tee.jpg",
}  # fmt: skip


@pytest.fixture
def shop_folder(tmp_path):
    (tmp_path / "tee.jpg").write_bytes(encoded(tee()).read())
    return tmp_path


def write(folder, *rows, encoding="utf-8"):
    path = folder / "catalogue.csv"
    with path.open("w", encoding=encoding, newline="") as handle:
        writer = csv.DictWriter(handle, ROW)
        writer.writeheader()
        writer.writerows([ROW | row for row in rows])
    return path


def test_a_row_becomes_a_garment_with_sizes_and_picture(shop_folder):
    report = import_csv(write(shop_folder, {}, encoding="utf-8-sig"), shop_folder)
    assert (report.created, report.changed, report.pictures, report.errors) == (1, 0, 1, [])
    garment = Garment.objects.get()
    assert garment.title_ko == "티셔츠" and garment.published
    assert list(garment.variants.values_list("size", "stock")) == [("S", 3), ("M", 0)]
    assert garment.flat.role == "flat"


def test_run_again_it_changes_what_the_file_says_and_doubles_nothing(shop_folder):
    import_csv(write(shop_folder, {}), shop_folder)
    report = import_csv(write(shop_folder, {"price": "18.00", "title_ko": ""}), shop_folder)
    assert (report.created, report.changed) == (0, 1)
    garment = Garment.objects.get()
    assert str(garment.price) == "18.00"
    assert garment.title_ko == "티셔츠"
    assert GarmentPicture.objects.count() == 1


def test_each_row_stands_or_falls_alone(shop_folder):
    wrong = [
        {"sku": "W-1", "category": "hat"},
        {"sku": "W-2", "price": "cheap"},
        {"sku": "W-3", "sizes": "S3"},
        {"sku": "W-4", "image": "flat:not-there.jpg"},
        {"sku": "W-5", "image": "flat:../../etc/passwd"},
        {"sku": "W-6", "image": "sideways:tee.jpg"},
        {"sku": "W-7", "sale_price": "99"},
        {"sku": "bad sku"},
        {"sku": ""},
        {"sku": "W-8", "image": "flat:catalogue.csv"},
    ]
    path = write(shop_folder, {}, *wrong, {"sku": "T-2"})
    report = import_csv(path, shop_folder)
    assert [line for line, _ in report.errors] == list(range(3, 3 + len(wrong)))
    assert all(sentence for _, sentence in report.errors)
    assert set(Garment.objects.values_list("sku", flat=True)) == {"T-1", "T-2"}


def test_a_dry_run_changes_nothing(shop_folder):
    path = write(shop_folder, {})
    assert import_csv(path, shop_folder, dry_run=True).created == 1
    assert not Garment.objects.exists()


def test_a_file_that_is_no_catalogue_is_refused_whole(tmp_path):
    path = tmp_path / "catalogue.csv"
    path.write_bytes("sku,title\nT,셔츠".encode("cp949"))
    with pytest.raises(Refusal) as refusal:
        import_csv(path, tmp_path)
    assert refusal.value.code == "import.not_text"
    path.write_text("sku,title\nT,Tee\n")
    with pytest.raises(Refusal) as refusal:
        import_csv(path, tmp_path)
    assert refusal.value.code == "import.columns_missing"
    assert "price" in refusal.value.detail


def test_the_command_tells_what_it_did_and_fails_where_rows_failed(shop_folder, capsys):
    call_command("import_garments", write(shop_folder, {}))
    assert "1 new" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("import_garments", write(shop_folder, {"sku": "W", "category": "hat"}))
    assert "line 2: category" in capsys.readouterr().err
    with pytest.raises(CommandError):
        call_command("import_garments", shop_folder / "none.csv")


@pytest.fixture
def shaped_folder(shop_folder):
    Image.new("L", tee().size, 255).save(shop_folder / "tee.mask.png")
    width, height = tee().size
    known = {"tee": {"size": [height, width], "landmarks": {"armpit_left": [10, 20]}, "neckline": [[1, 2], [3, 4]]}}
    (shop_folder / "landmarks.json").write_text(json.dumps(known))
    return shop_folder


def test_exact_masks_and_landmarks_come_along(shaped_folder):
    assert import_csv(write(shaped_folder, {}), shaped_folder).errors == []
    picture = Garment.objects.get().flat
    assert picture.landmarks == {"armpit_left": [10, 20], "neckline": [[1, 2], [3, 4]]}
    assert Image.open(picture.mask).size == tee().size


def test_a_shape_that_does_not_fit_its_picture_is_refused(shaped_folder):
    path = write(shaped_folder, {})
    Image.new("L", (5, 5)).save(shaped_folder / "tee.mask.png")
    assert "another size" in import_csv(path, shaped_folder).errors[0][1]
    (shaped_folder / "tee.mask.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert "cannot be read" in import_csv(path, shaped_folder).errors[0][1]
    (shaped_folder / "landmarks.json").write_text('{"tee": {"size": [1, 1], "landmarks": {"a": [0, 0]}}}')
    assert "are of [1, 1]" in import_csv(path, shaped_folder).errors[0][1]
    assert not Garment.objects.exists()
    (shaped_folder / "landmarks.json").write_text('{"tee": 5}')
    with pytest.raises(Refusal) as refusal:
        import_csv(path, shaped_folder)
    assert refusal.value.code == "import.landmarks"
