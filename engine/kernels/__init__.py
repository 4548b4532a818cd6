"""The kernels by name. Each is a module of its own: which functions it has, its story, its sources."""

from __future__ import annotations

from functools import cache

from engine.errors import UnknownKernel
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import LINUX_2_6_9
from engine.kernels.linux_2_6_18 import LINUX_2_6_18
from engine.kernels.linux_2_6_19 import LINUX_2_6_19
from engine.kernels.linux_2_6_23 import LINUX_2_6_23
from engine.kernels.linux_6 import LINUX_6_1, LINUX_6_18
from engine.kernels.mmap_reserve import MMAP_RESERVE
from engine.kernels.wli_corrected import WLI_CORRECTED
from engine.kernels.wli_posted import WLI_POSTED

_ALL = (
    LINUX_2_6_9, WLI_POSTED, WLI_CORRECTED, MMAP_RESERVE,
    LINUX_2_6_18, LINUX_2_6_19, LINUX_2_6_23, LINUX_6_1, LINUX_6_18,
)  # fmt: skip

KERNELS: dict[str, Kernel] = {kernel.id: kernel for kernel in _ALL}


ALIASES = {"linux-6.x": "linux-6.18"}
"""Other names that a kernel answers to."""


@cache
def known_steps() -> dict[str, frozenset[str]]:
    """The steps of each kernel function under any kernel: a schedule keeps its sense from one to the other."""
    found: dict[str, set[str]] = {}
    switched = [kernel.switched(name) for kernel in KERNELS.values() for name in kernel.switches]
    for kernel in (*KERNELS.values(), *switched):
        for name, function in kernel.functions.items():
            found.setdefault(name, set()).update(function.steps)
    return {name: frozenset(steps) for name, steps in found.items()}


@cache
def known_names() -> tuple[str, ...]:
    """Every name that `find_kernel` knows: kernels, their other names, and each with each of its switches."""
    switched = [f"{kernel.id}+{switch}" for kernel in KERNELS.values() for switch in kernel.switches]
    return (*KERNELS, *ALIASES, *switched)


@cache
def find_kernel(name: str) -> Kernel:
    """A kernel by its id, `wli-posted`, or by its id and one of its switches, `wli-corrected+N4`.

    Raises UnknownKernel or UnknownSwitch, which name near ones.
    """
    base, _, switch = name.partition("+")
    base = ALIASES.get(base, base)
    if base not in KERNELS:
        raise UnknownKernel(name, KERNELS)
    return KERNELS[base].switched(switch) if switch else KERNELS[base]
