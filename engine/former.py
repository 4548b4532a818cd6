"""What steps were called before: names in old links and schedules go on meaning what they meant.

A step's name is part of the interface. Whoever renames one writes the old name here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

FORMER: Final[Mapping[str, str]] = {
    "enough_space.lock_page": "block_page_mkwrite.lock_page",
    "enough_space.still_there": "block_page_mkwrite.still_there",
    "enough_space.get_block": "block_page_mkwrite.get_block",
    "enough_space.mapped": "block_page_mkwrite.mapped",
    "enough_space.commit_write": "block_page_mkwrite.commit_write",
}
"""The former name of a step, "function.step", and the present one."""


def present(function: str, step: str) -> tuple[str, str]:
    """The function and the step of today that once had these names; the same where nothing was renamed."""
    function, _, step = FORMER.get(f"{function}.{step}", f"{function}.{step}").partition(".")
    return function, step
