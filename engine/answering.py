"""What a call answers for: the file whose stores an errno tells of, and the bytes that a 0 promises to be durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.operations import Close, Fdatasync, Fsync, Msync
from engine.sizes import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.machine import Machine
    from engine.objects.mm import Mm, Vma


def concerned(k: Machine, line: str) -> Iterator[tuple[str, bool]]:
    """The stores of the file that a script line's answer is about, and whether a 0 promises for bytes of theirs."""
    task, _, number = line.rpartition(".")
    about = synced(k, task, int(number))
    if about is None or about[0] is None:  # msync() of what is not mapped is about no file
        return
    file, promised = about
    for at, record in k.stores.items():
        if record.file == file:
            yield at.removeprefix("store/"), record.stop > promised.start and record.start < promised.stop


def synced(k: Machine, task: str, number: int) -> tuple[str | None, range] | None:
    """The file that a script line's answer is about, and the bytes of it that a 0 promises to be durable."""
    operation = k.scenario.lines(task)[number - 1].operation
    promised = range(0) if k.kind.in_memory else range(MAX_BYTES)
    if isinstance(operation, Close):
        return operation.file, range(0)
    if isinstance(operation, Fsync | Fdatasync):
        return operation.file, promised
    if not isinstance(operation, Msync) or operation.mode != "SYNC":
        return None
    vma = _vma_of(k.tasks[task].mm, operation.var)
    if vma is None or not promised:
        return vma.file if vma is not None else None, range(0)
    first = vma.pgoff * k.page_size
    stop = MAX_BYTES if operation.stop is None else first + operation.stop
    return vma.file, range(first + operation.start, stop)


def _vma_of(mm: Mm, var: str) -> Vma | None:
    """The range behind the beginning of a mapping, if its stores are bound for a file."""
    start = getattr(mm.lookup(var), "start", None)
    vma = mm.find_vma(start) if start is not None else None
    return vma if vma is not None and vma.reaches_file else None
