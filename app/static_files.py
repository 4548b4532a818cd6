"""Style sheets, scripts and pictures: read once, packed once, kept in memory under an address that never changes.

All files share one version, taken from all their bytes; so a script may import another by a relative path, and
every address may be kept for ever.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

from app import answers, assets, links, squeeze
from app.answers import Body
from app.troubles import Trouble

HTMX = "vendor/htmx.min.js"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Files:
    """All static files by path ("css/base.css"), and their common version."""

    version: str
    bodies: Mapping[str, Body]


@cache
def files() -> Files:
    """The files of this installation, read at the first call.

    Raises:
        FileNotFoundError: when htmx is missing (see `app.assets`).
    """
    content = dict(_read())
    content[squeeze.SITE] = squeeze.site(content)
    content = {path: squeeze.sent(path, data) for path, data in content.items()}
    digest = blake2b(digest_size=6)
    for path, data in sorted(content.items()):
        digest.update(b"%s\0%d\0%s" % (path.encode(), len(data), data))
    return Files(
        digest.hexdigest(), {path: Body.of(data, _media_type(path), level=9) for path, data in content.items()}
    )


def tag(page: str) -> str:
    """The tag of a page that this name and our code determine, known before the page is made."""
    return blake2b(f"{page} {files().version} {assets.release()}".encode(), digest_size=12).hexdigest()


def _read() -> Iterator[tuple[str, bytes]]:
    folder = assets.static_dir()
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(folder).as_posix(), path.read_bytes()
    yield HTMX, assets.htmx_bytes()


def _media_type(path: str) -> str:
    suffix = path[path.rfind(".") :]
    return _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def url(path: str) -> str:
    """The address of a static file by its path: "css/base.css".

    Raises:
        KeyError: when there is no such file; a page that names one is wrong.
    """
    if path not in files().bodies:
        raise KeyError(f"no static file {path}")
    return links.static(files().version, path)


async def serve(request: Request) -> Response:
    """The file that the address names. One of another version is served as it is now, and not kept."""
    path, version = request.path_params["path"], request.path_params["version"]
    body = files().bodies.get(path)
    if body is None:
        raise Trouble("not-found", f"There is no file {path!r}", cure="Load the page again: it names the files of now")
    cache_rule = answers.IMMUTABLE if version == files().version else answers.REVALIDATE
    return answers.answer(request, body, cache=cache_rule)
