"""What a number format makes of a number: a date, a time of day, a percentage, an amount…

Standard library alone: the locked-up reader uses it.
"""

import re

DATE, TIME, PERCENTAGE, EUROS, CURRENCY, SCALED = "date", "heure", "pourcentage", "euros", "devise", "milliers"
"""``SCALED``: shown in thousands or millions, so that the cell does not show the number that it holds."""

NATURES = (TIME, PERCENTAGE, EUROS, CURRENCY, SCALED)
"""Those of a number: a ``DATE`` is another kind of cell."""

# What a number format holds besides its codes: texts, escaped characters, fillers, colours, conditions, languages.
_LITERALS = re.compile(r'"[^"]*"|\\.|[_*].|\[(?!(?:h+|m+|s+)\])[^][]*\]|am/pm|a/p|general|standard')
_SYMBOL = re.compile(r"\[\$([^][-]*)")
_CURRENCIES = re.compile(r"[$£¥₣]|\b(?:usd|gbp|chf|xpf|cfp)\b|fcfp")
_THOUSANDS = re.compile(r"[0#?],+(?![0#?,])|[km] ?(?:€|euros?\b)")

_BUILT_IN = {
    **dict.fromkeys(map(str, [*range(14, 18), 22, *range(27, 32), 36, *range(50, 55), 57, 58]), DATE),
    **dict.fromkeys(map(str, [*range(18, 22), *range(32, 36), *range(45, 48), 55, 56]), TIME),
    **dict.fromkeys(("9", "10"), PERCENTAGE),
    **dict.fromkeys(("5", "6", "7", "8", "42", "44"), EUROS),
}
"""Formats that files name by number alone; those of an amount are in the currency of the user, here euros."""


def built_in(number: str) -> str:
    return _BUILT_IN.get(number, "")


def nature_of(number_format: str) -> str:
    """What numbers in this format are for their reader; nothing for plain numbers."""
    text = number_format[:255].lower()
    codes = _LITERALS.sub("", text).partition(";")[0]
    if any(code in codes for code in "dyj") or ("m" in codes and "h" not in codes and "s" not in codes):
        return DATE
    if "h" in codes or "s" in codes or "[m" in codes:
        return TIME
    if "%" in codes:
        return PERCENTAGE
    said = re.sub(r'["\\]', "", text).partition(";")[0]
    if _THOUSANDS.search(codes) or _THOUSANDS.search(said):
        return SCALED
    symbols = " ".join(_SYMBOL.findall(text)) + re.sub(r"\[[^][]*\]|[_*].", "", said)
    if _CURRENCIES.search(symbols):
        return CURRENCY
    return EUROS if "€" in symbols or re.search(r"\beur", symbols) else ""
