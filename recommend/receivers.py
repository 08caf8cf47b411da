"""What recommend does when a picture was analysed, and in each sweep of the reaper."""

from django.conf import settings
from django.db.models.functions import Now
from django.dispatch import receiver

from recommend import encoders, fit, tasks
from recommend.index import pgvector, writer
from recommend.models import Embedding, Serving
from shop.queue import publish, send
from shop.signals import picture_analysed, sweep

PER_SWEEP = 50  # messages under way at most: a catalogue embedded anew must not keep shoppers' photos waiting


@receiver(picture_analysed)
def embed(sender, analysis, **kwargs):
    wanted = encoders.wanted()
    own = Embedding.objects.of(wanted).filter(picture=analysis.picture)
    if not own.again():  # an analysis made anew may have another mask
        Embedding.objects.bulk_create([Embedding.by(wanted, analysis.picture)], ignore_conflicts=True)
    send(tasks.embed_picture, own.get().pk, queue="cpu", bulk=True)


@receiver(sweep)
def embed_missing(sender, **kwargs):
    """Make and send what is missing of the wanted encoder, and serve it once it is complete."""
    serving = Serving.objects.current()
    if serving and (told := encoders.lacking(serving.name)):
        encoders.say(f"{told} This worker leaves the embedding to others.")
        return
    wanted = encoders.wanted()
    Embedding.objects.add_missing(wanted, limit=PER_SWEEP)
    rows = Embedding.objects.of(wanted)
    for row in rows.due()[: max(0, PER_SWEEP - rows.under_way().count())]:
        if not publish(tasks.embed_picture, row.pk, queue="cpu", bulk=True):
            break
        Embedding.objects.filter(pk=row.pk).update(sent_at=Now())
    Serving.objects.follow(wanted)
    fit.start_if_due(wanted)


@receiver(sweep)
def follow_changes(sender, **kwargs):
    if settings.RECOMMEND_INDEX == "pgvector":
        pgvector.follow()
    else:
        writer.start_if_due()
