from django.core.management.base import BaseCommand

from comptes.referentiels import load_territoires
from offre.referentiels import load_listes
from situations.referentiels import load_grille


class Command(BaseCommand):
    help = "Charge les référentiels du dossier fixtures/ ; peut être relancée sans risque."

    def handle(self, **options):
        for load in (load_territoires, load_listes, load_grille):
            for name, count in load().items():
                self.stdout.write(f"{name} : {count}")
            self.stdout.flush()
