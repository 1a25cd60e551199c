import django.db.models.functions.datetime
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Courriel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("a", models.EmailField(max_length=254, verbose_name="destinataire")),
                ("sujet", models.CharField(max_length=200, verbose_name="sujet")),
                ("texte", models.TextField(blank=True, verbose_name="texte")),
                (
                    "cree_le",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="créé le"),
                ),
                (
                    "a_partir_de",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="à envoyer à partir de"),
                ),
                ("essais", models.PositiveSmallIntegerField(default=0, verbose_name="essais d'envoi")),
                ("envoye_le", models.DateTimeField(null=True, verbose_name="envoyé le")),
            ],
            options={
                "verbose_name": "courriel",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("envoye_le__isnull", True)), fields=["id"], name="courriel_a_envoyer"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("envoye_le__isnull", True), ("texte", ""), _connector="OR"),
                        name="courriel_envoye_sans_texte",
                        violation_error_message="Un courriel envoyé ne garde pas son texte.",
                    )
                ],
            },
        ),
    ]
