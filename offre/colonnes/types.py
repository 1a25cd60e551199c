"""Cells that only the offre knows: codes of the State's registers, and addresses."""

import re
from dataclasses import dataclass

from stdnum import luhn
from stdnum.fr import siret as stdnum_siret

from siao.socle.columns.types import FAILED, ColumnType, as_text, shown
from siao.socle.text import keyboard

from . import regles

EXEMPLE_SIREN = "123456789"
"""The SIREN of the template's example, that people sometimes leave in place."""


def digits_of(cell) -> str:
    """The characters of a code, without the spaces, dots and hyphens that people put between groups of digits."""
    return re.sub(r"[\s.-]", "", keyboard(as_text(cell)))


_SUITES = ("01234567890123456789", "98765432109876543210")
_COMPULSORY, _OPTIONAL = "recopiez-le d'un document officiel", "recopiez-le d'un document officiel, ou laissez vide"


def is_dummy(code: str, length: int) -> bool:
    """Whether ``code`` was typed to fill its cell: one digit repeated, or digits in their order; 0 is « 000000000 »."""
    return set(code) == {"0"} or (
        len(code) == length and (len(set(code)) == 1 or any(code in suite for suite in _SUITES))
    )


def _is_digits(text: str) -> bool:
    return re.fullmatch(r"[0-9]+", text, re.ASCII) is not None


@dataclass(frozen=True)
class Siren(ColumnType):
    width = 14

    def read(self, cell, position):
        siren = digits_of(cell)
        if not _is_digits(siren):
            position.report(regles.SIREN_CARACTERES, found=shown(cell))
        elif siren == EXEMPLE_SIREN:
            position.report(regles.LIGNE_EXEMPLE)
        elif is_dummy(siren, 9):
            position.report(regles.CODE_FACTICE, found=shown(cell), nom="SIREN", faire=_COMPULSORY)
        elif len(siren) != 9:
            padded = siren.zfill(9)
            lost = len(siren) < 9 and luhn.is_valid(padded)
            position.report(
                regles.SIREN_LONGUEUR,
                found=len(siren),
                hint=f" (le zéro initial a pu être perdu : peut-être {padded}, la cellule étant mise au format Texte)"
                if lost
                else "",
            )
        elif not luhn.is_valid(siren):
            position.report(regles.SIREN_CLE, found=siren)
        else:
            return siren
        return FAILED


@dataclass(frozen=True)
class Siret(ColumnType):
    width = 18
    empty = ""

    def read(self, cell, position):
        siret = digits_of(cell)
        if is_dummy(siret, 14) or (is_dummy(siret[:9], 9) and len(siret) == 14):
            position.report(regles.CODE_FACTICE, found=shown(cell), nom="SIRET", faire=_OPTIONAL)
        elif not _is_digits(siret) or len(siret) != 14:
            position.report(regles.SIRET_LONGUEUR, found=len(siret))
        elif not stdnum_siret.is_valid(siret):
            position.report(regles.SIRET_CLE, found=siret)
        else:
            return siret
        return FAILED


@dataclass(frozen=True)
class Finess(ColumnType):
    empty = ""
    width = 14

    def read(self, cell, position):
        finess = digits_of(cell).upper()
        if is_dummy(finess, 9):
            position.report(regles.CODE_FACTICE, found=shown(cell), nom="n° FINESS", faire=_OPTIONAL)
            return FAILED
        if re.fullmatch(r"[0-9][0-9AB][0-9]{7}", finess, re.ASCII):
            return finess
        position.report(regles.FINESS, found=shown(cell))
        return FAILED


@dataclass(frozen=True)
class NumeroIdcc(ColumnType):
    """Identifiant de convention collective: four digits, zeros on the left included."""

    width = 16

    def read(self, cell, position):
        code = digits_of(cell)
        if _is_digits(code) and len(code) < 4 and not isinstance(cell, str):
            code = code.zfill(4)  # a number cell shows 29 for 0029, and both mean the same agreement
        libelle = position.lists["idcc"].labels.get(code)
        if libelle is None:
            position.report(regles.IDCC_INCONNU, found=shown(cell))
            return FAILED
        if code in position.lists["idcc_plus_en_vigueur"].labels:
            position.report(regles.IDCC_PLUS_EN_VIGUEUR, found=code, libelle=libelle)
        return code


@dataclass(frozen=True)
class CodePostal(ColumnType):
    width = 12

    def read(self, cell, position):
        code = digits_of(cell).upper()
        if re.fullmatch(r"2[AB][0-9]{3}", code, re.ASCII):  # an INSEE code of Corse: told as such by the row
            return code
        code = re.sub(r"^F", "", code)
        if _is_digits(code) and len(code) == 5:
            return code
        hint = ""
        if _is_digits(code) and len(code) == 4 and code[0] != "0":
            cellule = "" if isinstance(cell, str) else ", la cellule étant mise au format Texte"
            hint = f" (le zéro initial a pu être perdu : peut-être 0{code}{cellule})"
        position.report(regles.CODE_POSTAL_FORMAT, found=shown(cell), hint=hint)
        return FAILED


@dataclass(frozen=True)
class NomCommune(ColumnType):
    """The name of a commune as typed; the row's rules find its official code from the postal code."""

    width = 26

    def read(self, cell, position):
        return keyboard(as_text(cell))
