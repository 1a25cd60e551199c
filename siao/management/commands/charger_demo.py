from django.core.management import call_command
from django.core.management.base import BaseCommand

from comptes.models import Departement
from siao import demo


class Command(BaseCommand):
    help = "Charge les comptes et l'offre de démonstration (44 et 35). Jamais en production."

    def add_arguments(self, parser):
        parser.add_argument("--forcer", action="store_true", help="même si DEBUG est éteint")

    def handle(self, *, forcer, **options):
        if not forcer:
            demo.refuse_in_production()
        if not Departement.objects.exists():
            call_command("charger_referentiels", stdout=self.stdout)
        demo.load()
        for courriel, role in demo.ACCOUNTS.items():
            self.stdout.write(f"{courriel}  {role}")
