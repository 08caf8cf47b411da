"""`manage.py check`, and with it `./dev doctor`, says when the shop does not use what it was told to use."""

from django.conf import settings
from django.core.checks import Tags, Warning, register

from recommend import encoders
from recommend.index import pgvector_table


@register
def encoder_is_ready(**kwargs):
    problem = encoders.problem()
    return [Warning(problem, id="recommend.W001")] if problem else []


@register(Tags.database)
def pgvector_is_ready(databases=None, **kwargs):
    """Asked with `manage.py check --database default`, and before migrations."""
    if settings.RECOMMEND_INDEX != "pgvector" or not databases:
        return []
    problem = pgvector_table.problem()
    if not problem and pgvector_table.current() is None:
        problem = "RECOMMEND_INDEX is pgvector, and nothing is copied yet (manage.py copy_to_pgvector)."
    return [Warning(f"{problem} The index in memory serves.", id="recommend.W002")] if problem else []
