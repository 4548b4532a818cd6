"""What DESIGN.md says of the tree, held by reading it: who imports whom, how long things get."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for top in ("app", "engine")
    for path in sorted((ROOT / top).rglob("*.py"))
}
KERNEL_MODULES = [name for name in MODULES if name.startswith(("engine.functions.", "engine.kernels."))]

LAYERS = (
    ("app",),
    ("engine",),  # run, trace, scenario and whatever has no line of its own below
    ("engine.kernels",),
    ("engine.functions", "engine.machine", "engine.kernel", "engine.locking"),
    ("engine.objects", "engine.fs", "engine.hardware"),
    (
        "engine.values",
        "engine.function",
        "engine.journal",
        "engine.errors",
        "engine.operations",
        "engine.sizes",
    ),
)
"""From the top down: a module imports from its own line and from the lines below, never from above."""

GUESTS = {
    "engine.beats": {"pydantic", "pydantic_core"},
    "engine.scenario": {"pydantic", "pydantic_core", "yaml"},
    "engine.document": {"yaml"},
    "engine.shape": {"yaml"},
}
"""What an engine module may import beside the engine and the standard library."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONGEST_KERNEL_FUNCTION = 60
LONGEST_STEP = 12


def test_there_is_something_to_hold() -> None:
    assert {"app.main", "engine.journal", "engine.functions.do_no_page"} <= MODULES.keys()


@pytest.mark.parametrize("name", MODULES)
def test_imports_point_down(name: str) -> None:
    upward = [other for other in imports(name) if other in MODULES and layer(other) < layer(name)]
    assert not upward, f"{name} stands below what it imports"


@pytest.mark.parametrize("name", [name for name in MODULES if name.startswith("engine")])
def test_the_engine_needs_only_the_standard_library(name: str) -> None:
    tops = {other.partition(".")[0] for other in imports(name)}
    assert tops <= sys.stdlib_module_names | {"engine"} | GUESTS.get(name, set())


@pytest.mark.parametrize("name", KERNEL_MODULES)
def test_a_kernel_function_fits_a_screen_and_a_step_a_glance(name: str) -> None:
    source = read(name)
    for function in [node for node in ast.walk(parse(name)) if isinstance(node, ast.ClassDef)]:
        methods = [node for node in function.body if isinstance(node, ast.FunctionDef)]
        steps = [method for method in methods if not method.name.startswith("_")]
        long = {step.name: count for step in steps if (count := lines(step, source)) > LONGEST_STEP}
        assert not long, f"{function.name} has steps over {LONGEST_STEP} lines"
        assert lines(function, source) <= LONGEST_KERNEL_FUNCTION, function.name


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_stay_small(name: str) -> None:
    assert len(read(name)) <= LONGEST_FILE
    for node in ast.walk(parse(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, f"{name}:{node.lineno} {node.name}"


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(r"pypi[.]org|python[h]osted[.]|registry[.]npm|index[-]url[ =]+\w+:")
    assert [name for name, text in texts() if hosts.search(text)] == []


def test_locks_hold_versions_and_hashes_only() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        for line in lock.read_text(encoding="utf-8").splitlines():
            assert re.match(r"[a-z0-9-]+==\S+( ; .*)? \\$|    --hash=sha256:[0-9a-f]{64}( \\)?$|\s*#", line), line


def test_no_lock_brings_django() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        assert not re.search(r"^(django|asgiref|sqlparse)==", lock.read_text(encoding="utf-8"), re.MULTILINE)


def test_no_file_names_a_place_on_one_machine() -> None:
    # The folder this tree stands in is one machine's business, and so is anybody's home.
    places = re.compile(rf"{re.escape(str(ROOT))}/|/(?:root|home/\w+|Users/\w+)/")
    assert [name for name, text in texts() if places.search(text)] == []


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of each file of the project, leaving out what the tools make."""
    tops = [path for path in ROOT.iterdir() if not path.name.startswith(".") and path.name != "dist"]
    for top in [*tops, ROOT / ".ci", ROOT / ".dockerignore", ROOT / ".gitignore"]:
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix != ".pyc":
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8", errors="replace")


def imports(name: str) -> Iterator[str]:
    """Modules a module needs when it runs; what stands under `if TYPE_CHECKING` is for the reader only."""
    waiting: list[ast.AST] = [parse(name)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "" if node.level else node.module
            assert module, f"{name}:{node.lineno}: write the import in full"
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def layer(name: str) -> int:
    """The line of LAYERS a module stands in, 0 at the top: the one with the longest name it belongs to."""
    places = [(len(place), line) for line, names in enumerate(LAYERS) for place in names if belongs(name, place)]
    return max(places)[1]


def belongs(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def parse(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"), name)


def read(name: str) -> list[str]:
    return MODULES[name].read_text(encoding="utf-8").splitlines()


def lines(definition: Definition, source: list[str]) -> int:
    """How many lines a definition takes to read; blank ones and docstrings are not counted."""
    captions: set[int] = set()
    for node in ast.walk(definition):
        if isinstance(node, Definition) and ast.get_docstring(node):
            captions.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    numbers = range(definition.lineno, (definition.end_lineno or 0) + 1)
    return sum(number not in captions and bool(source[number - 1].strip()) for number in numbers)
