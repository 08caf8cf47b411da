from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from preprocessing.errors import Refusal
from shop.imports import import_csv


class Command(BaseCommand):
    help = "Import garments from a CSV file and a folder of pictures (docs/catalogue.md). Safe to run again."

    def add_arguments(self, parser):
        parser.add_argument("csv", type=Path)
        parser.add_argument("folder", type=Path, nargs="?", help="of the pictures; the CSV's own folder by default")
        parser.add_argument("--dry-run", action="store_true", help="check every row, change nothing")
        parser.add_argument("--unpublished", action="store_true", help="leave new garments out of the shop for now")

    def handle(self, *, csv, folder, dry_run, unpublished, **options):
        if not csv.is_file():
            raise CommandError(f"There is no file {csv}.")
        try:
            report = import_csv(csv, folder or csv.parent, publish=not unpublished, dry_run=dry_run)
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} ({refusal.detail})") from refusal
        for line, sentence in report.errors:
            self.stderr.write(f"line {line}: {sentence}")
        self.stdout.write(
            f"{report.created} new, {report.changed} changed, {report.pictures} pictures, {len(report.errors)} refused"
            + (" (dry run: nothing was changed)" if dry_run else "")
        )
        if report.errors:
            raise CommandError("Mend the lines above and run it again; the others are in.")
