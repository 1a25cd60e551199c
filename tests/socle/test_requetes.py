"""What the suite forbids everywhere: a lock that may end in a deadlock, an order that nobody asked for."""

import pytest

from comptes.models import Departement, Region
from tests.requetes import UnorderedLock

pytestmark = pytest.mark.django_db


def test_b6_a_lock_on_several_rows_has_an_order_and_one_on_several_tables_its_target():
    rows = Departement.objects.order_by("pk")
    for allowed in (
        rows.select_for_update(),
        rows.filter(region__nom="Bretagne").select_for_update(of=("self",)),
        Departement.objects.order_by().select_for_update().filter(pk="44")[:1],
    ):
        list(allowed)
    for forbidden in (
        Departement.objects.order_by("nom").select_for_update(),
        Departement.objects.order_by().select_for_update(),
        rows.select_related("region").select_for_update(),
        rows.filter(region__nom="Bretagne").select_for_update(),
    ):
        with pytest.raises(UnorderedLock):
            list(forbidden)


def test_b7_rows_that_nobody_ordered_come_in_any_order():
    orders = {tuple(Departement.objects.order_by().values_list("pk", flat=True)) for _ in range(5)}
    assert len(orders) > 1
    assert len({tuple(Region.objects.order_by("nom").values_list("pk", flat=True)) for _ in range(5)}) == 1
