"""`manage.py embed`: have every picture embedded that is not yet; `--now` does it here instead of in a worker."""

from django.core.management.base import BaseCommand

from recommend import encoders
from recommend.models import Embedding, Serving
from recommend.receivers import embed_missing
from recommend.tasks import embed
from shop.work import Work

BATCH = 16
EVERYTHING = 10_000_000


class Command(BaseCommand):
    help = "Have every picture embedded that is not yet, by the encoder of the settings."

    def add_arguments(self, parser):
        parser.add_argument("--now", action="store_true", help="embed in this process, with progress")
        parser.add_argument("--again", action="store_true", help="also those that are done or failed")

    def handle(self, *, now, again, **options):
        if problem := encoders.problem():
            self.stderr.write(self.style.WARNING(problem))
        wanted = encoders.wanted()
        rows = Embedding.objects.of(wanted)
        if again:
            rows.again()
        rows.add_missing(wanted, limit=EVERYTHING)
        waiting = rows.filter(state=Work.State.PENDING)
        if not now:
            embed_missing(None)
            self.stdout.write(f"{waiting.count()} pictures wait for a worker ({wanted.label}).")
            return
        self._embed(waiting, wanted)
        served = Serving.objects.follow(wanted)
        failed = rows.filter(state=Work.State.FAILED).count()
        self.stdout.write(f"{wanted.label}: {rows.with_vector().count()} pictures embedded, {failed} failed.")
        if not served:
            self.stdout.write(f"{Serving.objects.current().label} is shown until the new set is complete.")

    def _embed(self, waiting, wanted):
        total, done = waiting.count(), 0
        while batch := list(waiting.select_related("picture").order_by("pk")[:BATCH]):
            embed(batch, wanted)
            done += len(batch)
            self.stdout.write(f"\r{min(done, total)} of {total}", ending="")
            self.stdout.flush()
        if total:
            self.stdout.write("")
