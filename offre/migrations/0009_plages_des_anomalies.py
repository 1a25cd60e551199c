from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("offre", "0008_historique_des_parties"),
    ]

    operations = [
        migrations.AddField(
            model_name="anomalie",
            name="plages",
            field=models.JSONField(
                default=list,
                help_text="Première et dernière ligne de chaque suite de lignes qui ont la même anomalie.",
                verbose_name="lignes concernées",
            ),
        ),
    ]
