import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


ENTRIES = """
CREATE FUNCTION comptes_enchainer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    numero integer := 1;
BEGIN
    -- The first chain that no other open transaction writes to: nobody waits, and a chain is in the order of its commits.
    WHILE NOT pg_try_advisory_xact_lock(5, numero) LOOP
        numero := numero + 1;
    END LOOP;
    LOOP
        UPDATE comptes_chaine SET
            rang = rang + 1,
            empreinte = encode(sha256(convert_to(empreinte || jsonb_build_array(
                numero, rang + 1, NEW.id, extract(epoch FROM NEW.quand), NEW.utilisateur_id, NEW.habilitation_id,
                NEW.action, NEW.objet_type, NEW.objet_id, NEW.resultat, NEW.nombre, NEW.recherche, NEW.demande, NEW.ip
            )::text, 'UTF8')), 'hex')
        WHERE id = numero
        RETURNING rang, empreinte INTO NEW.rang, NEW.empreinte;
        EXIT WHEN FOUND;
        INSERT INTO comptes_chaine (id, rang, empreinte) VALUES (numero, 0, '');
    END LOOP;
    NEW.chaine := numero;
    RETURN NEW;
END
$$
"""

SEALS = """
CREATE FUNCTION comptes_enchainer_sceau() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO comptes_chaine AS chaine (id, rang, empreinte) VALUES (0, 1, NEW.empreinte)
    ON CONFLICT (id) DO UPDATE SET rang = chaine.rang + 1, empreinte = NEW.empreinte;
    RETURN NEW;
END
$$
"""

WITHOUT_CHAIN = """
ALTER TABLE {table} DISABLE TRIGGER USER;
DELETE FROM {table};
ALTER TABLE {table} ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    """Each entry of the journal is chained when it is written. Only demonstrations have entries before this point."""

    dependencies = [
        ("comptes", "0005_partage_un_an_au_plus"),
    ]

    operations = [
        *(
            migrations.RunSQL(WITHOUT_CHAIN.format(table=table), migrations.RunSQL.noop)
            for table in ("comptes_sceau", "comptes_entreejournal")
        ),
        migrations.CreateModel(
            name="Chaine",
            fields=[
                ("id", models.IntegerField(primary_key=True, serialize=False)),
                ("rang", models.BigIntegerField(verbose_name="rang de la dernière entrée")),
                ("empreinte", models.CharField(max_length=64, verbose_name="empreinte de la dernière entrée")),
            ],
            options={
                "verbose_name": "chaîne du journal",
                "verbose_name_plural": "chaînes du journal",
            },
        ),
        migrations.RemoveConstraint(
            model_name="sceau",
            name="sceau_dans_l_ordre",
        ),
        migrations.RemoveField(
            model_name="sceau",
            name="derniere",
        ),
        migrations.RemoveField(
            model_name="sceau",
            name="premiere",
        ),
        migrations.AddField(
            model_name="entreejournal",
            name="chaine",
            field=models.IntegerField(db_default=0, editable=False, verbose_name="chaîne"),
        ),
        migrations.AddField(
            model_name="entreejournal",
            name="empreinte",
            field=models.CharField(db_default="", editable=False, max_length=64, verbose_name="empreinte"),
        ),
        migrations.AddField(
            model_name="entreejournal",
            name="rang",
            field=models.BigIntegerField(db_default=0, editable=False, verbose_name="rang dans la chaîne"),
        ),
        migrations.AddField(
            model_name="sceau",
            name="tetes",
            field=models.JSONField(default={}, verbose_name="têtes des chaînes"),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="sceau",
            name="nombre",
            field=models.PositiveIntegerField(verbose_name="entrées nouvelles"),
        ),
        migrations.AlterField(
            model_name="sceau",
            name="precedente",
            field=models.CharField(max_length=64, unique=True, verbose_name="empreinte précédente"),
        ),
        migrations.AlterField(
            model_name="sceau",
            name="scelle_le",
            field=models.DateTimeField(verbose_name="scellé le"),
        ),
        migrations.RunSQL(ENTRIES, "DROP FUNCTION comptes_enchainer()"),
        migrations.RunSQL(SEALS, "DROP FUNCTION comptes_enchainer_sceau()"),
        pgtrigger.migrations.AddTrigger(
            model_name="entreejournal",
            trigger=pgtrigger.compiler.Trigger(
                name="enchainer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="comptes_enchainer()",
                    func="RETURN NEW;",
                    hash="236726427da690d432319c707fd272674da92828",
                    operation="INSERT",
                    pgid="pgtrigger_enchainer_ed290",
                    table="comptes_entreejournal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="sceau",
            trigger=pgtrigger.compiler.Trigger(
                name="enchainer",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    execute="comptes_enchainer_sceau()",
                    func="RETURN NEW;",
                    hash="254eab931f8435d94e52a83bf0fb2e0a226542c6",
                    operation="INSERT",
                    pgid="pgtrigger_enchainer_8190c",
                    table="comptes_sceau",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="entreejournal",
            constraint=models.UniqueConstraint(
                fields=("chaine", "rang"),
                name="entree_journal_un_rang_par_chaine",
                violation_error_message="Ce rang est déjà pris dans cette chaîne du journal.",
            ),
        ),
    ]
