from django.db import migrations

from shop.references import follow_deletions


class Migration(migrations.Migration):
    dependencies = [("shop", "0004_photo_frames")]

    operations = [follow_deletions("shop")]
