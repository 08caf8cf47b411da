"""Files that no row knows: what a crash between the writing of a file and of its row leaves behind."""

from datetime import timedelta

from django.utils import timezone

OLD = timedelta(hours=1)  # a younger file may belong to a row that is about to be written


def remove_orphans(model, field: str, folder: str) -> int:
    """Delete the old files below `folder` that no row of `model` holds in `field`; returns how many."""
    storage = model._meta.get_field(field).storage
    try:
        names = {f"{folder}/{name}" for name in storage.listdir(folder)[1]}
    except FileNotFoundError:
        return 0
    names -= set(model._base_manager.filter(**{f"{field}__in": names}).values_list(field, flat=True))
    gone = [name for name in names if storage.get_modified_time(name) < timezone.now() - OLD]
    for name in gone:
        storage.delete(name)
    return len(gone)
