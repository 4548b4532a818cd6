"""What every test may rely on: the rule for browser tests, one Chromium a process, and golden transcripts."""

import ctypes.util
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

settings.register_profile("pagefate", deadline=None)  # a shared machine may be slow: no test is about time
settings.load_profile("pagefate")

TRANSCRIPTS = Path(__file__).with_name("transcripts")
SNAPSHOTS = Path(__file__).with_name("snapshots")
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str | None:
    """The browser the tests drive: $CHROMIUM, or the first one installed under a usual name."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def why_no_browser() -> str | None:
    """The sentence that says what the browser tests miss on this machine; None when they can run."""
    missing = [] if chromium_path() else ["chromium"]
    if os.uname().sysname == "Linux" and ctypes.util.find_library("atomic") is None:
        missing.append("libatomic1")
    if not missing:
        return None
    return f"the browser tests need {' and '.join(missing)}: run `make browser` as root, or install it"


def is_browser_required() -> bool:
    """Whether a browser test that can not run is a failure: under CI, or on request."""
    wishes = (os.environ.get(name, "").lower() for name in ("CI", "REQUIRE_BROWSER"))
    return any(wish not in ("", "0", "false") for wish in wishes)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make transcripts`, `make snapshots` and `make slow` pass these."""
    parser.addoption("--rewrite-transcripts", action="store_true", help="accept what the tests print as golden")
    parser.addoption("--rewrite-snapshots", action="store_true", help="accept the pictures of the tests as golden")
    parser.addoption(
        "--slow-browser", action="store_true", help="a slow line and a slow computer: races show themselves"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a browser test where there is no browser, saying why; under CI fail with the same sentence."""
    reason = why_no_browser() if item.get_closest_marker("browser") else None
    if reason is None:
        return
    if is_browser_required():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; each test opens a context of its own in it."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def is_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Holds a text to the file of that name in tests/transcripts; `make transcripts` writes the files."""
    return _holding(TRANSCRIPTS, "transcripts", rewrite=request.config.getoption("--rewrite-transcripts"))


@pytest.fixture
def is_snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Holds a picture in words to the file of that name in tests/snapshots; `make snapshots` writes the files."""
    return _holding(SNAPSHOTS, "snapshots", rewrite=request.config.getoption("--rewrite-snapshots"))


def _holding(folder: Path, target: str, *, rewrite: bool) -> Callable[[str, str], None]:
    """Compares a text with the file of a name in a folder, or writes the file."""

    def compare(name: str, text: str) -> None:
        path = folder / f"{name}.txt"
        if rewrite:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert path.is_file(), f"no golden {path.name}: run `make {target}` and read it"
        assert text == path.read_text(encoding="utf-8"), f"not as in {path.name}; if it should: make {target}"

    return compare
