"""What recommend does for searches when one is deleted, and in each sweep of the reaper."""

from django.core.cache import cache
from django.db.models.functions import Now
from django.db.models.signals import post_delete
from django.dispatch import receiver

from recommend import tasks
from recommend.models import Query, QueryLook
from shop.orphans import remove_orphans
from shop.queue import publish
from shop.signals import sweep
from shop.storage import delete_after_commit

PER_SWEEP = 50
ORPHANS_SECONDS = 3600


@receiver(post_delete, sender=Query)
def delete_picture(sender, instance, **kwargs):
    delete_after_commit(instance.image)


@receiver(post_delete, sender=QueryLook)
def delete_cutout(sender, instance, **kwargs):
    delete_after_commit(instance.cutout)


@receiver(sweep)
def send_again(sender, **kwargs):
    for query in Query.objects.alive().due()[:PER_SWEEP]:
        if not publish(tasks.embed_query, query.pk, queue="cpu"):
            break
        Query.objects.filter(pk=query.pk).update(sent_at=Now())


@receiver(sweep)
def expire(sender, **kwargs):
    for query in Query.objects.filter(expires_at__lte=Now())[:PER_SWEEP]:
        query.delete()


@receiver(sweep)
def remove_orphaned_files(sender, **kwargs):
    if cache.add("recommend.orphans", True, ORPHANS_SECONDS):
        remove_orphans(Query, "image", "queries")
        remove_orphans(QueryLook, "cutout", "cutouts")
