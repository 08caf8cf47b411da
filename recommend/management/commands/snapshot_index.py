"""`manage.py snapshot_index`: write a snapshot of the search index; workers do it by themselves when it is due."""

import os

from django.conf import settings
from django.core.management.base import BaseCommand

from recommend.index import writer


class Command(BaseCommand):
    help = "Write a snapshot of the search index for the processes of this machine."

    def add_arguments(self, parser):
        parser.add_argument("--gently", action="store_true", help="let everything else on this machine go first")

    def handle(self, *, gently, **options):
        if gently:
            os.nice(10)
        manifest = writer.write(settings.INDEX_ROOT)
        if manifest is None:
            self.stdout.write("Nothing written: another process is writing, or no garment has a vector yet.")
        else:
            size = sum(file["bytes"] for file in manifest.files.values()) / 1e6
            self.stdout.write(f"{settings.INDEX_ROOT / manifest.version}: {manifest.count} garments, {size:.0f} MB.")
