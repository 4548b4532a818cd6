"""Disk quota of a user. After fs/dquot.c, 2.6.9 (check_bdq). Units: filesystem blocks and seconds; limit 0 = none."""

from __future__ import annotations

from engine.journal import Cell, Entity, Journal


class Quota(Entity):
    """One dquot. `expires` is when the grace time over the soft limit ends (seconds of the machine's clock)."""

    used = Cell[int]()
    soft = Cell[int]()
    hard = Cell[int]()
    expires = Cell[int | None]()
    promised = Cell[int | None]()

    def __init__(self, journal: Journal, user: str, soft: int, hard: int, grace: int) -> None:
        super().__init__(journal, f"quota/{user}")
        self.user, self.grace = user, grace
        self.used, self.soft, self.hard = 0, soft, hard

    def refuses(self, blocks: int, now: int, *, privileged: bool) -> bool:
        """Hard limit first, then a soft limit exceeded for longer than the grace time; the privileged pass both."""
        wanted = self.used + (self.promised or 0) + blocks
        if privileged:
            return False
        if self.hard and wanted > self.hard:
            return True
        return bool(self.soft and wanted > self.soft and self.expires is not None and now >= self.expires)

    def charge(self, blocks: int, now: int) -> None:
        """Account for blocks; the first one over the soft limit starts the grace time."""
        self.used = self.used + blocks
        if self.soft and self.used > self.soft:
            self.expires = now + self.grace if self.expires is None else self.expires

    def promise(self, blocks: int, now: int) -> None:
        """Reserve for delayed allocation (dquot_reserve_block); the grace time starts here too."""
        self.promised = (self.promised or 0) + blocks or None
        if self.soft and self.used + (self.promised or 0) > self.soft and self.expires is None:
            self.expires = now + self.grace

    def forget(self, blocks: int) -> None:
        """Take a reservation back (dquot_release_reservation_block), or before it becomes a charge."""
        self.promised = (self.promised or 0) - blocks or None

    def release(self, blocks: int) -> None:
        """Give blocks back; under the soft limit the grace time is over."""
        self.used = self.used - blocks
        if self.used <= self.soft:
            self.expires = None
