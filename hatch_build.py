"""What the wheel carries beside the packages: templates, static files, documentation and htmx.

htmx (0BSD) is never committed. The build takes it from the django-htmx wheel, which pyproject.toml pins
in `build-system.requires`. An editable install gets none of this: there `app.assets` reads the source tree.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HTMX = Path("static", "django_htmx", "htmx-2.min.js")


class AssetsHook(BuildHookInterface):
    """Put templates/, static/, docs/ and htmx where `app.assets` looks for them in a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the files to the wheel, unless it is the editable one."""
        if version == "editable":
            return
        build_data["force_include"] |= {
            str(Path(self.root, "templates")): "app/_templates",
            str(Path(self.root, "static")): "app/_static",
            str(Path(self.root, "docs")): "app/_docs",
            str(htmx()): "app/_static/vendor/htmx.min.js",
        }


def htmx() -> Path:
    """The htmx file of the installed django-htmx, found without importing it (it would import Django).

    Raises:
        FileNotFoundError: when django-htmx is not installed, or has the file no more.
    """
    spec = find_spec("django_htmx")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the wheel takes htmx from django-htmx, which is not installed: make install")
    path = Path(spec.origin).parent / HTMX
    if not path.is_file():
        raise FileNotFoundError(f"the installed django-htmx has no {HTMX}: pin the version of pyproject.toml")
    return path
