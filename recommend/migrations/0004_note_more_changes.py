"""The index knows garments' type, brand and colour too, so their changes are noted as well."""

from django.db import migrations

FEWER = ("published", "category", "gender", "age_group", "design")
MORE = (*FEWER, "product_type", "brand", "colour")


def note_change(fields: tuple[str, ...]) -> str:
    """The function of migration 0002's triggers, comparing these fields of a garment."""
    old, new = (", ".join(f"{row}.{field}" for field in fields) for row in ("OLD", "NEW"))
    return f"""
CREATE OR REPLACE FUNCTION recommend_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    IF TG_TABLE_NAME = 'shop_garment' THEN
        IF ({old}) IS NOT DISTINCT FROM ({new}) THEN
            RETURN NULL;
        END IF;
        changed := NEW.id;
    ELSIF TG_TABLE_NAME = 'shop_garmentpicture' THEN
        IF OLD.role = NEW.role THEN
            RETURN NULL;
        END IF;
        changed := NEW.garment_id;
    ELSE
        IF TG_OP = 'UPDATE' AND OLD.vector IS NOT DISTINCT FROM NEW.vector THEN
            RETURN NULL;
        END IF;
        changed := COALESCE(NEW.garment_id, OLD.garment_id);
    END IF;
    -- Held until this transaction is over, so that numbers are seen in the order in which they are drawn.
    PERFORM pg_advisory_xact_lock(7203119);
    INSERT INTO recommend_change (garment_id, seq) VALUES (changed, nextval('recommend_change_seq'))
        ON CONFLICT (garment_id) DO UPDATE SET seq = EXCLUDED.seq;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("recommend", "0003_follow_deletions")]
    operations = [migrations.RunSQL(note_change(MORE), note_change(FEWER))]
