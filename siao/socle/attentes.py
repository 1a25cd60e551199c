"""What waits for the user: a worklist as each application declares it, counted for the home page."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from siao.socle.text import counted as in_words

PLAFOND = 1000
"""Rows that are counted: a longer list says « plus de », for the home page costs the same whatever waits."""


@dataclass(frozen=True)
class Attente:
    """One worklist. An application lists its own in ``ATTENTES`` of its module ``attentes``."""

    libelle: str
    """What waits, in the plural: « dispositifs à valider »."""
    droit: str
    """Right to the page that treats it: without it, the worklist is neither shown nor counted."""
    lignes: Callable[[HttpRequest], QuerySet]
    """The rows that wait, among those that the request may see."""
    depuis: str
    """Name of the date (or date and time) from which a row waits."""
    page: str
    """Name of the URL that lists them."""
    parametres: str = ""
    """Query string that narrows that page to them."""
    singulier: str = ""
    """What waits when there is one: « dispositif à valider »."""

    def counted(self, request: HttpRequest) -> dict | None:
        """Label, address, number of rows and since when, in words; None for no row.

        ``depuis`` is empty when the oldest came today or waits for a day to come, or when not all rows were counted.
        """
        rows = self.lignes(request).order_by().values("pk", self.depuis)[: PLAFOND + 1]
        found = rows.aggregate(nombre=Count("pk"), depuis=Min(self.depuis))
        number = found["nombre"]
        if not number:
            return None
        since = found["depuis"]
        day = timezone.localdate(since) if hasattr(since, "tzinfo") else since
        age = (timezone.localdate() - day).days
        all_counted = number <= PLAFOND
        return {
            "libelle": self.singulier if number == 1 and self.singulier else self.libelle,
            "url": reverse(self.page) + (f"?{self.parametres}" if self.parametres else ""),
            "nombre": str(number) if all_counted else f"plus de {PLAFOND}",
            "depuis": _since(age, number) if all_counted and age > 0 else "",
        }


def _since(days: int, number: int) -> str:
    return f", depuis {in_words(days, 'jour')}{' au plus' if number > 1 else ''}"


def waiting(attentes: tuple[Attente, ...], request: HttpRequest) -> list[dict]:
    """What waits for the user of ``request`` among ``attentes``, in their order."""
    counted = (attente.counted(request) for attente in attentes if request.may(attente.droit))
    return [attente for attente in counted if attente]
