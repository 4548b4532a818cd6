"""Where the templates, the static files and htmx are: in a source tree, or inside an installed wheel.

The wheel carries `templates/`, `static/` and htmx below this package; hatch_build.py puts them there. A
source tree holds no copy of htmx: there it is the file of the installed django-htmx, whose Python is never
imported.
"""

import re
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

import engine

MAKES_PAGES = (".py", ".html", ".svg", ".yaml", ".md", ".c")

_PACKAGE = Path(__file__).resolve().parent
_VENDORED = _PACKAGE / "_static" / "vendor" / "htmx.min.js"


def templates_dir() -> Path:
    """The folder of the Jinja2 templates."""
    return _folder("templates")


def static_dir() -> Path:
    """The folder of the style sheets and scripts that are ours; htmx may stand elsewhere (`htmx_path`)."""
    return _folder("static")


def docs_dir() -> Path:
    """The folder of the documentation, in Markdown."""
    return _folder("docs")


def htmx_path() -> Path:
    """The minified htmx 2 that pages load.

    Raises:
        FileNotFoundError: when this is a source tree and django-htmx is not installed.
    """
    if _VENDORED.is_file():
        return _VENDORED
    spec = find_spec("django_htmx")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("htmx is missing: a source tree takes it from django-htmx, so run `make install`")
    return Path(spec.origin).parent / "static" / "django_htmx" / "htmx-2.min.js"


@cache
def release() -> str:
    """What a page is made by: a digest of our code and templates, the same in every process of one installation."""
    folders = (_PACKAGE, templates_dir(), docs_dir(), Path(engine.__file__).parent)
    made_by = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in MAKES_PAGES)
    digest = blake2b(digest_size=6)
    for path in made_by:
        digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def htmx_bytes() -> bytes:
    """The script itself, read once.

    Raises:
        FileNotFoundError: as `htmx_path`.
    """
    return htmx_path().read_bytes()


def htmx_version() -> str:
    """The version that the script itself states, such as "2.0.10".

    Raises:
        FileNotFoundError: as `htmx_path`.
        ValueError: when the script states none, so it is not the htmx 2 we know.
    """
    found = re.search(rb'\bversion:"(2\.[0-9.]+)"', htmx_bytes())
    if found is None:
        raise ValueError(f"{htmx_path().name} states no version 2: is it htmx?")
    return found[1].decode()


def _folder(name: str) -> Path:
    """A folder of the wheel if this is one, of the source tree otherwise."""
    packed = _PACKAGE / f"_{name}"
    return packed if packed.is_dir() else _PACKAGE.parent / name
