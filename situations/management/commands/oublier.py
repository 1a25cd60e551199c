"""``manage.py oublier``: the forgetting of each night, by hand; or again, after a backup was restored."""

import argparse

from django.core.management.base import BaseCommand
from django.utils import timezone

from comptes.historique import acting
from siao.socle.database import rehearsal
from situations.actions import oubli


class Command(BaseCommand):
    help = "Annonce et efface les personnes sans activité depuis deux ans. Répète seulement, sauf avec --appliquer."

    def add_arguments(self, parser):
        parser.add_argument("--appliquer", action="store_true", help="Écrit, au lieu de répéter.")
        parser.add_argument(
            "--rejouer",
            type=argparse.FileType(encoding="utf-8", errors="replace"),
            metavar="JOURNAL",
            help="Après une restauration : efface de nouveau ceux que ce journal technique dit effacés (« - » : lu à "
            "l'entrée).",
        )

    def handle(self, *args, **options):
        today = timezone.localdate()
        with acting(utilisateur=None, travail="oublier"), rehearsal(apply=options["appliquer"]):
            if options["rejouer"]:
                done = {"personnes_oubliees": oubli.replay(options["rejouer"])}
            else:
                done = {**oubli.announce(today=today), "personnes_oubliees": oubli.forget_due(today=today)}
        for name, count in done.items():
            self.stdout.write(f"{count:>8}  {name}")
        if not options["appliquer"]:
            self.stdout.write("Répétition : rien n'a été écrit. Ajoutez --appliquer pour écrire.")
