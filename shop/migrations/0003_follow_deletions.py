from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_poses_and_lengths")]

    operations = [follow_deletions("shop")]
