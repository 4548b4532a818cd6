"""The kernels by name. Each is a module of its own: which functions it has, its story, its sources."""

from __future__ import annotations

from functools import cache

from engine.errors import UnknownKernel
from engine.kernel import Kernel
from engine.kernels.linux_2_6_9 import LINUX_2_6_9
from engine.kernels.wli_corrected import WLI_CORRECTED
from engine.kernels.wli_posted import WLI_POSTED

KERNELS: dict[str, Kernel] = {kernel.id: kernel for kernel in (LINUX_2_6_9, WLI_POSTED, WLI_CORRECTED)}


@cache
def known_steps() -> dict[str, frozenset[str]]:
    """The steps of each kernel function under any kernel: a schedule keeps its sense from one to the other."""
    found: dict[str, set[str]] = {}
    for kernel in KERNELS.values():
        for name, function in kernel.functions.items():
            found.setdefault(name, set()).update(function.steps)
    return {name: frozenset(steps) for name, steps in found.items()}


def find_kernel(name: str) -> Kernel:
    """A kernel by its id. Raises UnknownKernel, which names near ones."""
    if name not in KERNELS:
        raise UnknownKernel(name, KERNELS)
    return KERNELS[name]
