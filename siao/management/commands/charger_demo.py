from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from siao import demo


class Command(BaseCommand):
    help = "Charge les comptes et l'offre de démonstration (44 et 35). Jamais en production."

    def add_arguments(self, parser):
        parser.add_argument("--forcer", action="store_true", help="même si DEBUG est éteint")

    def handle(self, *, forcer, **options):
        if not (settings.DEBUG or forcer):
            raise CommandError(
                "Les comptes de démonstration ont un mot de passe public : ils ne se chargent que si DEBUG est "
                "allumé. Sur une base de démonstration, ajoutez --forcer."
            )
        demo.load()
        for courriel, role in demo.ACCOUNTS.items():
            self.stdout.write(f"{courriel}  {role}")
