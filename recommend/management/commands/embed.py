"""`manage.py embed`: have every picture embedded that is not yet; `--now` does it here instead of in a worker.

`--fit` fits a CLIP of more than 512 numbers to the shop's pictures; then they are embedded anew, as by a new encoder.
"""

import os
import time

from django.core.management.base import BaseCommand, CommandError

from preprocessing.errors import Refusal
from recommend import encoders
from recommend.compare import compare
from recommend.encoders.clip import Clip
from recommend.fit import NotFitted, fit
from recommend.models import Embedding, Serving
from recommend.progress import progress
from recommend.receivers import embed_missing
from recommend.tasks import embed, encoder_input
from shop.models import GarmentPicture
from shop.work import Work

BATCH = 16
EVERYTHING = 10_000_000
BAR = 30  # characters
COMPARED = 300  # pictures
TOO_FEW = 20  # to say anything


class Command(BaseCommand):
    help = "Have every picture embedded that is not yet, by the encoder of the settings."

    def add_arguments(self, parser):
        parser.add_argument("--now", action="store_true", help="embed in this process, with progress")
        parser.add_argument("--again", action="store_true", help="also those that are done or failed")
        parser.add_argument("--status", action="store_true", help="only say how far each encoder is")
        parser.add_argument(
            "--fit", action="store_true", help="only fit a CLIP of more than 512 numbers to the pictures"
        )
        parser.add_argument(
            "--anyway", action="store_true", help="though this process lacks what serves: what it has then takes over"
        )
        parser.add_argument("--gently", action="store_true", help="let everything else on this machine go first")
        parser.add_argument("--compare", action="store_true", help="only say whether CLIP in int8 is as good here")

    def handle(self, *, now, again, status, gently, **options):
        if gently:
            os.nice(10)
        if problem := encoders.problem():
            self.stderr.write(self.style.WARNING(problem))
        if status:
            self._show_progress()
        elif options["fit"]:
            self._fit()
        elif options["compare"]:
            self._compare()
        else:
            self._have_embedded(now, again, options["anyway"])

    def _have_embedded(self, now: bool, again: bool, anyway: bool) -> None:
        serving = Serving.objects.current()
        if serving and not (now and anyway) and (told := encoders.lacking(serving.name)):
            raise CommandError(f"{told} Where it is gone for good, --now --anyway has what is here take over.")
        wanted = encoders.wanted()
        rows = Embedding.objects.of(wanted)
        if again:
            rows.again()
        rows.add_missing(wanted, limit=EVERYTHING)
        waiting = rows.filter(state=Work.State.PENDING)
        if not now:
            embed_missing(None)
            self.stdout.write(f"{waiting.count()} pictures wait for a worker ({wanted.label}).")
            self._show_progress()
            return
        self._embed(waiting, wanted)
        served = Serving.objects.follow(wanted)
        failed = rows.filter(state=Work.State.FAILED).count()
        self.stdout.write(f"{wanted.label}: {rows.with_vector().count()} pictures embedded, {failed} failed.")
        if not served:
            self.stdout.write(f"{Serving.objects.current().label} is shown until the new set is complete.")

    def _embed(self, waiting, wanted) -> None:
        total, done, start = waiting.count(), 0, time.monotonic()
        while batch := list(waiting.select_related("picture").order_by("pk")[:BATCH]):
            embed(batch, wanted)
            done += len(batch)
            left = (time.monotonic() - start) / done * max(0, total - done)
            self.stdout.write(f"\r{bar(done, total)} {min(done, total)} of {total}, {left:.0f} s left  ", ending="")
            self.stdout.flush()
        if total:
            self.stdout.write("")

    def _show_progress(self) -> None:
        for one in progress():
            role = "shown now" if one.serves else "takes over when complete" if one.wanted else "kept, not used"
            counts = f"{one.done} of {one.total} pictures, {one.failed} failed"
            self.stdout.write(f"{bar(one.settled, one.total)} {one.percent:3} %  {one.label}: {counts}; {role}")
            if one.directions:
                self.stdout.write(f"    {one.directions}")

    def _fit(self) -> None:
        clip = self._clip()
        try:
            basis = fit(clip)
        except NotFitted as reason:
            raise CommandError(str(reason)) from reason
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} {refusal.detail}") from refusal
        self.stdout.write(f"{clip.label} {basis.version}: {basis.story()}.")

    def _clip(self) -> Clip:
        clip = encoders.clip()
        if clip is None:
            raise CommandError("There is no CLIP: RECOMMEND_CLIP is none.")
        if problem := clip.problem():
            raise CommandError(f"There is no CLIP: {problem}.")
        return clip

    def _compare(self) -> None:
        clip = self._clip()
        inputs = []
        for picture in GarmentPicture.objects.order_by("?")[:COMPARED].iterator(chunk_size=BATCH):
            try:
                inputs.append(encoder_input(picture))
            except (OSError, ValueError):
                continue
        if len(inputs) < TOO_FEW:
            raise CommandError(f"The shop has {len(inputs)} readable pictures; {TOO_FEW} are needed to say anything.")
        try:
            found = compare(clip.setting, inputs)
        except Refusal as refusal:
            raise CommandError(f"{refusal.sentence} {refusal.detail}") from refusal
        self.stdout.write(
            f"{clip.label}, {found.pictures} pictures: {1000 * found.seconds:.0f} ms a picture in float32, "
            f"{1000 * found.quick_seconds:.0f} ms in int8; least cosine {found.least_cosine:.4f}; "
            f"{found.agree:.1%} of the ten nearest are the same."
        )
        self.stdout.write(found.verdict)


def bar(done: int, total: int) -> str:
    filled = BAR * min(done, total) // total if total else BAR
    return f"[{'#' * filled}{'.' * (BAR - filled)}]"
