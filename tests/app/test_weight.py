"""The first view is light, and what is sent says the same as what is written."""

import gzip
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
TRACE = re.compile(r"(<script type=\"application/json\" data-trace>).*?(</script>)", re.DOTALL)
LINKED = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')


def weight(client: TestClient, path: str) -> int:
    """What a first visit sends, packed: the page without its trace, the style sheets, the scripts; not htmx."""
    page = client.get(path).text
    linked = {url for url in LINKED.findall(page) if "/vendor/" not in url}
    parts = [gzip.compress(client.get(url).content, 9) for url in linked]
    parts.append(gzip.compress(TRACE.sub(r"\1\2", page).encode(), 5))
    return sum(map(len, parts))


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
    assert weight(client, path) <= FIRST_VIEW


@pytest.mark.timeout(300)  # it opens every scenario with all that its page loads
def test_the_first_view_of_every_scenario_has_at_most_sixty_kilobytes(client: TestClient) -> None:
    heavy = {}
    for scenario in gallery().values():
        path = RunLink(scenario.id, home(scenario).id).url()
        if (size := weight(client, path)) > FIRST_VIEW:
            heavy[path] = size
    assert heavy == {}


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
