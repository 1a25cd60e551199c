"""``manage.py parcours verifier [--json]``: exit code 1 when the base holds what its constraints forbid."""

import json
import sys

from django.core.management.base import BaseCommand

from situations.verification import verify


class Command(BaseCommand):
    help = "Vérifie les parcours de toute la base : chaque violation doit être à 0."

    def add_arguments(self, parser):
        commands = parser.add_subparsers(dest="commande", required=True)
        check = commands.add_parser("verifier", help="Compte les violations des chaînes, les personnes sans situation.")
        check.add_argument("--json", action="store_true", help="Écrit les comptes en JSON.")

    def handle(self, *args, **options):
        violations, known = verify()
        if options["json"]:
            self.stdout.write(json.dumps({"violations": violations, "a_suivre": known}, ensure_ascii=False))
        else:
            for name, count in {**violations, **known}.items():
                self.stdout.write(f"{name} : {count}")
        if any(violations.values()):
            sys.exit(1)
