from django.db import migrations, models
from django.db.models import F, Q

FAMILIES = {
    "black": "Black", "grey": "Grey", "white": "White", "beige": "Beige", "brown": "Brown", "red": "Red",
    "orange": "Orange", "yellow": "Yellow", "green": "Green", "blue": "Blue", "purple": "Purple", "pink": "Pink",
}  # fmt: skip
FLAT = {"picture__role": "flat", "state": "done"}
# The numbers beside the choices are counted from this index alone, so it has the families now.
FACETS = """
DROP INDEX garment_facets;
CREATE INDEX garment_facets ON shop_garment (
    category, gender, age_group, product_type, colour_family, second_colour_family, colour, brand, id
) WHERE published;
"""
FACETS_BEFORE = """
DROP INDEX garment_facets;
CREATE INDEX garment_facets ON shop_garment (category, gender, age_group, product_type, colour, brand, id)
    WHERE published;
"""


def note_families(apps, schema_editor):
    """As `shop.colours.note_families` does for one."""
    from shop.colours import families_of, family_of_word

    garments = apps.get_model("shop", "Garment").objects.order_by("pk")
    analyses = apps.get_model("shop", "GarmentAnalysis").objects.filter(**FLAT).exclude(colours=[])
    shown = analyses.order_by("-picture__position", "-picture_id", "version")  # the first flat picture's stays
    colours = dict(shown.values_list("picture__garment_id", "colours").iterator(chunk_size=2000))
    changed = []
    for garment in garments.only("colour").iterator(chunk_size=2000):
        main, garment.second_colour_family = families_of(colours.get(garment.pk, []))
        garment.colour_family = main or family_of_word(garment.colour)
        changed.append(garment)
    garments.bulk_update(changed, ["colour_family", "second_colour_family"], batch_size=1000)


class Migration(migrations.Migration):
    """The rows come last: Postgres does not change a table whose rows were written in the same transaction."""

    dependencies = [("shop", "0010_colour_family_rules")]

    operations = [
        migrations.AddField(
            model_name="garment",
            name="second_colour_family",
            field=models.CharField(
                blank=True, choices=list(FAMILIES.items()), db_default="", editable=False, max_length=6,
                verbose_name="second colour family",
            ),
        ),
        migrations.AddConstraint(
            model_name="garment",
            constraint=models.CheckConstraint(
                condition=Q(second_colour_family__regex=f"^(|{'|'.join(FAMILIES)})$")
                & (Q(second_colour_family="") | ~Q(second_colour_family=F("colour_family"))),
                name="garment_second_colour_family",
            ),
        ),
        migrations.RunSQL(FACETS, FACETS_BEFORE),
        migrations.RunPython(note_families, migrations.RunPython.noop),
    ]
