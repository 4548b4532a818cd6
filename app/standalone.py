"""A run in one file: player, trace, styles and all, which opens from a stick with no network and asks nobody."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from typing import NamedTuple

from markupsafe import Markup

from app import assets, bundle, squeeze, static_files, templating
from app.runs import Run


class Inside(NamedTuple):
    """What the file brings along, and the policy that lets it use that and nothing else."""

    style: Markup
    script: Markup
    policy: str


def page(run: Run, step: int, base: str = "") -> str:
    """The file, opened on a step; it names the run's address at `base`, if it is given one."""
    address = run.order.link.embed(framed=False)
    whole = base + address.url(step=step) if base else ""
    said = templating.player_context(run, step)
    return templating.environment().get_template("standalone.html").render(**said, whole=whole, inside=inside())


@cache
def inside() -> Inside:
    """Styles and script, the same in every file."""
    style = static_files.files().bodies[squeeze.SITE].plain.decode() + _sheet("player.css")
    style += f"@media (prefers-contrast: more){{{_sheet('contrast.css')}}}"
    script = bundle.bundle("fault-player.js")
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; base-uri 'none'"
    return Inside(Markup(style), Markup(script), f"{policy}; form-action 'none'")  # noqa: S704 - our own files


def _sheet(name: str) -> str:
    return squeeze.sheet((assets.static_dir() / "css" / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
