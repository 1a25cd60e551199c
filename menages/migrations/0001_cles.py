from django.db import migrations

# The search path is fixed in each body that calls another: a dump is restored without one.
FUNCTIONS = r"""
CREATE FUNCTION menages_plie(texte text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN trim(regexp_replace(regexp_replace(
    lower(normalize(replace(replace(texte, 'œ', 'oe'), 'æ', 'ae'), NFKD) COLLATE "pg_c_utf8"),
    '[\u0300-\u036f]', '', 'g'), '[^[:alnum:]]+', ' ', 'g'));

-- What a folded word sounds like on the telephone: the consonants that are heard apart, and whether a vowel begins it.
CREATE FUNCTION menages_son(mot text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    son text := regexp_replace(regexp_replace(mot, '[^a-z]', '', 'g'), 'ux$', 'u');
BEGIN
    IF son = '' THEN
        RETURN replace(mot, ' ', '');  -- another alphabet: as it is written
    END IF;
    son := replace(replace(replace(replace(son, 'x', 'ks'), 'ph', 'f'), 'ch', 'x'), 'sh', 'x');
    IF son ~ '[gc]' THEN
        son := regexp_replace(regexp_replace(son, 'gu(?=[eiy])', 'k'), 'g(?=[eiy])', 'j', 'g');
        son := regexp_replace(son, 'c(?=[eiy])', 's', 'g');
    END IF;
    son := translate(son, 'cqgzwvbdmh', 'kkksffptn');  -- h is silent
    son := translate(regexp_replace(son, '^[aeiouy]+', 'A'), 'aeiouy', '');
    son := lower(regexp_replace(son, '(.)\1+', '\1', 'g'));
    RETURN CASE WHEN length(rtrim(son, 'ts')) > 1 THEN rtrim(son, 'ts') ELSE son END;
END
$$;

-- The sounds of a folded name: of the whole, and of each long enough word of a compound one.
CREATE FUNCTION menages_sons(nom text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT AS $$
DECLARE
    sons text[] := ARRAY[menages_son(nom)];
    mot text;
BEGIN
    IF nom = '' THEN
        RETURN '{}';
    END IF;
    IF strpos(nom, ' ') > 0 THEN
        FOREACH mot IN ARRAY string_to_array(nom, ' ') LOOP
            IF length(mot) > 2 AND menages_son(mot) <> ALL (sons) THEN
                sons := sons || menages_son(mot);
            END IF;
        END LOOP;
    END IF;
    RETURN sons;
END
$$;

-- The keys under which a person is looked for: any two of name, first name and date of birth that sound right
-- give one in common, in whichever order the names were typed.
CREATE FUNCTION menages_cles(nom text, nom_usage text, prenom text, naissance date) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
DECLARE
    annee text := ' ' || extract(year FROM naissance)::int;
    jour text := (naissance - DATE '1900-01-01') || ' ';
    n text := menages_plie(coalesce(nom, ''));
    u text := menages_plie(coalesce(nom_usage, ''));
    p text := menages_plie(coalesce(prenom, ''));
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
    RETURN ARRAY(SELECT DISTINCT cle FROM unnest(cles) AS cle WHERE cle !~ ' [.]?$');
END
$$;
"""

UNDO = """
DROP FUNCTION menages_cles(text, text, text, date);
DROP FUNCTION menages_sons(text);
DROP FUNCTION menages_son(text);
DROP FUNCTION menages_plie(text);
"""


class Migration(migrations.Migration):
    """The functions behind the blocking keys of persons (``Personne.cles``)."""

    dependencies = []

    operations = [migrations.RunSQL(FUNCTIONS, UNDO)]
