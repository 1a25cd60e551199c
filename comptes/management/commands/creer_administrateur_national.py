from django.core.management.base import BaseCommand, CommandError

from comptes import actions
from siao.socle.refusal import Refusal


class Command(BaseCommand):
    help = (
        "Invite le premier administrateur national d'une nouvelle installation, par un lien envoyé à son adresse. "
        "Peut être relancée tant qu'aucun ne s'est connecté ; ensuite, c'est à lui d'inviter."
    )

    def add_arguments(self, parser):
        for name in ("--courriel", "--prenom", "--nom"):
            parser.add_argument(name, required=True)

    def handle(self, *, courriel, prenom, nom, **options):
        try:
            habilitation = actions.invite_first_administrator(courriel=courriel, prenom=prenom, nom=nom)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        compte = habilitation.utilisateur
        if compte.last_login is None:
            self.stdout.write(f"Invitation à {compte.courriel} : un lien part dès que le travailleur (worker) tourne.")
        else:
            self.stdout.write(f"{compte.courriel} est administrateur national, avec son mot de passe habituel.")
