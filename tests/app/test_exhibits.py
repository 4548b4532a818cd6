"""The compiler's complaints cut at the token they point to, defects by their code, code as a listing."""

import pytest

from app.exhibits import codes, complaints, culprit, defects, plain
from app.listing import listing, prose
from engine import KERNELS


@pytest.mark.parametrize(
    ("line", "message", "token", "before"),
    [
        ("p = f(g(p)));", "parse error before ')' token", ")", "p = f(g(p))"),
        (
            "entry = pte_wrprotect(pte);",
            "'pte' undeclared (first use in this function)",
            "pte",
            "entry = pte_wrprotect(",
        ),
        ("no such thing", "'gone' undeclared", "", "no such thing"),
        ("a line", "a message that quotes nothing", "", "a line"),
    ],
)
def test_a_message_points_to_its_token(line: str, message: str, token: str, before: str) -> None:
    start, end = culprit(line, message)
    assert (line[:start], line[start:end]) == (before, token)


def test_the_posted_patch_fails_in_three_places_the_last_at_link_time() -> None:
    found = complaints(KERNELS["wli-posted"])
    assert [(complaint.token, complaint.stage) for complaint in found] == [
        (")", "error:"),
        ("pte", "error:"),
        ("enough_space", "ld:"),
    ]
    assert complaints(KERNELS["linux-2.6.9"]) == ()


def test_codes_leave_the_caption_and_are_found() -> None:
    caption = "Make it writable: not checked again (W3), not copied (W2), and ask (defect N6)."
    assert plain(caption) == "Make it writable: not checked again, not copied, and ask."
    assert codes(caption) == ("W3", "W2", "N6")
    assert plain("Call it (again).") == "Call it (again)."


def test_every_code_in_a_caption_is_a_known_defect() -> None:
    for kernel in KERNELS.values():
        known = defects(kernel)
        for kind in kernel.functions.values():
            for name in kind.steps:
                said = codes(" ".join((getattr(kind, name).__doc__ or "").split()))
                assert set(said) <= set(known), f"{kernel.id} {kind.c_name}.{name}"


def test_a_listing_escapes_code_and_tells_words_and_strings_apart() -> None:
    assert listing('if a < b:\n    return "<in>"') == (
        "<span><b>if</b> a &lt; b:</span><span>    <b>return</b> <q>&#34;&lt;in&gt;&#34;</q></span>"
    )
    assert prose("use `a<b` & go") == "use <code>a&lt;b</code> &amp; go"
