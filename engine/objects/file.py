"""struct file: an open file, and its memory of errors. include/linux/fs.h f_wb_err, lib/errseq.c, since 4.13."""

from __future__ import annotations

from dataclasses import replace

from engine.journal import Cell, Entity, Journal
from engine.objects.mapping import AddressSpace, ErrorCursor, ErrSeq
from engine.values import OK


class OpenFile(Entity):
    """One open file. `since`: the error of the file that it has heard of; `sb_since`: that of the whole filesystem."""

    opened = Cell[bool | None]()
    since = Cell[ErrSeq | None]()
    sb_since = Cell[ErrSeq | None]()

    def __init__(self, journal: Journal, name: str) -> None:
        super().__init__(journal, f"fd/{name}")

    def sample(self, mapping: AddressSpace, sb: ErrorCursor) -> None:
        """errseq_sample(): what somebody has seen does not concern this one; what nobody has seen does (4.17)."""
        self.opened, self.since, self.sb_since = True, _sample(mapping), _sample(sb)

    def check_and_advance(self, mapping: AddressSpace) -> str:
        """errseq_check_and_advance(): the error since last time, once; "0" if there is none."""
        mapping.enospc = mapping.eio = None
        errno, self.since = _advance(mapping, self.since)
        return errno

    def check_filesystem(self, sb: ErrorCursor) -> str:
        """The same of the whole filesystem, for syncfs(2)."""
        errno, self.sb_since = _advance(sb, self.sb_since)
        return errno


def _sample(cursor: ErrorCursor) -> ErrSeq | None:
    error = cursor.wb_err
    return error if error is not None and error.seen else None


def _advance(cursor: ErrorCursor, since: ErrSeq | None) -> tuple[str, ErrSeq | None]:
    error = cursor.wb_err
    if error is None or replace(error, seen=True) == since:
        return OK, since
    seen = replace(error, seen=True)
    cursor.wb_err = seen
    return error.errno, seen
