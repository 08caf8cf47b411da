from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("recommend", "0002_note_changes")]

    operations = [follow_deletions("recommend")]
