from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("shop", "0006_lists_and_experiments")]

    operations = [follow_deletions("shop")]
