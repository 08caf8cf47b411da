from django.db import migrations, models

FAMILIES = {
    "black": "Black", "grey": "Grey", "white": "White", "beige": "Beige", "brown": "Brown", "red": "Red",
    "orange": "Orange", "yellow": "Yellow", "green": "Green", "blue": "Blue", "purple": "Purple", "pink": "Pink",
}  # fmt: skip
FLAT = {"picture__role": "flat", "state": "done"}


def note_families(apps, schema_editor):
    """As `shop.colours.note_families` does for one."""
    from shop.colours import families_of, family_of_word

    garments = apps.get_model("shop", "Garment").objects.order_by("pk")
    analyses = apps.get_model("shop", "GarmentAnalysis").objects.filter(**FLAT).exclude(colours=[])
    shown = analyses.order_by("-picture__position", "-picture_id", "version")  # the first flat picture's stays
    colours = dict(shown.values_list("picture__garment_id", "colours").iterator(chunk_size=2000))
    changed = []
    for garment in garments.only("colour").iterator(chunk_size=2000):
        garment.colour_family = families_of(colours.get(garment.pk, []))[0] or family_of_word(garment.colour)
        changed.append(garment)
    garments.bulk_update(changed, ["colour_family"], batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("shop", "0008_words")]

    operations = [
        migrations.AddField(
            model_name="garment",
            name="colour_family",
            field=models.CharField(
                blank=True, choices=list(FAMILIES.items()), editable=False, max_length=6, verbose_name="colour family"
            ),
        ),
        migrations.RunPython(note_families, migrations.RunPython.noop),
    ]
