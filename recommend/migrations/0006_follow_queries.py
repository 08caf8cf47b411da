from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("recommend", "0005_queries")]

    operations = [follow_deletions("recommend")]
