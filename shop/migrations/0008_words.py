"""Columns and indexes of the word search. Postgres alone keeps and reads them (shop/search.py), so no model has them.

`search` holds English stems by weight. `terms` holds every character that is not ASCII and every pair of such
characters beside each other, which finds any part of a word in scripts that put endings on words, whatever the
database's locale (trigrams see no letters there under "C"); and, as "=navy", the values that words of another
language may mean. `titles` is compared by trigrams where nothing matches.
"""

from django.db import migrations

SQL = r"""
CREATE FUNCTION shop_grams(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT substr(run, at, long)), '{}')
    FROM regexp_split_to_table(lower($1), '[\x01-\x7f]+') run,
        generate_series(1, length(run)) at,
        generate_series(1, least(2, length(run) - at + 1)) long
$$;

-- What share of the second's are among the first's, 0..1.
CREATE FUNCTION shop_shared(tsvector, text[]) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT count(*) FILTER (WHERE one = ANY(tsvector_to_array($1)))::double precision / greatest(count(*), 1)
    FROM unnest($2) one
$$;

ALTER TABLE shop_garment
    ADD search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('english', title || ' ' || product_type), 'A')
        || setweight(to_tsvector('english', colour || ' ' || brand || ' ' || sku), 'B')
        || setweight(to_tsvector('english', gender || ' ' || category || ' ' || description), 'C')
    ) STORED,
    ADD terms tsvector NOT NULL GENERATED ALWAYS AS (array_to_tsvector(
        shop_grams(title || ' ' || title_ko || ' ' || description_ko || ' ' || brand)
        || ARRAY['=' || lower(product_type), '=' || lower(colour), '=' || gender, '=' || category, '=' || age_group]
    )) STORED,
    ADD titles text NOT NULL GENERATED ALWAYS AS (title || ' ' || title_ko) STORED;

CREATE INDEX garment_search ON shop_garment USING gin (search) WHERE published;
CREATE INDEX garment_terms ON shop_garment USING gin (terms) WHERE published;
CREATE INDEX garment_titles ON shop_garment USING gin (titles gin_trgm_ops) WHERE published;
-- The list without words, newest first, and the numbers beside its choices.
CREATE INDEX garment_newest ON shop_garment (created DESC, id DESC) WHERE published;
CREATE INDEX garment_facets ON shop_garment (category, gender, age_group, product_type, colour, brand, id)
    WHERE published;
"""

REVERSE = """
DROP INDEX garment_newest, garment_facets;
ALTER TABLE shop_garment DROP search, DROP terms, DROP titles;
DROP FUNCTION shop_shared(tsvector, text[]);
DROP FUNCTION shop_grams(text);
"""


class Migration(migrations.Migration):
    dependencies = [("shop", "0007_follow_lists")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
