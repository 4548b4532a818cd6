"""The address of what became of bytes: it belongs to links.py, which is long enough.

/run/{scenario}/{kernel}/bytes?step=&of=&ahead=    the way of the bytes that a thing of the picture holds at a step

`of` is the address of the thing (`slot/f/2`, `diskslot/f/2`, `ledger/A.3`), or left out for every store of the run;
with `ahead=1` the answer waits until it is known from which step on each store was doomed.
"""

from __future__ import annotations

from urllib.parse import quote

from app.links import SAFE, RunLink

PART = "/bytes"


def address(run: RunLink, step: int, of: str = "", *, ahead: bool = False) -> str:
    """Where the way of bytes is told."""
    url = run.url(step=step, suffix=PART)
    return url + (f"&of={quote(of, safe=SAFE)}" if of else "") + ("&ahead=1" if ahead else "")
