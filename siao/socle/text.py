"""Comparing words the way people do: without case, accents, ligatures, typographic variants or extra spaces.

``fold`` (Python) and ``Folded`` (PostgreSQL) give the same key for the same text; ``tests/socle/test_text.py``
holds them together.
"""

import functools
import re
import unicodedata
from collections.abc import Sequence

from django.db.models import Func, TextField

# Before decomposition: what NFKD leaves alone but French readers take for the same letter.
_VARIANTS = {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "’": "'", "‘": "'", "‐": "-", "‑": "-", "–": "-"}
_VARIANTS_TABLE = str.maketrans(_VARIANTS)
_COMBINING = re.compile("[\u0300-\u036f]")
_SPACES = re.compile("[ \t\n\r\f\v]+")
# Never meaningful in a name, often pasted with it: zero-width characters, byte order mark, bidi controls, NUL, fillers,
# variation selectors.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\x80-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff]"
)
_LINE_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+|\u2800+")
_HYPHENS = str.maketrans({"‐": "-", "‑": "-"})  # U+2010, U+2011: seen as the hyphen of the keyboard
_DASHES = re.compile("[\u2012-\u2015\u2043\u2212\ufe58\ufe63\uff0d]")
_APOSTROPHES = re.compile("[\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02c8\u2032\u00b4`\uff07]")


@functools.lru_cache(maxsize=50_000)
def fold(text: str) -> str:
    """Key of ``text`` for comparison and sorting: « Évreux  Sud » and « EVREUX SUD » have the same."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_VARIANTS_TABLE)).lower()
    return _SPACES.sub(" ", _COMBINING.sub("", decomposed)).strip(" ")


class Folded(Func):
    """The key of ``fold``, computed by PostgreSQL; immutable, so that generated columns can store it."""

    output_field = TextField()
    template = "%(expressions)s"

    def as_sql(self, compiler, connection, **extra_context):
        sql, parameters = compiler.compile(self.source_expressions[0])
        for variant, plain in _VARIANTS.items():
            plain = plain.replace("'", "''")
            sql = f"replace({sql}, '{variant}', '{plain}')"
        sql = f'lower(normalize({sql}, NFKD) COLLATE "pg_c_utf8")'
        sql = f"regexp_replace({sql}, '[\u0300-\u036f]', '', 'g')"
        sql = rf"regexp_replace({sql}, '[ \t\n\r\f\v]+', ' ', 'g')"
        return f"trim({sql})", parameters


def words_of(search: str) -> list[str]:
    """The words to look for in a search that a person typed, as keys; ten at most."""
    return fold(visible(search)).split()[:10]


def visible(text: str) -> str:
    """``text`` without the invisible characters that copy and paste brings along."""
    return _INVISIBLE.sub("", text)


def plain(text: str) -> str:
    """``text`` without the differences that nobody sees: two texts that look the same are the same.

    Letters are composed, spaces are the keyboard's and single, line breaks too, hyphens do not say whether they break.
    What is seen (a dash, a curly apostrophe) stays.
    """
    text = _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", visible(text)).translate(_HYPHENS))
    return "\n".join(line.strip() for line in _BLANKS.sub(" ", text).split("\n")).strip()


def keyboard(text: str) -> str:
    """``plain``, with the dashes and apostrophes of the keyboard: what a code, a date or an address is read from."""
    return _APOSTROPHES.sub("'", _DASHES.sub("-", plain(text)))


def number_in(text: str | None, default: int | None = None) -> int | None:
    """The key, version or count that somebody sent in ``text``; ``default`` for what none can be.

    Plain digits, at most 18: neither Python nor a column of PostgreSQL is asked to hold more.
    """
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else default


def pluriel(number: int, mark: str = "s") -> str:
    """The mark of the plural, from two on: French says « 0 place », where Django says « 0 places »."""
    return mark if abs(number) >= 2 else ""


def milliers(number: int) -> str:
    """« 5 050 », with a narrow no-break space."""
    return f"{number:,}".replace(",", "\u202f")


def enumerated(names: Sequence[str]) -> str:
    """« Rosa, Louise et Léa »."""
    *first, last = names
    return f"{', '.join(first)} et {last}" if first else last


def counted(number: int, words: str) -> str:
    """« 1 place confirmée », « 3 places confirmées »: ``words`` in the singular, each of which takes an s."""
    return " ".join([str(number), *(word + pluriel(number) for word in words.split())])
