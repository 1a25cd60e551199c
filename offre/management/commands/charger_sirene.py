from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from offre.sirene import stock
from siao.socle.database import rehearsal


class Command(BaseCommand):
    help = (
        "Copie ce que les fichiers publics du répertoire SIRENE (StockUniteLegale, puis StockEtablissement, en CSV) "
        "disent des entités connues, sans réseau. Répète sans rien écrire, sauf --appliquer."
    )

    def add_arguments(self, parser):
        parser.add_argument("fichier", type=Path)
        parser.add_argument("--appliquer", action="store_true", help="écrire pour de bon")

    def handle(self, *, fichier, appliquer, **options):
        try:
            with rehearsal(apply=appliquer):
                counts = stock.load(fichier)
        except (OSError, UnicodeDecodeError, stock.UnknownFile) as error:
            raise CommandError(str(error)) from error
        for name, count in counts.items():
            self.stdout.write(f"{name} : {count}")
        if not appliquer:
            self.stdout.write("Répétition : rien n'est écrit. Ajoutez --appliquer pour écrire.")
