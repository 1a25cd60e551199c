"""The nets of ``tests.requetes`` catch what they are for."""

import pytest

from comptes.models import Departement
from siao.socle.database import lock_in_order
from tests.requetes import UnorderedLock, strict_queries


@pytest.mark.django_db
def test_b7_unordered_rows_come_in_another_order_each_time():
    keys = Departement.objects.order_by()
    with strict_queries():
        orders = {tuple(keys.values_list("pk", flat=True)) for _ in range(5)}
        assert len(orders) > 1
        assert list(keys.order_by("pk").values_list("pk", flat=True)) == sorted(next(iter(orders)))


@pytest.mark.django_db
def test_b6_locks_name_their_target_and_are_ordered():
    rows = Departement.objects.filter(pk__in=["44", "35"])
    with strict_queries():
        assert len(lock_in_order(rows)) == 2
        assert Departement.objects.select_for_update(of=("self",)).get(pk="44").nom
        for wrong in (
            rows.select_for_update(of=("self",)).order_by("nom"),
            rows.select_for_update(of=("self",)).order_by(),
            rows.select_for_update().order_by("pk"),
        ):
            with pytest.raises(UnorderedLock):
                list(wrong)
