import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from shop.images import clean_image
from shop.imports import import_csv
from shop.models import Garment, Photo

SAMPLE = settings.BASE_DIR / "sample"


class Command(BaseCommand):
    help = "Load the sample catalogue and its computer-made model people into an empty shop."

    @transaction.atomic  # an interrupted start loads all of it the next time
    def handle(self, **options):
        if Garment.objects.exists():
            self.stdout.write("There are garments already; the sample catalogue is left out.")
            return
        report = import_csv(SAMPLE / "catalogue.csv", SAMPLE / "garments")
        if report.errors:
            raise CommandError(f"sample/catalogue.csv: {report.errors}")
        people = json.loads((SAMPLE / "people.json").read_text())
        for person in people:
            with (SAMPLE / person["file"]).open("rb") as handle:
                Photo.objects.store_model(clean_image(handle), person["name"])
        self.stdout.write(f"Sample catalogue: {report.created} garments, {len(people)} model people.")
