"""What shop does when something happens to its own rows, and in each sweep of the reaper."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Exists, FileField, OuterRef
from django.db.models.functions import Now
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from shop import tasks
from shop.colours import note_families
from shop.models import Event, Garment, GarmentAnalysis, GarmentPicture, Photo, PhotoFrame, Shopper, ShownList
from shop.models.pictures import ANALYSIS_VERSION
from shop.orphans import remove_orphans
from shop.queue import publish, send
from shop.signals import photo_stored, picture_analysed, picture_stored, sweep
from shop.storage import delete_after_commit

PER_SWEEP = 50
ORPHANS_SECONDS = 3600
FORGOTTEN = timedelta(days=1)
ROWS_PER_SWEEP = 2000  # of those that are many and small


@receiver(picture_stored)
def analyse(sender, picture, **kwargs):
    analysis, _ = GarmentAnalysis.objects.get_or_create(picture=picture, version=ANALYSIS_VERSION)
    send(tasks.analyse_picture, analysis.pk, queue="cpu", bulk=True)


@receiver(post_save, sender=Garment)
@receiver(picture_analysed)
def note_colour_families(sender, instance=None, analysis=None, **kwargs):
    note_families(instance or analysis.picture.garment)


@receiver(post_save, sender=Garment)
def analyse_again(sender, instance, created, **kwargs):
    """What was put right of its cut may make a garment one that can be tried on, or no longer."""
    outdated = GarmentAnalysis.objects.current().filter(picture__garment=instance).exclude(asked=instance.cut)
    if not created and outdated.exclude(state=GarmentAnalysis.State.PENDING).again():
        for analysis in outdated:
            send(tasks.analyse_picture, analysis.pk, queue="cpu", bulk=True)


@receiver(photo_stored)
def check(sender, photo, **kwargs):
    send(tasks.check_photo, photo.pk, queue="cpu")


@receiver(post_delete, sender=Photo)
@receiver(post_delete, sender=PhotoFrame)
@receiver(post_delete, sender=GarmentPicture)
@receiver(post_delete, sender=GarmentAnalysis)
def delete_files(sender, instance, **kwargs):
    """Whichever way a row goes, a user's deletion in the admin included, its files go too."""
    for field in sender._meta.get_fields():
        if isinstance(field, FileField):
            delete_after_commit(getattr(instance, field.name))


@receiver(sweep)
def analyse_anew(sender, **kwargs):
    """After a new version: a few at a time, so that no message of a large catalogue waits until it counts as lost."""
    waiting = GarmentAnalysis.objects.current().filter(state=GarmentAnalysis.State.PENDING).count()
    if waiting < PER_SWEEP:
        GarmentAnalysis.objects.add_missing(PER_SWEEP - waiting)


@receiver(sweep)
def resend(sender, **kwargs):
    for model, task, bulk in ((Photo, tasks.check_photo, False), (GarmentAnalysis, tasks.analyse_picture, True)):
        for row in model.objects.due()[:PER_SWEEP]:
            if not publish(task, row.pk, queue="cpu", bulk=bulk):
                return
            model.objects.filter(pk=row.pk).update(sent_at=Now())


@receiver(sweep)
def expire_photos(sender, **kwargs):
    for photo in Photo.objects.filter(expires_at__lte=Now())[:PER_SWEEP]:
        photo.erase(with_results=False)


@receiver(sweep)
def expire_what_was_seen(sender, **kwargs):
    for model, days in ((ShownList, settings.LIST_DAYS), (Event, settings.EVENT_DAYS)):
        old = model.objects.filter(created__lt=Now() - timedelta(days=days)).order_by("created")
        model.objects.filter(pk__in=old.values("pk")[:ROWS_PER_SWEEP]).delete()


@receiver(sweep)
def forget_strangers(sender, **kwargs):
    """Anonymous shoppers who own nothing any more; one who comes back gets a new key."""
    idle = Shopper.objects.filter(user=None, created__lt=Now() - FORGOTTEN)
    for relation in Shopper._meta.related_objects:
        idle = idle.filter(~Exists(relation.related_model.objects.filter(**{relation.field.name: OuterRef("pk")})))
    Shopper.objects.filter(pk__in=idle.values("pk")[:PER_SWEEP]).delete()


@receiver(sweep)
def remove_orphaned_files(sender, **kwargs):
    if cache.add("shop.orphans", True, ORPHANS_SECONDS):
        remove_orphans(Photo, "image", "photos")
        remove_orphans(Photo, "prepared", "prepared")
        remove_orphans(PhotoFrame, "data", "frames")
        remove_orphans(GarmentAnalysis, "data", "analyses")
        remove_orphans(GarmentPicture, "image", "garments")
        remove_orphans(GarmentPicture, "mask", "masks")
