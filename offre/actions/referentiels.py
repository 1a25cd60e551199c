"""What the national administrator does to the administered lists."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from import_export.results import Result
from tablib import Dataset

from comptes.journal import journalise
from comptes.models import Habilitation
from offre.administration import Administree, resource_of
from offre.models.nomenclature import Liste
from siao.socle.database import check_now
from siao.socle.refusal import Refusal

UTILISEE = "Cette valeur est utilisée : elle se retire, elle ne s'efface pas."


@transaction.atomic
def save_value(*, auteur: Habilitation, liste: Administree, code: str | None, values: dict) -> Liste:
    """Create a value (``code`` None), or change one: its code never changes."""
    if code is None:
        if liste.model.objects.filter(code=values["code"]).exists():
            raise Refusal("Ce code existe déjà dans la liste : un code ne se redonne pas.")
        last = liste.model.objects.aggregate(last=Max("ordre"))["last"] or 0
        values = {"ordre": last + 1, **values}
        value = liste.model(**values)
    else:
        value = liste.model.objects.select_for_update(of=("self",)).get(code=code)
        for name in values.keys() - {"code"}:
            setattr(value, name, values[name])
    value.modifie_le = timezone.now()
    try:
        value.full_clean()
    except ValidationError as error:
        raise Refusal(" ".join(error.messages)) from error
    value.save()
    _journal("offre.referentiel", auteur, value)
    return value


@transaction.atomic
def retire_value(*, auteur: Habilitation, value: Liste, retire: bool) -> None:
    """Stop offering a value, or offer it again. The fiches that have it keep it."""
    type(value).objects.filter(pk=value.pk).update(
        retire_le=timezone.localdate() if retire else None, modifie_le=timezone.now()
    )
    _journal("offre.referentiel", auteur, value)


@transaction.atomic
def delete_value(*, auteur: Habilitation, liste: Administree, value: Liste) -> None:
    """Delete a value that nothing uses; the keys of the database have the last word."""
    if liste.is_used(value.pk):
        raise Refusal(UTILISEE)
    try:
        with transaction.atomic():
            # Row by row in SQL: Django would also delete the links of the dispositifs that have it.
            liste.model.objects.filter(pk=value.pk)._raw_delete(using="default")
            check_now()
    except IntegrityError as error:
        raise Refusal(UTILISEE) from error
    _journal("offre.referentiel", auteur, value)


def preview(liste: Administree, dataset: Dataset) -> Result:
    """What importing ``dataset`` would do; nothing is written."""
    return resource_of(liste).import_data(dataset, dry_run=True, raise_errors=False)


@transaction.atomic
def import_values(*, auteur: Habilitation, liste: Administree, dataset: Dataset) -> Result:
    """Import values by code: all of them, or none."""
    result = resource_of(liste).import_data(dataset, dry_run=False, raise_errors=False)
    if result.has_errors() or result.has_validation_errors():
        transaction.set_rollback(True)
        raise Refusal("Le fichier contient des erreurs : rien n'a été importé.")
    journalise(
        action="offre.referentiel",
        utilisateur=auteur.utilisateur,
        habilitation=auteur,
        objet_type=liste.model._meta.label_lower,
        nombre=len(result.rows),
    )
    return result


def _journal(action: str, auteur: Habilitation, value: Liste) -> None:
    journalise(action=action, utilisateur=auteur.utilisateur, habilitation=auteur, objet=value)
