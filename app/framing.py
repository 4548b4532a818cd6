"""What other sites put into their pages to frame a run: a snippet of HTML."""

from __future__ import annotations

from html import escape

from app.links import RunLink

WIDTH, HEIGHT = 800, 640
"""The size of a frame in pixels where nobody asks for another."""
NARROWEST, LOWEST = 320, 240


def snippet(base: str, link: RunLink, title: str, step: int | None = None, size: tuple[int, int] = (0, HEIGHT)) -> str:
    """The HTML that frames a run at a step; a width of 0 takes what there is. `base` is the address of this site."""
    wide, high = size
    address = escape(base + link.embed().url(step=step))
    measure = f'width="{wide}"' if wide else 'width="100%"'
    return (
        f'<iframe src="{address}" title="{escape(title)}" {measure} height="{high}" frameborder="0" loading="lazy" '
        'sandbox="allow-scripts allow-popups" allowfullscreen></iframe>'
    )
