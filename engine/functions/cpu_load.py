"""A load instruction, as the CPU executes it. What it reads is what the frame holds, whatever the disk says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.function import KernelFunction, Next, call, ret, tail
from engine.functions.cpu_store import span
from engine.functions.do_exit import DoExit
from engine.functions.do_page_fault import DoPageFault
from engine.functions.user_range import MapRef, vpn_at
from engine.values import SIGBUS

if TYPE_CHECKING:
    from engine.machine import Machine


@dataclass
class CpuLoad(KernelFunction):
    """Loads bytes [start, stop) of a mapping; the line's result is their text, zero bytes as dots."""

    c_name = "load"
    source = "the CPU: Intel manual, volume 3, paging"
    target: str | None
    var: str
    start: int
    stop: int
    at: int = -1
    text: str = ""
    fault: str = ""

    def tlb(self, k: Machine) -> Next:
        """The CPU asks its TLB: is this address known?"""
        self.at = self.start if self.at < 0 else self.at
        if not isinstance(k.current.mm.lookup(self.var), MapRef):
            k.finish_line("no mapping")
            return ret()
        if k.cpu(k.current).translate(k.current.mm, vpn_at(k, self.var, self.at), write=False):
            k.answer("hit")
            return self.read
        k.answer("miss")

    def walk(self, k: Machine) -> Next:
        """The MMU walks page directory and page table."""
        entry = k.cpu(k.current).walk(k.current.mm, vpn_at(k, self.var, self.at), write=False)
        k.answer("no way: trap" if entry is None else f"frame {entry.pfn}")
        if entry is not None:
            return self.read

    def trap(self, k: Machine) -> Next:
        """The CPU cannot go on: it traps into the kernel."""
        return call(DoPageFault(vpn_at(k, self.var, self.at), False), into="fault")

    def resume(self, k: Machine) -> Next:
        """Back from the kernel: the same instruction is tried again, unless a signal is due."""
        if self.fault.startswith("SIG") or self.fault == "OOM":
            return self.signal
        return self.tlb

    def read(self, k: Machine) -> Next:
        """The bytes come from the page frame."""
        entry = k.cpu(k.current).tlb[vpn_at(k, self.var, self.at)]
        if entry is None:
            return self.walk
        low, high = span(k, self.at, self.stop)
        text = self.text + k.page(entry.pfn).content.part(low, high).text()
        self.text, self.at = text[:64], self.at + high - low
        if self.at < self.stop:
            return self.tlb
        k.finish_line(self.text)
        k.answer(self.text)
        return ret()

    def signal(self, k: Machine) -> Next:
        """There is nothing to load: the program gets a signal."""
        k.finish_line(self.fault)
        if self.fault != SIGBUS or k.scenario.tasks[k.current.task].on_sigbus == "die":
            return tail(DoExit(self.fault))
        self.at = (self.at // k.page_size + 1) * k.page_size
        return self.tlb if self.at < self.stop else ret()
