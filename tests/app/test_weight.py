"""The first view is light, and what is sent says the same as what is written."""

import gzip
import html
import re

import pytest
from starlette.testclient import TestClient

from app import squeeze, static_files
from app.assets import static_dir
from app.catalogue import home
from app.links import RunLink
from engine import gallery

KILOBYTE = 1_000
FIRST_VIEW = 60 * KILOBYTE
BY_ITSELF = 80 * KILOBYTE
LINKED = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')
LATER = re.compile(r'hx-get="([^"]+)"[^>]* hx-trigger="load"')


def first_view(client: TestClient, path: str) -> int:
    """What must have come before a page is shown and its links work, packed as it is sent: the page, its sheets, scripts.

    The scripts count although no link waits for them. htmx does not count, and what the page asks for when it is there
    does not either: that is `later`.
    """
    page = client.get(path).text
    linked = {url for url in LINKED.findall(page) if "/vendor/" not in url}
    return packed(page.encode(), 5) + sum(packed(client.get(url).content, 9) for url in linked)


def later(client: TestClient, path: str) -> int:
    """What a page asks for by itself when it is there, packed: the trace, other kernels, sources, all steps."""
    urls = [html.unescape(url) for url in LATER.findall(client.get(path).text)]
    return sum(packed(client.get(url, headers={"HX-Request": "true"}).content, 6) for url in urls)


def packed(content: bytes, level: int) -> int:
    return len(gzip.compress(content, level))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/kernel/linux-6.18",
        "/run/mail/linux-2.6.9?step=43",
        "/run/mail/linux-2.6.9?story=1",
    ],
)
def test_a_first_view_has_at_most_sixty_kilobytes(client: TestClient, path: str) -> None:
    assert first_view(client, path) <= FIRST_VIEW


@pytest.mark.timeout(300)  # it opens every scenario with all that its page loads
def test_the_first_view_of_every_scenario_has_at_most_sixty_kilobytes(client: TestClient) -> None:
    heavy = {}
    for scenario in gallery().values():
        path = RunLink(scenario.id, home(scenario).id).url()
        if (size := first_view(client, path)) > FIRST_VIEW:
            heavy[path] = size
    assert heavy == {}


def test_a_run_has_at_most_eighty_kilobytes_with_all_that_it_loads_by_itself(client: TestClient) -> None:
    path = "/run/mail/linux-2.6.9?story=1"
    assert LATER.findall(client.get(path).text)[-1] == "/run/mail/linux-2.6.9/trace"
    assert first_view(client, path) + later(client, path) <= BY_ITSELF


def test_what_a_first_view_leaves_out_comes_when_it_is_there(client: TestClient) -> None:
    path = "/run/xfstests-generic-619/linux-6.18"
    page = client.get(f"{path}?step=300").text
    assert page.count('data-at="step/') == 200
    assert 'data-at="step/300" data-now="true"' in page
    assert f'hx-get="{path}/events"' in page
    steps = len(client.get(f"{path}.json").json()["trace"])
    assert client.get(f"{path}/events").text.count('data-at="step/') == steps
    assert page.count('<div class="function"') == 1
    assert client.get(f"{path}/functions").text.count('<div class="function"') > 20


def test_the_sheet_of_the_site_has_every_sheet_in_order() -> None:
    sent = static_files.files().bodies[squeeze.SITE].plain.decode()
    places = [sent.index(squeeze.sheet((static_dir() / "css" / name).read_text())) for name in squeeze.SHEETS]
    assert places == sorted(places)
    assert sent.startswith("@layer tokens")


def test_a_comment_is_left_out_and_code_is_not() -> None:
    assert squeeze.sheet('a { /* why */ b: "x; y"; }\n\n/* c */ d, e { f: calc(1px + 2px) }') == (
        'a{b: "x; y"}d,e{f: calc(1px + 2px)}'
    )
    assert squeeze.script("/** Why. */\nlet a = 'http://b' // c\n  // d\nlet e\n") == "let a = 'http://b' // c\nlet e\n"


def test_no_string_of_a_sheet_would_be_changed() -> None:
    for path in (static_dir() / "css").glob("*.css"):
        written = squeeze.CSS_COMMENT.sub("", path.read_text(encoding="utf-8"))
        assert re.findall(r'"[^"\n]*"', squeeze.sheet(written)) == re.findall(r'"[^"\n]*"', written), path.name


def test_no_script_has_a_text_of_several_lines() -> None:
    for path in (static_dir() / "js").glob("*.js"):
        bare = squeeze.script(path.read_text(encoding="utf-8"))
        assert all(line.count("`") % 2 == 0 for line in bare.splitlines()), path.name
