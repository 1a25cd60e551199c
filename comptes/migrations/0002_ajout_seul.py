from django.db import migrations

FUNCTION = """
CREATE FUNCTION comptes_ajout_seul() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Retention of the journal: what is older may go, and nothing else ever does.
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'comptes_entreejournal' THEN
        IF OLD.quand < now() - interval '365 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = format('%s est en ajout seul : %s refusé', TG_TABLE_NAME, TG_OP);
END
$$
"""


class Migration(migrations.Migration):
    """The function behind the triggers of the journal, and what the next migration's constraints would refuse."""

    dependencies = [("comptes", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION comptes_ajout_seul()"),
        # Only demonstrations have habilitations before this point; the SIAO profils of theirs are on a département,
        # where there is no SIAO yet to move them to. Loading the demonstration grants them again.
        migrations.RunSQL(
            "DELETE FROM comptes_habilitation WHERE profil NOT IN ('ADMIN_DEPARTEMENTAL', 'ANALYSTE')",
            migrations.RunSQL.noop,
        ),
    ]
