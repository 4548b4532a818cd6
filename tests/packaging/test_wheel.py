"""The wheel is the whole site: installed elsewhere, it serves what the source tree does, anywhere."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from app.assets import docs_dir, htmx_bytes, static_dir, templates_dir

ROOT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
START_SECONDS = 20


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from this tree with the pinned builder in .tools; `make wheel` does it in a clean environment."""
    folder = tmp_path_factory.mktemp("wheel")
    run(
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        str(folder),
        cwd=ROOT,
        PYTHONPATH=str(ROOT / ".tools"),
    )
    [path] = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the wheel's files and nothing of the source tree."""
    folder = tmp_path_factory.mktemp("installed")
    options = ("--no-deps", "--no-index", "--offline", "--python", sys.executable, "--target", str(folder))
    run("-m", "uv", "pip", "install", *options, str(wheel), cwd=folder, PYTHONPATH=str(ROOT / ".tools"))
    return folder


def test_the_wheel_carries_all_that_the_source_tree_serves(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    for folder, place in (
        (templates_dir(), "app/_templates"),
        (static_dir(), "app/_static"),
        (docs_dir(), "app/_docs"),
    ):
        files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        assert files
        assert {f"{place}/{name}" for name in files} <= names
    assert {f"engine/scenarios/{path.name}" for path in (ROOT / "engine/scenarios").glob("*.yaml")} <= names
    assert ZipFile(wheel).read("app/_static/vendor/htmx.min.js") == htmx_bytes()


def test_the_wheel_carries_its_licence_and_no_test(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    assert {name.rpartition("/")[2] for name in names if ".dist-info/licenses/" in name} == {
        "LICENSE",
        "NOTICE",
    }
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"app", "engine"}


def test_the_wheel_does_not_ask_for_django(wheel: Path) -> None:
    [metadata] = [name for name in ZipFile(wheel).namelist() if name.endswith(".dist-info/METADATA")]
    assert b"django" not in ZipFile(wheel).read(metadata).lower()


@pytest.mark.slow
def test_installed_elsewhere_it_serves_the_site(installed: Path, tmp_path: Path) -> None:
    with serving(installed, tmp_path) as site:
        [first, *_] = re.findall(r'href="(/run/[^"]+)"', read(site).decode())
        page = read(urljoin(site, first)).decode()
        scripts = re.findall(r'<script[^>]+src="([^"]+)"', page)
        sheets = re.findall(r'<link[^>]+rel="stylesheet"[^>]+href="([^"]+)"', page)
        assert htmx_bytes() in [read(urljoin(site, script)) for script in scripts]
        assert sheets
        assert all(read(urljoin(site, sheet)) for sheet in sheets)


@contextmanager
def serving(installed: Path, folder: Path) -> Iterator[str]:
    """`pagefate serve` of the installed wheel, started in an empty folder; gives the site's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # -S: the dependencies come by PYTHONPATH, and the editable install of the source tree does not.
    paths = os.pathsep.join((str(installed), SITE_PACKAGES))
    environment = os.environ | {"PYTHONPATH": paths, "PAGEFATE_DATA": str(folder)}
    command = [sys.executable, "-S", "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    server = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        site = f"http://127.0.0.1:{port}/"
        wait_until_healthy(server, site)
        yield site
    finally:
        server.terminate()
        server.wait(timeout=10)


def wait_until_healthy(server: subprocess.Popen[bytes], site: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert server.poll() is None, "the server ended before it answered"
        with suppress(URLError, ConnectionError):
            read(urljoin(site, "/healthz"))
            return
        time.sleep(0.1)
    pytest.fail(f"no answer in {START_SECONDS} s")


def read(address: str) -> bytes:
    with urlopen(address, timeout=5) as answer:  # noqa: S310 -- the address is ours, on loopback
        assert answer.status == HTTPStatus.OK
        body: bytes = answer.read()
        return body


def run(*arguments: str, cwd: Path, **environment: str) -> None:
    """Run our Python with these arguments; what it printed is the failure's text."""
    answer = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_image_is_built_from_every_folder_that_the_wheel_carries() -> None:
    carried = re.findall(r'Path\(self\.root, "(\w+)"\)', (ROOT / "hatch_build.py").read_text())
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    assert carried
    assert all(f"!{folder}" in allowed for folder in [*carried, "app", "engine"])
