"""Triggers that count what an index must follow (`recommend.models.Change`)."""

from django.db import migrations

SQL = """
CREATE SEQUENCE recommend_change_seq;

CREATE FUNCTION recommend_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed bigint;
BEGIN
    IF TG_TABLE_NAME = 'shop_garment' THEN
        IF (OLD.published, OLD.category, OLD.gender, OLD.age_group, OLD.design)
            IS NOT DISTINCT FROM (NEW.published, NEW.category, NEW.gender, NEW.age_group, NEW.design) THEN
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

-- Deferred: the lock is taken at commit, when a transaction has all its other locks, and held for an instant.
-- What changed is compared in the function: columns named here could not be altered any more.
CREATE CONSTRAINT TRIGGER recommend_note_change AFTER UPDATE ON shop_garment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recommend_note_change();
CREATE CONSTRAINT TRIGGER recommend_note_change AFTER UPDATE ON shop_garmentpicture
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recommend_note_change();
CREATE CONSTRAINT TRIGGER recommend_note_change AFTER INSERT OR UPDATE OR DELETE ON recommend_embedding
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recommend_note_change();
"""

REVERSE = """
DROP TRIGGER recommend_note_change ON recommend_embedding;
DROP TRIGGER recommend_note_change ON shop_garmentpicture;
DROP TRIGGER recommend_note_change ON shop_garment;
DROP FUNCTION recommend_note_change();
DROP SEQUENCE recommend_change_seq;
"""


class Migration(migrations.Migration):
    dependencies = [("recommend", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
