"""Where there is no browser, its tests skip and say why; under CI the same sentence fails them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "the browser tests need chromium"


@pytest.fixture
def browser_test(tmp_path: Path) -> Path:
    path = tmp_path / "test_with_a_browser.py"
    path.write_text("import pytest\n\n@pytest.mark.browser\ndef test_one(): pass\n")
    return path


def pytest_without_a_browser(test: Path, **wishes: str) -> subprocess.CompletedProcess[str]:
    """Run one test file by the rules of this project on a path that holds no browser."""
    hidden = {"CI", "REQUIRE_BROWSER", "CHROMIUM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"PATH": str(test.parent), "PYTHONPATH": str(ROOT)} | wishes
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(test.parent), str(test)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_without_a_browser_its_tests_skip_and_say_why(browser_test: Path) -> None:
    answer = pytest_without_a_browser(browser_test)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "1 skipped" in answer.stdout
    assert SENTENCE in answer.stdout


@pytest.mark.parametrize("wish", ["CI", "REQUIRE_BROWSER"])
def test_where_a_browser_is_required_its_absence_fails_with_the_same_sentence(browser_test: Path, wish: str) -> None:
    answer = pytest_without_a_browser(browser_test, **{wish: "true"})
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert SENTENCE in answer.stdout
