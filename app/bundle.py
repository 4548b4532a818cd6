"""Our ES modules as one script, for a file that has to bring everything along.

Each module becomes a function that gives what it exports, so that no two names can meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app import assets, squeeze

_IMPORT = re.compile(r"^import (?:\{(?P<names>[^}]*)\} from )?'\./(?P<path>[\w-]+\.js)'\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?P<kind>class|const|function) (?P<name>\w+)", re.MULTILINE)


def bundle(entry: str) -> str:
    """The module `entry` ("fault-player.js") with all it imports, the imported ones first.

    Raises:
        ValueError: when a module has an import or an export in another form than ours have.
    """
    return "".join(_modules(entry, {}))


def _modules(name: str, done: dict[str, None]) -> Iterator[str]:
    if name in done:
        return
    done[name] = None
    source = squeeze.script((assets.static_dir() / "js" / name).read_text(encoding="utf-8"))
    for match in _IMPORT.finditer(source):
        yield from _modules(match["path"], done)
    yield _wrapped(name, source)


def _wrapped(name: str, source: str) -> str:
    taken = "".join(
        f"const {{{match['names']}}} = {_variable(match['path'])};\n"
        for match in _IMPORT.finditer(source)
        if match["names"]
    )
    exported = ", ".join(match["name"] for match in _EXPORT.finditer(source))
    body = _EXPORT.sub(r"\g<kind> \g<name>", _IMPORT.sub("", source))
    if re.search(r"^(?:import|export)\b|\bimport\(", body, re.MULTILINE):
        raise ValueError(f"{name} imports or exports in a way that a bundle does not know")
    return f"const {_variable(name)} = (() => {{\n{taken}{body}return {{{exported}}};\n}})();\n"


def _variable(path: str) -> str:
    return "$" + path.removesuffix(".js").replace("-", "_")
