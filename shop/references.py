"""Foreign keys that the database itself follows when a row is deleted.

Django deletes what refers to a row in Python: it looks, then deletes. A worker that adds a row between the two (an
analysis of a picture that a merchant removes at this moment) would make the merchant's deletion fail. With the same
rule in the database there is no such moment.
"""

from django.db import migrations, models

ACTIONS = {models.CASCADE: "CASCADE", models.SET_NULL: "SET NULL"}


def follow_deletions(app_label: str) -> migrations.RunPython:
    """A migration's operation: gives the app's foreign keys the rule that their models have.

    Needed again after a migration that adds one or alters its column; tests/test_references.py finds it out.
    """

    def apply(apps, schema_editor):
        for model in apps.get_app_config(app_label).get_models():
            for field in model._meta.local_fields:
                if field.remote_field and field.remote_field.on_delete in ACTIONS:
                    follow(schema_editor, model, field)

    return migrations.RunPython(apply, migrations.RunPython.noop)


def follow(schema_editor, model, field) -> None:
    quote = schema_editor.quote_name
    table, target = model._meta.db_table, field.remote_field.model._meta
    with schema_editor.connection.cursor() as cursor:
        constraints = schema_editor.connection.introspection.get_constraints(cursor, table)
    (name,) = (
        name
        for name, constraint in constraints.items()
        if constraint["foreign_key"] and constraint["columns"] == [field.column]
    )
    schema_editor.execute(
        f"ALTER TABLE {quote(table)} DROP CONSTRAINT {quote(name)}, ADD CONSTRAINT {quote(name)}"
        f" FOREIGN KEY ({quote(field.column)}) REFERENCES {quote(target.db_table)} ({quote(target.pk.column)})"
        f" ON DELETE {ACTIONS[field.remote_field.on_delete]} DEFERRABLE INITIALLY DEFERRED"
    )
