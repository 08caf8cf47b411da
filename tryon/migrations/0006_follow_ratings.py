from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("tryon", "0005_ratings")]

    operations = [follow_deletions("tryon")]
