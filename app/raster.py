"""A drawing in pixels: PNG by resvg, with fonts that come with the installation, so that all servers draw the same."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

SANS, MONO = "IBM Plex Sans", "JetBrains Mono"
FONTS = ("fontpkg_ibm_plex_sans", "fontpkg_jetbrains_mono")
"""The packages with the fonts: OFL, and pinned like any other."""


def png(svg: str, *, width: int | None = None) -> bytes:
    """The drawing as PNG, `width` pixels wide or as it says itself."""
    import resvg_py  # noqa: PLC0415 - three megabytes that most processes never need

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg,
            width=width,
            font_files=_fonts(),
            skip_system_fonts=True,
            sans_serif_family=SANS,
            monospace_family=MONO,
            font_family=SANS,
        )
    )


@cache
def _fonts() -> list[str]:
    """The upright fonts.

    Raises:
        FileNotFoundError: when a package is missing; it is a dependency, so the installation is broken.
    """
    found = []
    for package in FONTS:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise FileNotFoundError(f"the font package {package} is missing: run `make install`")
        found += [
            str(path)
            for path in sorted((Path(spec.origin).parent / "files").glob("*.ttf"))
            if "Italic" not in path.name
        ]
    return found
