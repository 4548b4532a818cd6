"""The table of keys: each key once a page, spelt as a person reads it, and listed on the page that has it."""

import pytest

from app import keys
from app.templating import environment


@pytest.mark.parametrize("where", [keys.RUN, keys.GALLERY, keys.COMPARE, keys.REST])
def test_no_key_means_two_things(where: str) -> None:
    said = [key for action in keys.actions(where) for key in action.keys]
    assert len(said) == len(set(said))


@pytest.mark.parametrize(
    ("key", "caps"),
    [
        (" ", ("space",)),
        ("?", ("?",)),
        ("Shift+ArrowRight", ("Shift", "→")),
        ("Control+k", ("Ctrl", "K")),
        ("Control+Shift+p", ("Ctrl", "Shift", "P")),
        ("PageDown", ("PgDn",)),
        ("+", ("+",)),
    ],
)
def test_a_key_is_shown_as_its_caps_are_printed(key: str, caps: tuple[str, ...]) -> None:
    assert keys.caps(key) == caps


def test_the_overlay_lists_every_key_of_a_run_with_what_it_does() -> None:
    shown = environment().get_template("_help.html").render(here=keys.RUN)
    for action in keys.actions(keys.RUN):
        assert f'data-act="{action.name}"' in shown
        assert action.text in shown
        assert all(f'data-key="{key}"' in shown for key in action.keys)
