"""When another column opens this one: one statement for the check, the greying of the template and the help page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Condition:
    """A condition on the value of ``column`` (a key of the same sheet)."""

    column: str

    def holds(self, values: Mapping) -> bool:
        raise NotImplementedError

    def formula(self, cell: str, label: Callable[[str], str]) -> str:
        """The same in the language of spreadsheets; ``label`` gives what a code is called in the cell."""
        raise NotImplementedError

    def sentence(self, header: str, label: Callable[[str], str]) -> str:
        """The same in French, for the help page."""
        raise NotImplementedError


@dataclass(frozen=True)
class OneOf(Condition):
    values: tuple

    def holds(self, values):
        return values[self.column] in self.values

    def formula(self, cell, label):
        return f"OR({','.join(f'{cell}={_quoted(label(value))}' for value in self.values)})"

    def sentence(self, header, label):
        return f"si « {header} » vaut {' ou '.join(f'« {label(value)} »' for value in self.values)}"


@dataclass(frozen=True)
class NoneOf(Condition):
    values: tuple

    def holds(self, values):
        return values[self.column] is not None and values[self.column] not in self.values

    def formula(self, cell, label):
        refused = ",".join(f"{cell}<>{_quoted(label(value))}" for value in self.values)
        return f'AND({cell}<>"",{refused})'

    def sentence(self, header, label):
        return f"sauf si « {header} » vaut {' ou '.join(f'« {label(value)} »' for value in self.values)}"


@dataclass(frozen=True)
class StartsWith(Condition):
    """The code begins with ``code``, and its label with ``text``."""

    code: str
    text: str

    def holds(self, values):
        return str(values[self.column] or "").startswith(self.code)

    def formula(self, cell, label):
        return f"LEFT({cell},{len(self.text)})={_quoted(self.text)}"

    def sentence(self, header, label):
        return f"si « {header} » commence par « {self.text} »"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
