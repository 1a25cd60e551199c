from django.db import migrations

# The search path is fixed in each body that calls another: a dump is restored without one.
FUNCTIONS = r"""
-- The letters that do not decompose are those of ``menages.doublons``: a test holds both together.
CREATE OR REPLACE FUNCTION menages_plie(texte text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim(regexp_replace(translate(replace(replace(replace(replace(regexp_replace(
    lower(normalize(texte, NFKD) COLLATE "pg_c_utf8"),
    '[\u0300-\u036f]', '', 'g'), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), 'þ', 'th'),
    'øłđðıħŧŋəǝɛɔɩɨʋʉɓƀɗɖɠǥɣƙɫɲƒƥʀɍƭʈƴɏʒƶ', 'olddihtneeeoiivubbddgggklnfprrttyyzz'),
    '[^[:alnum:]]+', ' ', 'g'));

-- The keys under which a person is looked for: any two of name, first name and date of birth that sound right
-- give one in common, in whichever order the names were typed. « = » begins the key of exact words, in any order and
-- any split; « ~ » that of a name which is the only one.
CREATE OR REPLACE FUNCTION menages_cles(nom text, nom_usage text, prenom text, naissance date) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    civilite text := '^((mme|mlle|mr|mrs|ms|miss|monsieur|madame|mademoiselle) )+';
    annee text := ' ' || extract(year FROM naissance)::int;
    jour text := (naissance - DATE '1900-01-01') || ' ';
    n text := regexp_replace(menages_plie(coalesce(nom, '')), civilite, '');
    u text := regexp_replace(menages_plie(coalesce(nom_usage, '')), civilite, '');
    p text := regexp_replace(menages_plie(coalesce(prenom, '')), civilite, '');
    noms text[] := menages_sons(n) || menages_sons(u);
    prenoms text[] := menages_sons(p);
    cles text[] := '{}';
    a text;
    b text;
BEGIN
    FOREACH a IN ARRAY noms LOOP
        FOREACH b IN ARRAY prenoms LOOP
            cles := cles || (least(a, b) || ' ' || greatest(a, b));
        END LOOP;
        cles := cles || (a || annee) || (a || ' ' || left(p, 1) || '.');
    END LOOP;
    FOREACH b IN ARRAY prenoms LOOP
        cles := cles || (b || annee) || (b || ' ' || left(n, 1) || '.') || (b || ' ' || left(u, 1) || '.');
    END LOOP;
    cles := cles || (jour || left(n, 1)) || (jour || left(u, 1)) || (jour || left(p, 1));
    FOREACH a IN ARRAY ARRAY[n, u] LOOP
        IF a <> '' OR (n = '' AND u = '' AND p <> '') THEN
            cles := cles || ('=' || array_to_string(ARRAY(
                SELECT mot FROM unnest(string_to_array(trim(a || ' ' || p), ' ')) AS mot ORDER BY mot COLLATE "C"
            ), ' '));
        END IF;
    END LOOP;
    IF p = '' OR n = '' AND u = '' THEN
        FOREACH a IN ARRAY ARRAY[n, u, p] LOOP
            IF a <> '' THEN
                cles := cles || ('~' || menages_son(a));
            END IF;
        END LOOP;
    END IF;
    RETURN ARRAY(SELECT DISTINCT cle FROM unnest(cles) AS cle WHERE cle !~ ' [.]?$');
END
$$;

-- Compute again what is stored.
ALTER TABLE menages_personne ALTER COLUMN cles SET EXPRESSION AS (menages_cles(nom, nom_usage, prenom, date_naissance));
"""


class Migration(migrations.Migration):
    """Keys for exact names in any split and order, for a single name, and for every Latin letter."""

    dependencies = [("menages", "0002_initial")]

    operations = [migrations.RunSQL(FUNCTIONS, migrations.RunSQL.noop)]
