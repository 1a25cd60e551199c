"""What can be done to accounts. Each function is one transaction, with its author and its line of the journal.

``auteur`` is the habilitation under which the author acts: it says who they are and how far they may go. A rule that
refuses raises ``Refusal`` with the sentence to show.
"""

import base64
import hashlib
import secrets
import unicodedata
from smtplib import SMTPException

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django_otp import devices_for_user
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from comptes.alertes import alert
from comptes.droits import Niveau, Profil, droits_beyond, profils_given_by, profils_managed_by
from comptes.historique import acting
from comptes.journal import journalise
from comptes.models import (
    Departement,
    Habilitation,
    Lien,
    Message,
    MessageMasque,
    NatureAlerte,
    NatureLien,
    Octroi,
    Partage,
    Region,
    Siao,
    Utilisateur,
)
from comptes.models.liens import ESSAIS
from comptes.preuves import tell
from comptes.saisies import REMONTRE, derived
from comptes.sessions import end_sessions
from comptes.verrouillage import forgive
from siao.socle.database import sentence_of
from siao.socle.jobs import wake
from siao.socle.refusal import Refusal

OUT_OF_REACH = (
    "Cette habilitation sort de votre périmètre ou de votre rang. Demandez à l'administrateur au-dessus de vous."
)
TO_ONESELF = (
    "Personne ne se donne d'habilitation : demandez celle-ci à un autre administrateur, de votre rang ou au-dessus."
)
BY_THE_SIAO = (
    "Ce profil lit des dossiers : c'est l'administrateur du SIAO qui le donne. S'il n'y en a pas encore, "
    "donnez d'abord le profil « Administrateur SIAO » à quelqu'un de ce SIAO."
)
HIDDEN = (
    "Vous ne pouvez pas ouvrir ce dossier à d'autres : il n'est pas suivi par votre SIAO, ou une situation y est "
    "protégée ou gelée. Demandez à un agent désigné, ou refusez en disant pourquoi."
)
NOT_WHOLLY_MANAGED = (
    "Ce compte a aussi une habilitation que vous ne gérez pas. "
    "Retirez la vôtre, ou demandez à un administrateur au-dessus de vous d'agir sur le compte entier."
)
DISABLED = "Ce compte est désactivé : réactivez-le d'abord, ou demandez-le à un administrateur au-dessus de vous."
ONE_ENTITE = (
    "Une habilitation porte sur une seule entité, dans un ou plusieurs départements. "
    "Pour une autre entité, donnez une autre habilitation."
)
LAST_NATIONAL = (
    "C'est le dernier administrateur national : nommez-en d'abord un autre, sinon plus personne ne pourrait le faire."
)

# --- Habilitations ----------------------------------------------------------------------------------------------


def create_habilitation(
    *,
    utilisateur: Utilisateur,
    profil: str,
    territoire: Departement | Region | Siao | None = None,
    objets=(),
    date_debut=None,
    date_fin=None,
    accordee_par: Utilisateur | None = None,
) -> Habilitation:
    """Create a habilitation without asking whether its author may: for loaders, and for ``grant`` which asks.

    ``objets``: the entités (in their département) or dispositifs of the profils that hold some.
    """
    habilitation = Habilitation(
        utilisateur=utilisateur,
        profil=profil,
        departement=territoire if isinstance(territoire, Departement) else None,
        region=territoire if isinstance(territoire, Region) else None,
        siao=territoire if isinstance(territoire, Siao) else None,
        date_debut=date_debut or timezone.localdate(),
        date_fin=date_fin,
        accordee_par=accordee_par,
    )
    try:
        with transaction.atomic():
            habilitation.save()
    except IntegrityError as error:
        raise Refusal(sentence_of(error) or str(error)) from error
    _hold(habilitation, objets)
    return habilitation


def _hold(habilitation: Habilitation, objets) -> None:
    for objet in objets:
        Octroi.objects.get_or_create(
            habilitation=habilitation,
            content_type=ContentType.objects.get_for_model(objet),
            object_pk=str(objet.pk),
            defaults={
                "user_id": habilitation.utilisateur_id,
                "permission": _view_permission(objet),
                "departement_id": objet.departement_id,
            },
        )
    if habilitation.niveau == Niveau.ENTITE:
        held = habilitation.octrois.prefetch_related("content_object")
        if len({octroi.content_object.entite_id for octroi in held}) > 1:
            raise Refusal(ONE_ENTITE)


