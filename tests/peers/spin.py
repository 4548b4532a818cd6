"""SPIN as a peer: our own models of the last block's race, checked by `spin` and gcc where both are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MODELS = {"ask_nobody": "linux-2.6.9", "ask_without_taking": "wli-posted", "take_while_answering": "wli-corrected"}
"""The models, all of the race in race.pml, and the kernel that asks as each of them does."""
LONG_ENOUGH = 120


@dataclass(frozen=True, slots=True)
class Checked:
    """What SPIN came to: whether an assertion can fail, distinct states, transitions, bytes for all states, seconds.

    It tells no bytes of a model that is very small.
    """

    broken: bool
    states: int
    transitions: int
    memory: float
    seconds: float

    @property
    def verdict(self) -> str:
        """As ours is called."""
        return "broken" if self.broken else "holds"


def missing() -> str:
    """What is not there to run SPIN with; empty if all is."""
    lacks = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"needs {' and '.join(lacks)}: apt-get install {' '.join(lacks)}" if lacks else ""


def check(model: str, folder: Path, *, whole: bool = False, **sizes: int) -> Checked:
    """Have SPIN look at the states of a model, in a folder that is empty: until an assertion fails, or at the `whole`."""
    defined = [f"-D{name}={value}" for name, value in sizes.items()]
    _run(["spin", "-a", *defined, str(HERE / f"{model}.pml")], folder)
    _run(["gcc", "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"], folder)
    told = _run([str(folder / "pan"), "-m100000", "-w24", *["-c0"] * whole], folder)
    errors, states = _number(r"errors: (\d+)", told), _number(r"(\d+) states, stored", told)
    memory = _number(r"([\d.]+)\s+actual memory usage for states", told, 0) * (1 << 20)
    transitions, seconds = _number(r"(\d+) transitions", told), _number(r"elapsed time ([\d.]+) seconds", told)
    return Checked(bool(errors), int(states), int(transitions), memory, seconds)


def _number(pattern: str, told: str, otherwise: float | None = None) -> float:
    found = re.search(pattern, told)
    if found is None:
        assert otherwise is not None, told
        return otherwise
    return float(found[1])


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONG_ENOUGH, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
