"""One mistake, one message: what is wrong in the same way all along a column is told once, with its rows."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from siao.socle.columns import Problem

FEW = 3
"""Alike problems told one by one; beyond, together."""


def grouped(problems: Iterable[Problem]) -> list[Problem]:
    """The problems, in order; those with the same words in one column, beyond ``FEW``, become the first of them."""
    problems = list(problems)
    alike = defaultdict(list)
    for problem in problems:
        alike[_mistake(problem)].append(problem)
    kept = []
    for problem in problems:
        group = alike[_mistake(problem)]
        if len(group) <= FEW or problem.row is None:
            kept.append(problem)
        elif problem is group[0]:
            ranges = ranges_of(sorted({each.row for each in group}))
            message = f"{problem.message} Lignes concernées : {in_words(ranges)}."
            kept.append(replace(problem, message=message, ranges=ranges))
    return kept


def _mistake(problem: Problem) -> tuple:
    return problem.rule.code, problem.sheet, problem.column, problem.message


def ranges_of(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """((9, 9), (12, 15)) for 9, 12, 13, 14, 15."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)


def in_words(ranges: Iterable[tuple[int, int]]) -> str:
    """« 9, 12 à 15 »; ten ranges at most."""
    ranges = list(ranges)
    words = [f"{first} à {last}" if last > first else str(first) for first, last in ranges[:10]]
    return ", ".join(words) + (", …" if len(ranges) > 10 else "")