@transaction.atomic
def grant(
    *,
    auteur: Habilitation,
    utilisateur: Utilisateur,
    profil: str,
    territoire=None,
    objets=(),
    date_debut=None,
    date_fin=None,
) -> Habilitation:
    """Give somebody else a habilitation: of a lower rank than the author's, inside the author's perimeter."""
    _check_may_give(auteur, utilisateur, profil)
    if not utilisateur.is_active:
        raise Refusal(DISABLED)
    habilitation = create_habilitation(
        utilisateur=utilisateur,
        profil=profil,
        territoire=territoire,
        objets=objets,
        date_debut=date_debut,
        date_fin=date_fin,
        accordee_par=auteur.utilisateur,
    )
    # Asked of the database with the row in place: giving and managing follow one rule.
    if not Habilitation.objects.manageable_by(auteur).filter(pk=habilitation.pk).exists():
        raise Refusal(OUT_OF_REACH)
    journalise(action="comptes.accorder", utilisateur=auteur.utilisateur, habilitation=auteur, objet=habilitation)
    _alert_on_rights_beyond(auteur, habilitation)
    return habilitation


def _check_may_give(auteur: Habilitation, utilisateur: Utilisateur, profil: str) -> None:
    """Refuse what nobody of the author's profil gives, and everything to the author: an alias of their mailbox too."""
    if profil not in profils_managed_by(auteur.profil):
        raise Refusal(OUT_OF_REACH)
    if profil not in profils_given_by(auteur.profil):
        raise Refusal(BY_THE_SIAO)
    if utilisateur.pk == auteur.utilisateur_id or mailbox(utilisateur.courriel) == mailbox(auteur.utilisateur.courriel):
        raise Refusal(TO_ONESELF)


def mailbox(courriel: str) -> str:
    """One text for the ways to write one mailbox: « a.b+c@x » is « ab@x » at most providers."""
    local, _, domain = unicodedata.normalize("NFKC", courriel).strip().casefold().rpartition("@")
    return f"{local.partition('+')[0].replace('.', '')}@{domain}"


def _alert_on_rights_beyond(auteur: Habilitation, habilitation: Habilitation) -> None:
    """Tell those above, and those who answer for the place, that an author gave rights that are not theirs."""
    if beyond := droits_beyond(auteur.profil, habilitation.profil):
        alert(
            nature=NatureAlerte.ATTRIBUTION,
            utilisateur=auteur.utilisateur_id,
            habilitation=habilitation.pk,
            jour=timezone.localdate(),
            nombre=len(beyond),
        )


@transaction.atomic
def extend(*, auteur: Habilitation, habilitation: Habilitation, objets) -> None:
    """Add entités (in other départements) or dispositifs to a habilitation that the author manages."""
    _check_may_give(auteur, habilitation.utilisateur, habilitation.profil)
    _hold(habilitation, objets)
    if not Habilitation.objects.manageable_by(auteur).filter(pk=habilitation.pk).exists():
        raise Refusal(OUT_OF_REACH)
    journalise(action="comptes.etendre", utilisateur=auteur.utilisateur, habilitation=auteur, objet=habilitation)
    _alert_on_rights_beyond(auteur, habilitation)


@transaction.atomic
def withdraw(*, auteur: Habilitation, habilitation: Habilitation) -> None:
    """Take a habilitation away, at once. The last national administrator stays."""
    if not Habilitation.objects.manageable_by(auteur).filter(pk=habilitation.pk).exists():
        raise Refusal(OUT_OF_REACH)
    _keep_a_national_administrator(Habilitation.objects.filter(pk=habilitation.pk))
    Habilitation.objects.filter(pk=habilitation.pk, retiree_le__isnull=True).update(
        retiree_le=timezone.now(), retiree_par=auteur.utilisateur
    )
    journalise(action="comptes.retirer", utilisateur=auteur.utilisateur, habilitation=auteur, objet=habilitation)


