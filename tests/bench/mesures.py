"""Measuring sides that alternate, and showing the table."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

SIDE = Callable[[], None]


@dataclass
class Measure:
    """One line of the table."""

    name: str
    work: str
    seconds: dict[str, float]
    """Median seconds of each side: ``siao``, ``pair`` (the peer), ``limite``."""
    goals: dict[str, float]
    """Ratios to reach: at least ``pair`` times faster than the peer, at most ``limite`` times the limit."""
    memory_mb: float | None = None
    memory_goal_mb: float | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def ratios(self) -> dict[str, float]:
        siao = self.seconds["siao"]
        ratios = {}
        if "pair" in self.seconds:
            ratios["pair"] = self.seconds["pair"] / siao
        if "limite" in self.seconds:
            ratios["limite"] = siao / self.seconds["limite"]
        return ratios

    @property
    def reached(self) -> bool:
        ratios = self.ratios
        return (
            ratios.get("pair", 0) >= self.goals.get("pair", 0)
            and ratios.get("limite", 0) <= self.goals.get("limite", float("inf"))
            and (self.memory_mb or 0) <= (self.memory_goal_mb or float("inf"))
        )


def alternate(sides: dict[str, SIDE], *, before: SIDE, runs: int = 5) -> dict[str, float]:
    """Median seconds of each side, all run ``runs`` times in turn; ``before`` puts the same start under each."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(runs):
        for name, side in sides.items():
            before()
            started = time.perf_counter()
            side()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def peak_mb(module: str) -> float:
    """Peak memory, in MB, of ``python -m module`` and of its children together."""
    script = (
        "import django, resource, runpy, sys\n"
        "django.setup()\n"
        "sys.argv = [sys.argv[1]]\n"
        "runpy.run_module(sys.argv[0], run_name='__main__')\n"
        "sides = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN\n"
        "print('peak', sum(resource.getrusage(side).ru_maxrss for side in sides))"
    )
    command = [sys.executable, "-c", script, module]
    out = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout
    return int(out.rpartition("peak ")[2]) / 1024


def show(measures: list[Measure], path: Path) -> None:
    """Print the table, and keep it as JSON."""
    print(f"\n{'':4} {'siao':>9} {'pair':>9} {'limite':>9} {'× pair':>8} {'× limite':>9} {'mémoire':>9}  atteint")
    for measure in measures:
        seconds = [measure.seconds.get(side) for side in ("siao", "pair", "limite")]
        cells = "".join(f"{value:>9.3f}s" if value is not None else f"{'–':>10}" for value in seconds)
        ratios = measure.ratios
        cells += "".join(f"{ratios[key]:>9.2f}" if key in ratios else f"{'–':>9}" for key in ("pair", "limite"))
        cells += f"{measure.memory_mb:>7.0f} Mo" if measure.memory_mb else f"{'–':>10}"
        print(f"{measure.name:4}{cells}  {'oui' if measure.reached else 'NON'}   {measure.work}")
        for note in measure.notes:
            print(f"      {note}")
    path.parent.mkdir(exist_ok=True)
    rows = [asdict(measure) | {"ratios": measure.ratios, "reached": measure.reached} for measure in measures]
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=1))
    print(f"\n{path}")
