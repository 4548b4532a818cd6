"""QR codes, so that a room full of telephones can open an address."""

from __future__ import annotations

import io

import segno

QUIET = 4
"""The empty border that readers need, in modules (ISO/IEC 18004)."""


def svg(text: str) -> str:
    """A picture of `text` as an SVG element: black on white in every theme, as large as its surroundings allow.

    Raises:
        ValueError: when the text is longer than a QR code holds (2,953 bytes).
    """
    made = io.BytesIO()
    code = segno.make(text, micro=False)
    code.save(
        made, kind="svg", xmldecl=False, svgns=True, nl=False, omitsize=True, border=QUIET, dark="#000", light="#fff",
        svgclass="qr", lineclass=None,
    )  # fmt: skip
    return made.getvalue().decode()
