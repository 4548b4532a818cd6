"""A store instruction, as the CPU executes it: TLB, walk, write. No kernel code runs unless the MMU traps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret, tail
from engine.functions.do_exit import DoExit
from engine.functions.do_page_fault import DoPageFault
from engine.functions.tlb_handlers import tlb_handler
from engine.functions.user_range import MapRef, vpn_at
from engine.values import OOM, SIGBUS, Run

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class CpuStore(KernelFunction):
    """Stores text to bytes [start, stop) of a mapping, a page at a time. `at` is the next byte."""

    c_name = "store"
    source = "the CPU: Intel manual, volume 3, paging"
    var: str
    start: int
    stop: int
    text: str
    at: int = -1
    fault: str = ""

    def tlb(self, k: Machine) -> Next:
        """The CPU asks its TLB: is this address known, and may it be stored to?"""
        if self.at < 0:
            self.at = self.start
            if not begin_record(k, self.var, self.start, self.stop, self.text):
                return self.no_mapping
        cpu, vpn = k.cpu(k.current), vpn_at(k, self.var, self.at)
        if cpu.translate(k.current.mm, vpn, write=True):
            k.answer("hit")
            return self.write
        held = cpu.tlb[vpn]
        k.answer("miss" if held is None else "no store: trap" if held.write else "read-only: trap")
        return self.tlb_exception if k.format.refill else self.walk if held is None else self.trap

    def walk(self, k: Machine) -> Next:
        """The MMU walks the page tables, level by level."""
        if k.format.refill:
            return self.tlb_exception
        found = k.cpu(k.current).walk(k.current.mm, vpn_at(k, self.var, self.at), write=True)
        k.answer(f"{found}: trap" if isinstance(found, str) else f"frame {found.pfn}")
        if not isinstance(found, str):
            return self.write

    def trap(self, k: Machine) -> Next:
        """The CPU cannot go on: it forgets what it knew of this address and traps into the kernel."""
        k.cpu(k.current).tlb[vpn_at(k, self.var, self.at)] = None
        return call(DoPageFault(vpn_at(k, self.var, self.at), True), into="fault")

    def resume(self, k: Machine) -> Next:
        """Back from the kernel: the same instruction is tried again, unless a signal is due."""
        return self.signal if is_signal(self.fault) else self.tlb

    def write(self, k: Machine) -> Next:
        """The bytes change in memory; the dirty bit is set, unless the TLB says it is. The kernel does not notice."""
        if not k.cpu(k.current).mark_dirty(k.current.mm, vpn_at(k, self.var, self.at)):
            return self.walk
        low, high = span(k, self.at, self.stop)
        put(k, vpn_at(k, self.var, self.at), Run(low - self.at + self.start, high, self.text, "").cut(low, high))
        self.at += high - low
        if self.at < self.stop:
            return self.tlb
        k.finish_line(k.result(k.current.task, k.current.line).result or "ok")
        return ret()

    def signal(self, k: Machine) -> Next:
        """The store never happens: the program gets a signal and learns of it with its data still in hand."""
        record = k.store(k.current.task, k.current.line)
        record.refused = self.fault
        k.finish_line(self.fault)
        if self.fault != SIGBUS or k.scenario.tasks[k.current.task].on_sigbus == "die":
            return tail(DoExit(self.fault))
        self.at = (self.at // k.page_size + 1) * k.page_size
        return self.tlb if self.at < self.stop else ret()

    def no_mapping(self, k: Machine) -> Next:
        """There is no mapping to store to."""
        k.finish_line("no mapping")
        return ret()

    def tlb_exception(self, k: Machine) -> Next:
        """No MMU walks here. The CPU keeps what its TLB says and traps into the code that fills it."""
        return call(tlb_handler(k, vpn_at(k, self.var, self.at), write=True), into="fault")

    def eret(self, k: Machine) -> Next:
        """Back from the handler: the same instruction is tried again, unless a signal is due."""
        return self.signal if is_signal(self.fault) else self.tlb


def is_signal(fault: str) -> bool:
    """Whether what a trap came to ends the instruction."""
    return fault.startswith("SIG") or fault == OOM


def begin_record(k: Machine, var: str, start: int, stop: int, text: str) -> bool:
    """Note where a store to bytes [start, stop) of a mapping is bound for: a range of a file, or of memory alone.

    False if the variable holds no mapping.
    """
    ref = k.current.mm.lookup(var)
    if not isinstance(ref, MapRef):
        return False
    record, vpn = k.store(k.current.task, k.current.line), ref.start + start // k.page_size
    vma = k.current.mm.find_vma(vpn)
    bound = vma is not None and vma.reaches_file
    base = vma.index(ref.start) * k.page_size if vma is not None and bound else 0
    record.file, record.vpn = vma.file if vma is not None and bound else None, vpn
    record.start, record.stop, record.text = base + start, base + stop, text
    return True


def span(k: Machine, at: int, stop: int) -> tuple[int, int]:
    """The part of bytes [at, stop) that lies in the page of `at`, as offsets in that page."""
    low = at % k.page_size
    return low, min(k.page_size, low + stop - at)


def put(k: Machine, vpn: int, piece: Run) -> None:
    """Bytes arrive in the frame the TLB names; what is bound for a file is owed to it from now on."""
    entry = k.cpu(k.current).tlb[vpn]
    assert entry is not None
    page = k.page(entry.pfn)
    task, record, (low, high, text, _) = k.current, k.store(k.current.task, k.current.line), piece
    origin = f"{task.task}.{task.line}"
    page.data = page.content.write(low, high, text, origin)
    vma = task.mm.find_vma(vpn)
    file = vma.file if vma is not None and vma.reaches_file else None
    base = (vma.index(vpn) if vma is not None and file else vpn) * k.page_size
    record.accepted = (*(record.accepted or ()), (base + low, base + high))
    if file is not None:
        orphan = k.mappings[file].pages[base // k.page_size] != page.pfn
        k.accept(file, Run(base + low, base + high, text, origin), orphan=orphan)
