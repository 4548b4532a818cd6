"""Random programs on this machine's kernel and in the simulator: `make real`, or

    python -m tests.real [--rows 60] [--seed 1] [--filesystem JSON] [--keep FILE]

It wants root, loop devices, a C compiler and mkfs for ext2, ext3 and ext4, and says so where they are missing. What
differs is printed, each row with its steps; --keep writes the rows that agree, with what was seen. Where a kernel of
another version runs, differences between the versions are among what is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.real.compare import differences
from tests.real.disk import run
from tests.real.filesystems import Row
from tests.real.imagine import imagine
from tests.real.observe import observe
from tests.real.perform import perform
from tests.real.translate import translate

KERNEL = "linux-6.18"
TOOLS = ("cc", "losetup", "mkfs.ext2", "mkfs.ext3", "mkfs.ext4", "mount")


def why_not() -> str:
    """Why rows cannot be performed here; empty if they can."""
    if os.geteuid():
        return "mounting needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"{', '.join(missing)} not found: install gcc, e2fsprogs and mount"
    if not Path("/proc/kpageflags").exists():
        return "this kernel has no /proc/kpageflags, which says which pages are dirty"
    try:
        run("losetup", "--find")
    except (OSError, subprocess.CalledProcessError):
        return "there are no loop devices here"
    return ""


def compiled(folder: Path) -> Path:
    """The program that touches mappings (toucher.c)."""
    program = folder / "toucher"
    run("cc", "-O1", "-o", program, Path(__file__).with_name("toucher.c"))
    program.chmod(0o755)
    return program


def performed(seeds: range, filesystem: Row | None = None) -> Iterator[tuple[Row, list[str]]]:
    """Each row with what was seen, and where ours differs."""
    with tempfile.TemporaryDirectory(prefix="pagefate-") as folder:
        Path(folder).chmod(0o755)
        toucher = compiled(Path(folder))
        for seed in seeds:
            row = imagine(seed, filesystem)
            row["observed"] = {KERNEL: perform(row, toucher)}
            trace, seen = observe(row, translate(row), KERNEL)
            yield row, differences(row, KERNEL, trace, seen)


def say(*lines: str) -> None:
    """Print."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def main() -> int:
    """Exit 0 if all agree, 1 if some do not, 2 if nothing can be performed here."""
    parser = argparse.ArgumentParser(prog="python -m tests.real", description="Rows for real, and in the simulator.")
    parser.add_argument("--rows", type=int, default=60, help="how many (60)")
    parser.add_argument("--seed", type=int, default=1, help="of the first one (1)")
    parser.add_argument("--filesystem", type=json.loads, help='one alone, as rows have it: {"type": "ext4"}')
    parser.add_argument("--keep", type=Path, help="a file for the rows that agree")
    asked = parser.parse_args()
    if reason := why_not():
        say(f"Not here: {reason}.")
        return 2
    agree, differ = [], 0
    for row, found in performed(range(asked.seed, asked.seed + asked.rows), asked.filesystem):
        if found:
            differ += 1
            steps = [f"    {json.dumps(step)}" for step in row["steps"]]
            say(f"{row['name']} on {json.dumps(row['fs'])}", *steps, *(f"  {text}" for text in found[:6]), "")
        else:
            agree.append(row)
    say(f"{len(agree)} of {asked.rows} rows agree with Linux {os.uname().release}, {differ} do not.")
    if asked.keep:
        asked.keep.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in agree) + "\n]\n")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