def _keep_a_national_administrator(removed) -> None:
    """Refuse when the habilitations ``removed`` are those of the last national administrator."""
    national = Habilitation.objects.current().filter(profil=Profil.ADMIN_NATIONAL, utilisateur__is_active=True)
    leaving = national.filter(pk__in=removed.values("pk"))
    if not leaving.exists():
        return
    # Two administrators who remove each other meet at this lock; what is asked after it sees the first one's work.
    list(national.order_by("pk").select_for_update(of=("self",)))
    last_days = leaving.values_list("date_fin", flat=True)
    until = None if None in last_days else max(last_days, default=None)
    # Somebody must stay as long as who leaves would have: one whose habilitation ends tomorrow replaces nobody.
    as_long = Q(date_fin__isnull=True) if until is None else Q(date_fin__isnull=True) | Q(date_fin__gte=until)
    if not national.exclude(pk__in=removed.values("pk")).filter(as_long).exists():
        raise Refusal(LAST_NATIONAL)


def _view_permission(objet) -> Permission:
    return Permission.objects.get(
        content_type__app_label=objet._meta.app_label,
        content_type__model=objet._meta.model_name,
        codename=f"view_{objet._meta.model_name}",
    )


# --- Accounts ---------------------------------------------------------------------------------------------------


@transaction.atomic
def invite(*, auteur: Habilitation, courriel: str, prenom: str, nom: str, **habilitation) -> Habilitation:
    """Give a habilitation to the owner of ``courriel``, who is sent a link if they never logged in.

    An account that already exists keeps its name. ``habilitation``: the other arguments of ``grant``.
    """
    utilisateur = _account_of(courriel, prenom=prenom, nom=nom)
    granted = grant(auteur=auteur, utilisateur=utilisateur, **habilitation)
    journalise(action="comptes.inviter", utilisateur=auteur.utilisateur, habilitation=auteur, objet=utilisateur)
    if utilisateur.last_login is None:
        _note_link(nature=NatureLien.INVITATION, courriel=utilisateur.courriel)
    return granted


@transaction.atomic
def invite_first_administrator(*, courriel: str, prenom: str, nom: str) -> Habilitation:
    """Invite the Administrateur national of a new installation, where nobody can invite them yet.

    Until one of them has logged in, it can be done again: the invitation may have gone to a wrong address, or expired.
    """
    national = Habilitation.objects.current().filter(profil=Profil.ADMIN_NATIONAL, utilisateur__is_active=True)
    if national.filter(utilisateur__last_login__isnull=False).exists():
        raise Refusal("Un administrateur national s'est déjà connecté : c'est à lui d'inviter, depuis « Comptes ».")
    with acting(utilisateur=None, travail="creer_administrateur_national"):
        utilisateur = _account_of(courriel, prenom=prenom, nom=nom)
        if not utilisateur.is_active:
            raise Refusal("Ce compte est désactivé : donnez une autre adresse.")
        habilitation = national.filter(utilisateur=utilisateur).first() or create_habilitation(
            utilisateur=utilisateur, profil=Profil.ADMIN_NATIONAL
        )
        journalise(action="comptes.premier_administrateur", objet=utilisateur)
        if utilisateur.last_login is None:
            _note_link(nature=NatureLien.INVITATION, courriel=utilisateur.courriel)
    return habilitation


def _account_of(courriel: str, *, prenom: str, nom: str) -> Utilisateur:
    """The account of ``courriel``, created with this name when it has none."""
    courriel = courriel.strip().lower()
    utilisateur = Utilisateur.objects.filter(courriel=courriel).first()
    if utilisateur is None:
        try:
            with transaction.atomic():
                utilisateur = Utilisateur.objects.create_user(courriel, prenom=prenom, nom=nom)
        except ValidationError as error:
            raise Refusal(" ".join(error.messages)) from error
        except IntegrityError:  # somebody else was inviting the same person
            utilisateur = Utilisateur.objects.get(courriel=courriel)
    return utilisateur


@transaction.atomic
def rename(*, auteur: Habilitation, utilisateur: Utilisateur, prenom: str, nom: str) -> None:
    _check_wholly_managed(auteur, utilisateur)
    utilisateur.prenom, utilisateur.nom = prenom, nom
    utilisateur.save(update_fields=["prenom", "nom"])
    journalise(action="comptes.renommer", utilisateur=auteur.utilisateur, habilitation=auteur, objet=utilisateur)


