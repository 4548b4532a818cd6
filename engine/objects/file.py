"""struct file: an open file, and its memory of errors. include/linux/fs.h f_wb_err, lib/errseq.c, since 4.13."""

from __future__ import annotations

from dataclasses import replace

from engine.journal import Cell, Entity, Journal
from engine.objects.mapping import AddressSpace, ErrSeq
from engine.values import OK


class OpenFile(Entity):
    """One open file. `since` is the file's error that it has heard of, or that was there before it was opened."""

    opened = Cell[bool | None]()
    since = Cell[ErrSeq | None]()

    def __init__(self, journal: Journal, name: str) -> None:
        super().__init__(journal, f"fd/{name}")

    def sample(self, mapping: AddressSpace) -> None:
        """errseq_sample(): what somebody has seen does not concern this one; what nobody has seen does (4.17)."""
        error = mapping.wb_err
        self.opened, self.since = True, error if error is not None and error.seen else None

    def check_and_advance(self, mapping: AddressSpace) -> str:
        """errseq_check_and_advance(): the error since last time, once; "0" if there is none."""
        error, mapping.enospc, mapping.eio = mapping.wb_err, None, None
        if error is None or error == self.since:
            return OK
        seen = replace(error, seen=True)
        if seen == self.since:
            return OK
        mapping.wb_err, self.since = seen, seen
        return error.errno
