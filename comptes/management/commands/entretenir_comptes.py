from django.core.management.base import BaseCommand

from comptes import nuit


class Command(BaseCommand):
    help = (
        "Fait l'entretien de la nuit : scelle, vérifie et purge le journal, efface les octrois sans objet, "
        "les sessions finies, les liens et envois périmés. Peut être relancée sans risque."
    )

    def handle(self, **options):
        for what, count in nuit.run().items():
            self.stdout.write(f"{what} : {count}")
