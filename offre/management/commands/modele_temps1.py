from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from comptes.models import Departement
from comptes.referentiels import unknown_departement
from offre.temps1.modele_file import template_file


class Command(BaseCommand):
    help = "Écrit le modèle du classeur Temps 1 d'un département, vierge ou prérempli."

    def add_arguments(self, parser):
        parser.add_argument("--departement", required=True, help="code du département, par exemple 44")
        parser.add_argument("--sortie", required=True, type=Path, help="fichier à écrire")
        parser.add_argument("--format", choices=["xlsx", "ods"], default="xlsx", help="ods : onglet Entités seul")
        parser.add_argument("--prerempli", action="store_true", help="avec ce que la base connaît")

    def handle(self, *, departement, sortie, prerempli, **options):
        found = Departement.objects.filter(code=departement).first()
        if found is None:
            raise CommandError(unknown_departement(departement))
        try:
            with sortie.open("wb") as stream:
                template_file(stream, found, kind=options["format"], prefilled=prerempli)
        except OSError as error:
            raise CommandError(f"Le fichier {sortie} ne peut pas être écrit : {error.strerror}.") from error
        self.stdout.write(f"{sortie} : {sortie.stat().st_size} octets")
