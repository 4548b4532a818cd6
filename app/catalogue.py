"""What there is to choose: kernels in their families, filesystems in theirs, which goes with which, and why not.

Nothing here knows a page or an address; the reasons are the engine's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import engine
from engine import FILESYSTEMS, KERNELS, FilesystemKind, Kernel, NoSuchCombination, Scenario

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "2004, and the patch": ("linux-2.6.9", "wli-posted", "wli-corrected", "mmap-reserve"),
    "On the way": ("linux-2.6.18", "linux-2.6.19", "linux-2.6.23"),
    "Today": ("linux-6.1", "linux-6.18"),
}
"""The kernels by the time they belong to."""

SHELVES: Mapping[str, tuple[str, ...]] = {
    "The ext family": ("ext2", "ext2-mkwrite", "ext2-by-ext4", "ext3", "ext4", "ext4-nodelalloc", "ext4-resv0"),
    "Others on a disk": ("xfs", "btrfs", "btrfs-nodatacow", "vfat", "minix", "jfs", "reiserfs", "udf"),
    "Elsewhere": ("tmpfs", "fuse", "fuse-nokeep", "fuse-writeback", "fuse-short", "nfs"),
}
"""The filesystems by where they keep their data."""

CARDS = 6
"""How many kernels are compared on the page of a run."""
TELLING = (
    "linux-2.6.9", "wli-posted", "wli-corrected", "linux-2.6.19", "linux-6.18",
    "mmap-reserve", "linux-2.6.23", "linux-6.1", "linux-2.6.18",
)  # fmt: skip
"""The kernels whose comparison says most, the first of them first."""
ABREAST = ("linux-2.6.9", "wli-corrected", "linux-6.18", "wli-posted", "linux-2.6.23", "linux-6.1")
"""The same where there is room for few."""
COLUMNS = range(2, 5)
"""How many runs stand side by side; without a wish, one less than most."""


def families() -> Iterator[tuple[str, tuple[Kernel, ...]]]:
    """The kernels by family. One that no family names yet stands in the last."""
    named = {name for names in FAMILIES.values() for name in names}
    rest = tuple(name for name in KERNELS if name not in named)
    last = list(FAMILIES)[-1]
    for title, names in FAMILIES.items():
        yield title, tuple(KERNELS[name] for name in (*names, *(rest if title == last else ())) if name in KERNELS)


def shelves() -> Iterator[tuple[str, tuple[FilesystemKind, ...]]]:
    """The filesystems that some kernel has, by kind. One that no shelf names yet stands in the last."""
    named = {name for names in SHELVES.values() for name in names}
    rest = tuple(name for name in FILESYSTEMS if name not in named)
    last = list(SHELVES)[-1]
    for title, names in SHELVES.items():
        every = (*names, *(rest if title == last else ()))
        yield title, tuple(FILESYSTEMS[name] for name in every if kernels_with(name))


def grouped(scenarios: Iterable[Scenario], by: str) -> dict[str, list[Scenario]]:
    """Scenarios by a field of theirs, in the order in which its values come first."""
    found: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        found.setdefault(getattr(scenario, by), []).append(scenario)
    return found


def label(kernel: Kernel) -> str:
    """The shortest name that a kernel is known by: `2.6.9`, `wli-posted`."""
    return kernel.id.removeprefix("linux-")


def base(kernel: Kernel) -> Kernel:
    """The kernel without its switch."""
    return KERNELS[kernel.id.partition("+")[0]]


def why_not(kernel: Kernel, filesystem: str) -> str:
    """The engine's reason why a kernel does not have a filesystem; empty when it has."""
    try:
        kernel.ops(filesystem)
    except NoSuchCombination as error:
        return error.message.partition(": ")[2] or error.message
    return ""


def kernels_with(filesystem: str) -> tuple[Kernel, ...]:
    """The kernels that have a filesystem, in their order."""
    return tuple(kernel for kernel in KERNELS.values() if filesystem in kernel.filesystems)


def absent(kernel: Kernel) -> dict[str, str]:
    """The filesystems that a kernel does not have, each with the reason."""
    return {name: reason for name in FILESYSTEMS if (reason := why_not(kernel, name))}


def lacking(filesystem: str) -> dict[str, str]:
    """The kernels that do not have a filesystem, each with the reason."""
    return {name: reason for name, kernel in KERNELS.items() if (reason := why_not(kernel, filesystem))}


def reasons(filesystem: str) -> dict[str, list[Kernel]]:
    """The kernels that do not have a filesystem, by the reason."""
    found: dict[str, list[Kernel]] = {}
    for name, reason in lacking(filesystem).items():
        found.setdefault(reason, []).append(KERNELS[name])
    return found


def home(scenario: Scenario) -> Kernel:
    """The kernel to show a scenario on first: its own, else the oldest that has its filesystem, or the oldest."""
    if scenario.kernel:
        return engine.find_kernel(scenario.kernel)
    able = kernels_with(scenario.filesystem.type)
    return able[0] if able else next(iter(KERNELS.values()))


def compared(kernel: Kernel, scenario: Scenario) -> tuple[Kernel, ...]:
    """The kernels to compare a run with, in their order: itself, the one the scenario is about, those that say most."""
    telling = (KERNELS[name] for name in TELLING if name in KERNELS)
    wanted = {each.id: each for each in (kernel, base(kernel), home(scenario), base(home(scenario)), *telling)}
    able = [each for each in wanted.values() if scenario.filesystem.type in each.filesystems]
    order = {name: place for place, name in enumerate(KERNELS)}
    return tuple(sorted(able[:CARDS], key=lambda each: (order[base(each).id], each.switch is not None)))


def abreast(scenario: Scenario, filesystem: str, kernel: Kernel | None = None) -> tuple[Kernel, ...]:
    """The kernels to show a scenario on side by side: `kernel`, or the one it is about, then those that say most."""
    known = (KERNELS[name] for name in (*ABREAST, *KERNELS) if name in KERNELS)
    first = kernel or home(scenario)
    wanted = {each.id: each for each in (first, base(first), *known)}
    able = [each for each in wanted.values() if filesystem in each.filesystems]
    order = {name: place for place, name in enumerate(KERNELS)}
    return tuple(sorted(able[: COLUMNS[-1] - 1], key=lambda each: (order[base(each).id], each.switch is not None)))


@cache
def shown_by(kernel: str, switch: str) -> str:
    """The scenario that shows a switch of a kernel best; empty when none is about it.

    Best is one that is at home on it or names it, then one whose sources name its code.
    """
    name = f"{kernel}+{switch}"
    said = [scenario for scenario in engine.gallery().values() if name == scenario.kernel or name in _words(scenario)]
    told = [scenario for scenario in engine.gallery().values() if switch in _codes(scenario)]
    able = (scenario for scenario in (*said, *told) if scenario.filesystem.type in KERNELS[kernel].filesystems)
    found = next(able, None)
    return found.id if found else ""


def _words(scenario: Scenario) -> str:
    return f"{scenario.story} {scenario.question} {scenario.answer}"


def _codes(scenario: Scenario) -> set[str]:
    """The codes of defects that a scenario's sources name: `kernel-facts 1b W2c` has W2."""
    return {word.strip(",;").rstrip("abcdef") for source in scenario.sources for word in source.split()}
