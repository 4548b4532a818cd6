"""The first view is light, and what is sent says the same as what is written."""

import gzip
import re

import pytest
from starlette.testclient import TestClient

from app import squeeze, static_files
from app.assets import static_dir

KILOBYTE = 1_000
FIRST_VIEW = 60 * KILOBYTE
TRACE = re.compile(r"(<script type=\"application/json\" data-trace>).*?(</script>)", re.DOTALL)
LINKED = re.compile(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"')


@pytest.mark.parametrize("path", ["/run/mail/linux-2.6.9?step=43", "/run/last-block/wli-corrected", "/"])
def test_a_first_view_beyond_htmx_and_the_trace_has_at_most_sixty_kilobytes(client: TestClient, path: str) -> None:
    page = client.get(path).text
    linked = {url for url in LINKED.findall(page) if "/vendor/" not in url}
    parts = [gzip.compress(client.get(url).content, 6) for url in linked]
    parts.append(gzip.compress(TRACE.sub(r"\1\2", page).encode(), 5))
    assert sum(map(len, parts)) <= FIRST_VIEW


def test_the_sheet_of_the_site_has_every_sheet_in_order() -> None:
    sent = static_files.files().bodies[squeeze.SITE].plain.decode()
    places = [sent.index(squeeze.sheet((static_dir() / "css" / name).read_text())) for name in squeeze.SHEETS]
    assert places == sorted(places)
    assert sent.startswith("@layer tokens")


def test_a_comment_is_left_out_and_code_is_not() -> None:
    assert squeeze.sheet('a { /* why */ b: "x"; }\n\n/* c */ d {}') == 'a { b: "x"; } d {}'
    assert squeeze.script("/** Why. */\nlet a = 'http://b' // c\n  // d\nlet e\n") == "let a = 'http://b' // c\nlet e\n"


def test_no_string_of_a_sheet_would_be_changed() -> None:
    for path in (static_dir() / "css").glob("*.css"):
        for string in re.findall(r'"[^"\n]*"', squeeze.sheet(path.read_text(encoding="utf-8"))):
            assert "  " not in string
