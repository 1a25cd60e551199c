import pytest
from django.db.models import Value
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from comptes.models import Region
from siao.socle.text import Folded, counted, fold, number_in, pluriel, visible


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Évreux  Sud", "EVREUX SUD"),
        ("L’Œuvre", "l'oeuvre"),
        (" Saint\u00a0Jean ", "saint jean"),
        ("Ça–là", "ca-la"),
    ],
)
def test_same_key(left, right):
    assert fold(left) == fold(right)


def test_different_names_keep_different_keys():
    assert fold("Sainte-Anne") != fold("Sainte Anne")


def test_visible_drops_what_nobody_sees():
    assert visible("\ufeffA\u200bB\u202eC") == "ABC"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 place confirmée"), (1, "1 place confirmée"), (-1, "-1 place confirmée"), (2, "2 places confirmées")],
)
def test_the_plural_begins_at_two(number, words):
    assert counted(number, "place confirmée") == words
    assert pluriel(number, "nt") == ("nt" if number == 2 else "")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("042", 42),
        ("9" * 18, 10**18 - 1),
        *((text, None) for text in ("9" * 19, "-1", "1.0", " 1", "²", "٣", "", None)),
    ],
)
def test_a_key_is_plain_digits(text, number):
    assert number_in(text) == number
    assert number_in(text, default=-1) == (-1 if number is None else number)


class FoldedInPostgreSQL(TestCase):
    # Latin letters, punctuation, spaces, ligatures, combining marks: what French names are made of.
    alphabet = st.characters(min_codepoint=32, max_codepoint=0x36F, exclude_characters="\x7f") | st.sampled_from(
        "œŒ’‘–‑\u202f"
    )

    @settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.text(alphabet, max_size=30))
    def test_same_as_python(self, text):
        found = Region.objects.values_list(Folded(Value(text)), flat=True).first()
        assert found == fold(text)
