from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from comptes.models import Departement, Region
from comptes.referentiels import unknown_departement
from offre.temps1.modele_file import template_file


class Command(BaseCommand):
    help = "Écrit le modèle du classeur Temps 1 d'un département ou d'une région, vierge ou prérempli."

    def add_arguments(self, parser):
        territoire = parser.add_mutually_exclusive_group(required=True)
        territoire.add_argument("--departement", help="code du département, par exemple 44")
        territoire.add_argument("--region", help="code de la région, par exemple 52 : classeur complet seulement")
        parser.add_argument("--sortie", required=True, type=Path, help="fichier à écrire")
        parser.add_argument("--format", choices=["xlsx", "ods"], default="xlsx", help="ods : onglet Entités seul")
        parser.add_argument("--prerempli", action="store_true", help="avec ce que la base connaît")

    def handle(self, *, departement=None, region=None, sortie, prerempli, **options):
        if region is not None:
            found = Region.objects.filter(code=region).first()
        else:
            found = Departement.objects.filter(code=departement).first()
        if found is None:
            unknown = unknown_departement(departement) if region is None else f"La région « {region} » n'existe pas."
            raise CommandError(unknown)
        if region is not None and options["format"] == "ods":
            raise CommandError("La variante réduite (.ods) se remplit département par département.")
        try:
            with sortie.open("wb") as stream:
                template_file(stream, found, kind=options["format"], prefilled=prerempli)
        except OSError as error:
            raise CommandError(f"Le fichier {sortie} ne peut pas être écrit : {error.strerror}.") from error
        self.stdout.write(f"{sortie} : {sortie.stat().st_size} octets")
