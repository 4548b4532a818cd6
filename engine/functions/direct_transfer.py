"""What a direct transfer moves between a program's memory and the disk: bytes of the blocks that were found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from engine.fs.disk import write_error
from engine.functions.page_flags import read_block
from engine.objects.mapping import Inode
from engine.values import OK, Data, Run

if TYPE_CHECKING:
    from engine.machine import Machine


class Transfer(Protocol):
    """A transfer: bytes from `offset` on, `text` for a write; `blocks` are those found, `new` those taken just now."""

    inode: Inode
    offset: int
    length: int
    text: str
    blocks: tuple[int | None, ...]
    new: tuple[int, ...]
    error: str


def wanted(k: Machine, io: Transfer) -> range:
    """The blocks of the file that the transfer needs."""
    return range(io.offset // k.block_size, -(-_stop(io) // k.block_size))


def places(k: Machine, io: Transfer) -> range:
    """The blocks of the file that were found so far."""
    first = io.offset // k.block_size
    return range(first, first + len(io.blocks))


def result(k: Machine, io: Transfer) -> int | str | Data:
    """An errno, the bytes written, or what was read."""
    if io.error != OK:
        return io.error
    if not io.text:
        return read(k, io)
    return _reached(k, io) - io.offset if io.blocks else 0


def read(k: Machine, io: Transfer) -> Data:
    """What the disk has there; holes and unwritten blocks are zeroes."""
    stop = _reached(k, io) if io.blocks else io.offset
    data = Data(stop - io.offset)
    for iblock, block in zip(places(k, io), io.blocks, strict=True):
        low, high = max(io.offset, iblock * k.block_size), min(stop, (iblock + 1) * k.block_size)
        if block is not None and block >= 0:
            first, there = iblock * k.block_size, read_block(k, io.inode, iblock, block)
            data = data.paste(low - io.offset, there.part(low - first, high - first))
    return data


def write(k: Machine, io: Transfer) -> bool:
    """Put the bytes on the disk; whether any of them could not be written."""
    store, failed = k.store(k.current.task, k.current.line), False
    whole = Run(io.offset, _reached(k, io), io.text, f"{k.current.task}.{k.current.line}")
    for iblock, block in zip(places(k, io), io.blocks, strict=True):
        run = whole.cut(iblock * k.block_size, (iblock + 1) * k.block_size)
        if block is None or write_error(k, io.inode.file, run.start // k.page_size, block) != OK:
            failed = True
            continue
        there = Data(k.block_size) if iblock in io.new else read_block(k, io.inode, iblock, block)
        here = run.moved(-iblock * k.block_size)
        k.disk.data[block] = there.put((here,), here.start, here.stop)
        store.accepted = (*(store.accepted or ()), (run.start, run.stop))
        k.accept(io.inode.file, run, grows=True)
    return failed


def _stop(io: Transfer) -> int:
    """Where the transfer ends, given the blocks there are; a read ends with the file."""
    stop = io.offset + io.length if io.text else min(io.offset + io.length, io.inode.size)
    return max(io.offset, stop)


def _reached(k: Machine, io: Transfer) -> int:
    """How far the blocks reach that were found."""
    return min(_stop(io), places(k, io).stop * k.block_size)
