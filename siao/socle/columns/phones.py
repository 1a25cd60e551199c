"""The French telephone plans as one: the digits say the territory, whoever types them and wherever.

A number is kept as E.164 (``+33240123456``), a short number of a service as it is dialled (``115``, ``3919``).
Metropolitan France and the overseas départements share the ten digits of one plan, where the prefix gives the country
code (0262 is +262, 0590 is +590; ARCEP, plan national de numérotation). Saint-Pierre-et-Miquelon, Wallis-et-Futuna,
Polynésie and Nouvelle-Calédonie have a plan of their own: without prefix, theirs are understood on the spot only.
"""

import functools
import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, shortnumberinfo

_OVERSEAS = {
    **dict.fromkeys(("262", "263", "268", "269", "639", "692", "693"), 262),
    "508": 508,
    "708": 508,
    **dict.fromkeys(("590", "690", "691"), 590),
    **dict.fromkeys(("594", "694"), 594),
    **dict.fromkeys(("596", "696", "697"), 596),
}
"""Country code of the numbers of ten digits that begin so, after their zero; the others are of metropolitan France."""

_OWN_PLAN = ("PM", "WF", "PF", "NC")

_COUNTRY_CODES = ("33", "262", "508", "590", "594", "596", "681", "687", "689")

_TYPED = re.compile(r"[0-9+().\s/-]{1,40}", re.ASCII)
_EXTENSION = re.compile(r"(?:\bpostes?|\bext(?:ension)?|\bint(?:erne)?|\bp|x|#)[\s.:°n]*[0-9]", re.IGNORECASE)
_SEPARATORS = re.compile(r"[;,\n/|]|\bou\b|\bet\b|\s-\s", re.IGNORECASE)
# Emergency, social and care services (15, 115, 116 117), administrations and subscribers (1006, 3919), directories.
_SHORT = re.compile(r"1[578]|11[0-9]|19[0-9]|10[0-9]{2}|3[0-9]{3}|11[68][0-9]{3}", re.ASCII)


@dataclass(frozen=True)
class Number:
    value: str
    exists: bool
    """Whether a plan has such a number."""


@functools.lru_cache(maxsize=10_000)
def parse(text: str, region: str) -> Number | None:
    """The number written in ``text`` and dialled in ``region``; None for what cannot be one."""
    if not _TYPED.fullmatch(text):
        return None
    typed = re.sub(r"[^0-9+]", "", re.sub(r"\(0\)", "", text) if re.match(r"\(?\s*(?:\+|00)", text) else text)
    if re.search(r".\+", typed):
        return None
    if _SHORT.fullmatch(typed):
        return Number(typed, _is_short(typed, region))
    if typed.startswith("00"):
        typed = f"+{typed[2:]}"
    if re.fullmatch(r"0[1-9][0-9]{8}", typed, re.ASCII):
        number = _national(typed)
    elif typed.startswith("+"):
        number = _parsed(typed, None)
        if number and number.country_code == 33 and len(str(number.national_number)) == 9:
            number = _national(f"0{number.national_number}")
    else:
        local = _parsed(typed, region) if region in _OWN_PLAN else None
        number = local if local and phonenumbers.is_valid_number(local) else None
    return _number(number) if number and phonenumbers.is_possible_number(number) else None


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _national(digits: str) -> PhoneNumber:
    """The number of ten digits, whoever dials it."""
    significant = digits[1:]
    country_code = _OVERSEAS.get(significant[:3], 33)
    return PhoneNumber(country_code=country_code, national_number=int(significant.removeprefix("508")))


def _number(number: PhoneNumber) -> Number:
    # 087B, 0709 and the overseas prefixes are in the plan of ARCEP, and in the library only in part.
    prefix = str(number.national_number)[:3]
    listed = _OVERSEAS.get(prefix) == number.country_code or (
        number.country_code == 33 and (prefix.startswith("87") or prefix == "709")
    )
    value = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Number(value, listed or phonenumbers.is_valid_number(number))


def _is_short(digits: str, region: str) -> bool:
    return any(
        shortnumberinfo.is_valid_short_number_for_region(
            PhoneNumber(country_code=phonenumbers.country_code_for_region(where), national_number=int(digits)), where
        )
        for where in dict.fromkeys(("FR", region))
    )


def parts(text: str, region: str) -> list[Number]:
    """The numbers that ``text`` puts one after the other."""
    found = [parse(part.strip(), region) for part in _SEPARATORS.split(text[:200])]
    digits = re.sub(r"[\s.-]", "", text[:200])
    if re.fullmatch(r"(?:0[1-9][0-9]{8}){2}", digits, re.ASCII):
        found = [parse(digits[:10], region), parse(digits[10:], region)]
    return [number for number in found if number]


def has_extension(text: str) -> bool:
    return _EXTENSION.search(text[:200]) is not None


def suggestion(text: str, region: str) -> str:
    """What to say of a text that is no number: which one was perhaps meant. Nothing is completed in silence."""
    digits = re.sub(r"[^0-9+]", "", text)
    if digits == re.sub(r"[\s.-]", "", text):
        if len(digits) == 9 and (number := parse(f"0{digits}", region)) and number.exists:
            return f" ; le zéro initial a pu être perdu : peut-être {show(number.value)}"
        if digits.startswith(_COUNTRY_CODES) and (number := parse(f"+{digits}", region)) and number.exists:
            return f" ; l'indicatif a pu perdre son « + » : peut-être {show(number.value)}"
        return ""
    number = parse(digits, region)
    return f" ; peut-être {show(number.value)}" if number and number.exists else ""


@functools.lru_cache(maxsize=10_000)
def show(value: str) -> str:
    """The number as it is dialled from metropolitan France, "" when there is none; read again, it is the same one."""
    if not value.startswith("+"):
        return f"{value[:3]} {value[3:]}" if len(value) == 6 else value
    number = phonenumbers.parse(value)
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    if number.country_code == 508 and len(value) == 10:
        national = f"0508 {national.removeprefix('0')}"
    again = parse(national, "FR")
    if again and again.value == value:
        return national
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
