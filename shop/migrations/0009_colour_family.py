from django.db import migrations, models

FAMILIES = {
    "black": "Black", "grey": "Grey", "white": "White", "beige": "Beige", "brown": "Brown", "red": "Red",
    "orange": "Orange", "yellow": "Yellow", "green": "Green", "blue": "Blue", "purple": "Purple", "pink": "Pink",
}  # fmt: skip


class Migration(migrations.Migration):
    """0011 fills the column."""

    dependencies = [("shop", "0008_words")]

    operations = [
        migrations.AddField(
            model_name="garment",
            name="colour_family",
            field=models.CharField(
                blank=True, choices=list(FAMILIES.items()), editable=False, max_length=6, verbose_name="colour family"
            ),
        ),
    ]
