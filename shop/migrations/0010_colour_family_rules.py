from django.db import migrations, models
from django.db.models import Q

FAMILIES = "^(|black|grey|white|beige|brown|red|orange|yellow|green|blue|purple|pink)$"


class Migration(migrations.Migration):
    """Apart from the field: Postgres does not change a table whose rows were written in the same transaction."""

    dependencies = [("shop", "0009_colour_family")]

    operations = [
        migrations.AddIndex(
            model_name="garment",
            index=models.Index(
                fields=["published", "category", "colour_family", "-created"], name="garment_by_colour"
            ),
        ),
        migrations.AddConstraint(
            model_name="garment",
            constraint=models.CheckConstraint(
                condition=Q(colour_family__regex=FAMILIES), name="garment_colour_family"
            ),
        ),
    ]
