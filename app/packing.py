"""Long texts in letters that an address may have: what stands behind the # of a long link."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode


def pack(content: str) -> str:
    """A text, deflated, in letters of an address."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return urlsafe_b64encode(packer.compress(content.encode()) + packer.flush()).decode().rstrip("=")


def unpack(packed: str) -> str:
    """The text that was packed here. What strangers send is read by `app.orders.unpacked`, which has limits."""
    return zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), -zlib.MAX_WBITS).decode()
