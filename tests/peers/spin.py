"""SPIN as a peer: our own models of the last block's race, checked by `spin` and gcc where both are there."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
MODELS = ("ask_nobody", "ask_without_taking", "take_while_answering")
LONG_ENOUGH = 120


@dataclass(frozen=True, slots=True)
class Checked:
    """What SPIN came to: whether an assertion can fail, distinct states, seconds."""

    broken: bool
    states: int
    seconds: float

    @property
    def verdict(self) -> str:
        """As ours is called."""
        return "broken" if self.broken else "holds"


def missing() -> str:
    """What is not there to run SPIN with; empty if all is."""
    lacks = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"needs {' and '.join(lacks)}: apt-get install {' '.join(lacks)}" if lacks else ""


def check(model: str, folder: Path, **sizes: int) -> Checked:
    """Have SPIN look at every state of a model, made in a folder that is empty."""
    defined = [f"-D{name}={value}" for name, value in sizes.items()]
    _run(["spin", "-a", *defined, str(HERE / f"{model}.pml")], folder)
    _run(["gcc", "-O2", "-w", "-DSAFETY", "-o", "pan", "pan.c"], folder)
    told = _run([str(folder / "pan"), "-m100000", "-w24"], folder)
    states, errors = re.search(r"(\d+) states, stored", told), re.search(r"errors: (\d+)", told)
    took = re.search(r"elapsed time ([\d.]+) seconds", told)
    assert states is not None, told
    assert errors is not None, told
    return Checked(errors[1] != "0", int(states[1]), float(took[1]) if took else 0.0)


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONG_ENOUGH, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