@transaction.atomic
def disable(*, auteur: Habilitation, utilisateur: Utilisateur) -> None:
    """Close an account: its sessions end now, its links are worth nothing, its jobs will refuse to go on."""
    _check_wholly_managed(auteur, utilisateur)
    _keep_a_national_administrator(utilisateur.habilitations.all())
    Utilisateur.objects.filter(pk=utilisateur.pk).update(is_active=False)
    end_sessions(utilisateur)
    journalise(action="comptes.desactiver", utilisateur=auteur.utilisateur, habilitation=auteur, objet=utilisateur)


@transaction.atomic
def enable(*, auteur: Habilitation, utilisateur: Utilisateur) -> None:
    _check_wholly_managed(auteur, utilisateur)
    Utilisateur.objects.filter(pk=utilisateur.pk).update(is_active=True)
    journalise(action="comptes.reactiver", utilisateur=auteur.utilisateur, habilitation=auteur, objet=utilisateur)


@transaction.atomic
def reset(*, auteur: Habilitation, utilisateur: Utilisateur) -> None:
    """Forget the password, the second factor and the sessions of an account, and send its owner a link."""
    _check_wholly_managed(auteur, utilisateur)
    utilisateur.set_unusable_password()
    utilisateur.save(update_fields=["password"])
    _drop_devices(utilisateur)
    _end_links(utilisateur)
    end_sessions(utilisateur)
    journalise(action="comptes.reinitialiser", utilisateur=auteur.utilisateur, habilitation=auteur, objet=utilisateur)
    tell(
        utilisateur,
        "Un administrateur a réinitialisé votre compte : mot de passe, double authentification et sessions.",
    )
    never_came = utilisateur.last_login is None
    nature = NatureLien.INVITATION if never_came else NatureLien.REINITIALISATION
    _note_link(nature=nature, courriel=utilisateur.courriel)


def _check_wholly_managed(auteur: Habilitation, utilisateur: Utilisateur) -> None:
    if not Utilisateur.objects.wholly_managed_by(auteur).filter(pk=utilisateur.pk).exists():
        raise Refusal(NOT_WHOLLY_MANAGED)


# --- Links and passwords ----------------------------------------------------------------------------------------

LINKS_PER_HOUR = 3
"""How many new passwords visitors may ask for one address; the links that an administrator sends do not count."""


@transaction.atomic
def ask_new_password(*, courriel: str) -> None:
    """Note that a link is to be sent to ``courriel``, which a visitor typed; the worker knows if it has an account."""
    an_hour_ago = timezone.now() - timezone.timedelta(hours=1)
    courriel = courriel.strip().lower()
    asked = Lien.objects.filter(nature=NatureLien.REINITIALISATION, courriel=courriel, demande_le__gt=an_hour_ago)
    if asked.count() < LINKS_PER_HOUR:
        _note_link(nature=NatureLien.REINITIALISATION, courriel=courriel)


def _note_link(*, nature: str, courriel: str) -> None:
    from comptes.tasks import send_links

    Lien.objects.create(nature=nature, courriel=courriel)
    wake(send_links)


def _end_links(utilisateur: Utilisateur, **which) -> None:
    """From now on, the links sent to ``utilisateur`` (those of ``which``) open nothing."""
    Lien.objects.filter(utilisateur=utilisateur, **which).usable().update(expire_le=timezone.now())


