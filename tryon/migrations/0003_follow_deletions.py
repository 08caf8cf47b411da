from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("tryon", "0002_outfits")]

    operations = [follow_deletions("tryon")]
