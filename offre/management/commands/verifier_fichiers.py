import sys

from django.core.management.base import BaseCommand

from offre.temps1.fichiers import verify


class Command(BaseCommand):
    help = (
        "Compare les fichiers conservés aux imports Temps 1 ; avec --appliquer, efface ceux dont la durée de "
        "conservation est passée et ceux qu'aucun import ne nomme. Sortie 1 : il manque des fichiers."
    )

    def add_arguments(self, parser):
        parser.add_argument("--appliquer", action="store_true", help="efface (par défaut : répétition)")

    def handle(self, *, appliquer, **options):
        found = verify(apply=appliquer)
        fait = "effacés" if appliquer else "à effacer"
        self.stdout.write(f"fichiers dont la durée de conservation est passée, {fait} : {len(found.perimes)}")
        self.stdout.write(f"fichiers qu'aucun import ne nomme, {fait} : {len(found.orphelins)}")
        self.stdout.write(f"contenus devenus inutiles, {fait} : {found.contenus}")
        for travail in found.perdus:
            self.stdout.write(f"{travail} : un de ses fichiers a disparu, restaurez-le depuis une sauvegarde")
        sys.exit(1 if found.perdus else 0)