def send_pending_links() -> int:
    """Send the links that wait; return how many left. Several workers may run this at once."""
    sent = 0
    for key in list(Lien.objects.to_send().order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            lien = Lien.objects.to_send().select_for_update(of=("self",), skip_locked=True).filter(pk=key).first()
            if lien is None:
                continue
            utilisateur = Utilisateur.objects.filter(courriel=lien.courriel, is_active=True).first()
            if utilisateur is None:
                # The row stays until the night: it counts among the requests of the hour.
                Lien.objects.filter(pk=key).update(essais=ESSAIS)
                continue
            try:
                with transaction.atomic():
                    _send(lien, utilisateur)
            except (SMTPException, OSError):
                Lien.objects.filter(pk=key).update(essais=F("essais") + 1)
            else:
                sent += 1
    return sent


def _send(lien: Lien, utilisateur: Utilisateur) -> None:
    """Draw the secret, keep its hash, send it. An e-mail that cannot leave undoes the rest."""
    secret = secrets.token_urlsafe(32)
    now = timezone.now()
    # Only the last one opens; but who says to have forgotten a password does not undo an invitation.
    _end_links(utilisateur, nature=lien.nature)
    lien.utilisateur, lien.envoye_le, lien.expire_le = utilisateur, now, now + NatureLien(lien.nature).duree
    lien.empreinte = _hash(secret)
    lien.save()
    context = {"url": f"{settings.SITE_URL}{reverse('lien', args=[secret])}", "lien": lien}
    text = render_to_string(f"comptes/courriels/{lien.nature.lower()}.txt", context)
    subject, body = text.split("\n", 1)
    EmailMessage(subject, body.lstrip(), to=[utilisateur.courriel]).send()


def usable_link(secret: str) -> Lien | None:
    """The link that ``secret`` opens, None when it is unknown, used, expired, or its account disabled."""
    return Lien.objects.usable().filter(empreinte=_hash(secret)).select_related("utilisateur").first()


@transaction.atomic
def choose_password(*, secret: str, mot_de_passe: str) -> Utilisateur:
    """Use a link, once, to give its account a password. Its sessions end, and its failed logins are forgiven."""
    lien = Lien.objects.usable().select_for_update(of=("self",)).filter(empreinte=_hash(secret)).first()
    if lien is None:
        raise Refusal("Ce lien n'est plus valable : il a déjà servi, ou il est trop ancien. Demandez-en un nouveau.")
    utilisateur = lien.utilisateur
    with acting(utilisateur=utilisateur):
        Lien.objects.filter(pk=lien.pk).update(utilise_le=timezone.now())
        _end_links(utilisateur)
        utilisateur.set_password(mot_de_passe)
        utilisateur.save(update_fields=["password"])
        end_sessions(utilisateur)
        forgive(utilisateur)
        journalise(action="comptes.choisir_mot_de_passe", utilisateur=utilisateur, objet=utilisateur)
        if lien.nature != NatureLien.INVITATION:
            tell(utilisateur, "Votre mot de passe a été changé, avec un lien envoyé à cette adresse.")
    return utilisateur


@transaction.atomic
def change_password(*, utilisateur: Utilisateur, mot_de_passe: str, session: str) -> None:
    """Change one's own password; every session ends but the one with the key ``session``."""
    utilisateur.set_password(mot_de_passe)
    utilisateur.save(update_fields=["password"])
    end_sessions(utilisateur, but=session)
    journalise(action="comptes.changer_mot_de_passe", utilisateur=utilisateur, objet=utilisateur)
    tell(utilisateur, "Votre mot de passe a été changé.")


@transaction.atomic
def draw_second_factor(*, utilisateur: Utilisateur) -> TOTPDevice:
    """Draw the key of an application to enrol; one that was drawn before and never confirmed is worth nothing."""
    TOTPDevice.objects.filter(user=utilisateur, confirmed=False).delete()
    return TOTPDevice.objects.create(user=utilisateur, name="Application", confirmed=False)


@transaction.atomic
def confirm_second_factor(*, utilisateur: Utilisateur, device: TOTPDevice, formulaire: str) -> list[str]:
    """Believe an application whose code was right, and draw its recovery codes."""
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    journalise(action="comptes.activer_second_facteur", utilisateur=utilisateur, objet=utilisateur)
    tell(utilisateur, "La double authentification a été activée.")
    return _draw_recovery_codes(utilisateur, formulaire)


RECOVERY_CODES = 10


@transaction.atomic
def renew_recovery_codes(*, utilisateur: Utilisateur, formulaire: str) -> list[str]:
    """Draw single-use recovery codes in place of those left.

    They are derived from ``formulaire``, the key of the form that asks for them: the same form sent again finds them.
    """
    if drawn := recovery_codes_drawn(utilisateur=utilisateur, formulaire=formulaire):
        return drawn
    tell(utilisateur, "Vos codes de secours ont été remplacés.")
    return _draw_recovery_codes(utilisateur, formulaire)


def _draw_recovery_codes(utilisateur: Utilisateur, formulaire: str) -> list[str]:
    StaticDevice.objects.filter(user=utilisateur).delete()
    device = StaticDevice.objects.create(user=utilisateur, name="Codes de secours")
    codes = _codes_of(formulaire)
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    journalise(action="comptes.codes_de_secours", utilisateur=utilisateur, objet=utilisateur)
    return codes


def recovery_codes_drawn(*, utilisateur: Utilisateur, formulaire: str) -> list[str]:
    """The codes that ``formulaire`` has just drawn and that are left; none when it drew none, or too long ago."""
    recent = StaticToken.objects.filter(device__user=utilisateur, device__created_at__gt=timezone.now() - REMONTRE)
    left = set(recent.values_list("token", flat=True))
    return [code for code in _codes_of(formulaire) if code in left]


def _codes_of(formulaire: str) -> list[str]:
    """As ``StaticToken.random_token`` writes them."""
    drawn = (derived("comptes.codes_de_secours", formulaire, str(rank)) for rank in range(RECOVERY_CODES))
    return [base64.b32encode(code[:5]).decode().lower() for code in drawn]


@transaction.atomic
def remove_second_factor(*, utilisateur: Utilisateur) -> None:
    _drop_devices(utilisateur)
    journalise(action="comptes.retirer_second_facteur", utilisateur=utilisateur, objet=utilisateur)
    tell(utilisateur, "La double authentification a été retirée : le mot de passe suffit de nouveau.")


def _drop_devices(utilisateur: Utilisateur) -> None:
    for device in devices_for_user(utilisateur, confirmed=None):
        device.delete()


def _hash(secret: str) -> str:
    # 256 random bits: nothing to guess, so nothing to slow down.
    return hashlib.sha256(secret.encode()).hexdigest()


# --- Messages to users ------------------------------------------------------------------------------------------


@transaction.atomic
def publish_message(*, auteur: Habilitation, message: Message) -> None:
    """Save a message addressed to the territory of the author, new or changed."""
    message.auteur = auteur.utilisateur
    message.full_clean()
    message.save()
    if not Message.objects.visible_to(auteur.perimetre).filter(pk=message.pk).exists():
        raise Refusal("Ce message s'adresse à un territoire qui n'est pas le vôtre.")
    journalise(action="comptes.publier_message", utilisateur=auteur.utilisateur, habilitation=auteur, objet=message)


@transaction.atomic
def end_message(*, auteur: Habilitation, message: Message) -> None:
    """Stop showing a message now. It stays in the list and in the history."""
    now = timezone.now()
    message.debut, message.fin = min(message.debut, now - timezone.timedelta(seconds=1)), now
    message.save(update_fields=["debut", "fin"])
    journalise(action="comptes.retirer_message", utilisateur=auteur.utilisateur, habilitation=auteur, objet=message)


def put_away(*, utilisateur: Utilisateur, message: Message) -> None:
    MessageMasque.objects.bulk_create([MessageMasque(utilisateur=utilisateur, message=message)], ignore_conflicts=True)


# --- Shares -----------------------------------------------------------------------------------------------------


@transaction.atomic
def share(*, auteur: Habilitation, objet, siao: Siao, date_fin, motif: str, date_debut=None) -> Partage:
    """Let another SIAO see one object until ``date_fin`` (last day included). The motive is compulsory.

    The view that offers it holds the right; here, nobody shares what they do not see themselves: of what hides
    somebody, the whole, of a dossier that they work on (a share received is not shared again).
    """
    rows = type(objet)._default_manager.all()
    hides = hasattr(rows, "traced_to")
    if not (rows.traced_to(auteur) if hides else rows.visible_to(auteur.perimetre)).filter(pk=objet.pk).exists():
        raise Refusal(HIDDEN if hides else "Vous ne pouvez partager que ce que vous voyez.")
    partage = Partage(
        group_id=siao.groupe_id,
        permission=_view_permission(objet),
        content_object=objet,
        date_debut=date_debut or timezone.localdate(),
        date_fin=date_fin,
        motif=motif.strip(),
        accorde_par=auteur.utilisateur,
    )
    try:
        with transaction.atomic():
            partage.save()
    except IntegrityError as error:
        raise Refusal(sentence_of(error) or str(error)) from error
    journalise(action="comptes.partager", utilisateur=auteur.utilisateur, habilitation=auteur, objet=objet)
    return partage


@transaction.atomic
def stop_sharing(*, auteur: Habilitation, partage: Partage) -> None:
    """End a share at once."""
    if not Partage.objects.filter(pk=partage.pk, retire_le__isnull=True).update(retire_le=timezone.now()):
        raise Refusal("Ce partage a déjà pris fin.")
    journalise(
        action="comptes.cesser_de_partager",
        utilisateur=auteur.utilisateur,
        habilitation=auteur,
        objet=partage.content_object,
    )
