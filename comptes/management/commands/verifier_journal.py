from django.core.management.base import BaseCommand, CommandError

from comptes import journal
from siao.socle.text import counted


class Command(BaseCommand):
    help = "Vérifie la chaîne des sceaux du journal des accès ; sort en erreur si une entrée a changé ou disparu."

    def handle(self, **options):
        try:
            checked = journal.check()
        except journal.BrokenChain as broken:
            raise CommandError(f"Le journal n'est plus celui qui a été scellé. {broken}") from broken
        self.stdout.write(f"{counted(checked, 'entrée vérifiée')}.")
