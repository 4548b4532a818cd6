"""Every key of the site, once: the overlay shows this table, and the page takes its keys from the overlay.

So what is listed and what happens can not differ. The command palette offers the same actions.
"""

from __future__ import annotations

from dataclasses import dataclass

RUN, GALLERY, COMPARE, EDIT, REST = "run", "gallery", "compare", "edit", "any"
PLAYED, ANY = (RUN, COMPARE), (RUN, GALLERY, COMPARE, EDIT, REST)
NAMES = {
    " ": "space", "ArrowRight": "→", "ArrowLeft": "←", "PageDown": "PgDn", "PageUp": "PgUp", "Escape": "Esc",
    "enter": "Enter",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Action:
    """Something a key does. `name` is what the script calls it; `keys` are spelt as in `KeyboardEvent.key`.

    A modifier stands before its key: "Shift+ArrowRight", "Control+Shift+p"; a character has its Shift in itself: "?".
    What only makes sense by its key, such as Esc, is not offered in the palette.
    """

    name: str
    text: str
    keys: tuple[str, ...]
    where: tuple[str, ...] = (RUN,)
    in_palette: bool = True

    @property
    def shown(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each key as it is, and the caps to press for it."""
        return tuple((key, caps(key)) for key in self.keys)


def caps(key: str) -> tuple[str, ...]:
    """What is printed on the keys of a combination: "Shift+ArrowRight" is Shift and →."""
    *held, last = key.split("+") if len(key) > 1 else [key]
    shown = [{"Control": "Ctrl"}.get(each, each) for each in held]
    return (*shown, NAMES.get(last, last.upper() if held else last))


ACTIONS = (
    Action("play", "play or pause", (" ", "k"), PLAYED),
    Action("next", "next step", ("ArrowRight", "l", "n", "PageDown"), PLAYED),
    Action("previous", "previous step", ("ArrowLeft", "h", "p", "PageUp"), PLAYED),
    Action("next-fault", "next fault", ("Shift+ArrowRight",), PLAYED),
    Action("previous-fault", "previous fault", ("Shift+ArrowLeft",), PLAYED),
    Action("first", "first step", ("Home",), PLAYED),
    Action("last", "last step", ("End",), PLAYED),
    Action("differ", "to the first difference", ("d", "D"), (COMPARE,)),
    Action("go", "go to a step by number, name or event", ("g",)),
    Action("inspect", "look into a page, an entry, a block", ("i",)),
    Action("slower", "slower", ("[",), PLAYED),
    Action("faster", "faster", ("]",), PLAYED),
    Action("usual", "usual speed", ("0",), PLAYED),
    Action("zoom", "one press goes by step, by function, or by fault", ("z",)),
    Action("voice", "plain words or kernel words", ("v",)),
    Action("predict", "predict: be asked first; 1 to 4 answer", ("q",)),
    Action("what-if", "what if, from here", ("w",)),
    Action("foresight", "foresight: what could still become of each step", ("o",)),
    Action("present", "present: large type, only the picture", ("f",)),
    Action("blank", "blank the screen; any key brings it back", ("b", ".")),
    Action("share", "share this step", ("s",)),
    Action("copy", "copy the link to this step", ("c",)),
    Action("run", "run what is written", ("Control+enter",), (EDIT,)),
    Action("complete", "complete what is being written", ("Control+ ",), (EDIT,), in_palette=False),
    Action("find", "find a scenario", ("/",), (GALLERY,)),
    Action("find", "find a scenario, a kernel, a filesystem", ("/",), (RUN,)),
    Action("palette", "every action and place, by typing", ("Control+k", "Control+Shift+p"), ANY, in_palette=False),
    Action("leave", "leave what is open; stop presenting", ("Escape",), in_palette=False),
    Action("leave", "close the completions; leave the text", ("Escape",), (EDIT,), in_palette=False),
    Action("help", "this list", ("?",), ANY),
)


def actions(where: str) -> tuple[Action, ...]:
    """What keys do on a kind of page: RUN, GALLERY, COMPARE, EDIT, or REST."""
    return tuple(action for action in ACTIONS if where in action.where)
