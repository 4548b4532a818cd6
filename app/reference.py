"""The pages of the documentation that are made from the code: the language, the kernels. `make docs` writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from app import assets, catalogue
from app.manual import RUNNING
from engine.scenario import MAX_DATA, MAX_FILES, MAX_LINES, MAX_TASKS
from engine.vocabulary import MEANS, CallHelp, KeyHelp, calls, keys

PROGRAM = (
    "mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "open", "close", "pwrite", "pread", "readinto", "fsync",
    "fdatasync", "sync", "syncfs", "ftruncate", "fallocate", "punch", "zero", "clone", "fork", "exit", "sleep",
)  # fmt: skip
"""The calls a program makes; all others are what a teacher does to the machine."""
PLACES = {
    "": "A scenario",
    "machine": "`machine`",
    "filesystem": "`filesystem`",
    "filesystem/quota/*": "`filesystem.quota`, for each user",
    "files/*": "`files`, for each file",
    "tasks/*": "`tasks`, for each task",
    "beats/*": "`beats`, for each moment",
}
"""How each place of the text is called."""
EXAMPLE = """\
title: The mail's experiment, in short
machine: {arch: i386, cpus: 2, frames: 16}
filesystem: {type: ext2, blocks: 4}
files:
  f: {owner: alice, size: 4P, data: {0P: a}}     # page 0 has a block, pages 1 to 3 are holes
tasks:
  A:
    user: alice
    script:
      - m = mmap(f, 4P, READ|WRITE, SHARED)
      - m[2P] = "C"                              # a store of the processor
      - x = m[2P]                                # a load
      - exit()
  B:
    user: bob
    script:
      - fill(g)                                  # takes every free block
      - writeback()
schedule: [A, "A@store.write>B"]
"""

INTRO = f"""\
# The scenario language

A scenario is a page of YAML (or the same as JSON): a machine, a filesystem, files, tasks with scripts, and who runs
when. It is plain data and never executed. This page is made from the models and the table of calls (`make docs`), so
it says what the reader takes.

[Write one in the browser]({RUNNING}/edit): errors stand beside their lines, and Ctrl+Space completes.

"""
BOUNDS = f"""\
A scenario has at most {MAX_TASKS} tasks of {MAX_LINES} lines, {MAX_FILES} files, and {MAX_DATA} pieces of data a
file. A file's `size` and offsets take a unit: `4P` (pages), `2B` (blocks of the filesystem), `8K`, `1M`, `2G`, `1T`;
a number alone is bytes. Times are `30s`, `5m`, `2h`, `8d`.
"""
SCRIPT = """\
## The script

A line is a call, a store or a load. The lines are a small part of Python's syntax, read and never evaluated.

```script
m = mmap(f, 4P, READ|WRITE, SHARED)
m[2P] = "C"
m[0:2P] = "B"
x = m[2P]
m[3P]
```

`m[2P]` is the byte at that offset, `m[0:2P]` a range, which a text fills by being repeated. A load without a name
only touches. What a call takes:
"""
SCHEDULE = f"""\
## The schedule

Tasks run on until told otherwise, in the order of `schedule`. A preemption names the step after which another task
goes on: `"A@do_no_page.enough_space>B"` says: when A has made the step `enough_space` of `do_no_page`, let B run.
`"A@store.write#2>B"` means the second time, `"A@3>B"` after the third line of A. In an address, or where the API
takes a schedule, a call may stand in place of the task: `A@store.write>power_fails()`. Every step has its name in the
[kernel pages]({RUNNING}/docs/kernels) and in the run itself.
"""
CHOICES = """\
# Kernels and filesystems

What is simulated. The page of each kernel is made from its code: every function with its steps, its locks and the
place in the source it retells, what is left out, its filesystems, its switches and its sources.
"""


def language() -> str:
    """The reference of the scenario language."""
    return "\n".join([*_head(), *_keys(), *_script(), *_calls(), *_schedule()])


def _head() -> Iterator[str]:
    yield from INTRO.splitlines()
    yield from ("```yaml", *EXAMPLE.splitlines(), "```", "")
    yield from BOUNDS.splitlines()
    yield ""


def _keys() -> Iterator[str]:
    yield from ("## The keys", "")
    for place, title in PLACES.items():
        yield from (f"### {title}", "")
        rows = [(f"`{key.name}`", _kind(key), _default(key), key.says) for key in keys() if key.place == place]
        yield from _table(("key", "what it is", "left out", "meaning"), rows)


def _kind(key: KeyHelp) -> str:
    if key.words:
        return ", ".join(f"`{word}`" for word in key.words)
    bounds = f", {key.least} to {key.most}" if key.kind == "whole number" and key.most is not None else ""
    return key.kind + bounds


def _default(key: KeyHelp) -> str:
    return "must be there" if key.default is None else f"`{key.default}`" if key.default else "empty"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    yield from (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    yield ""


def _script() -> Iterator[str]:
    yield from SCRIPT.splitlines()
    yield ""
    yield from _table(("argument", "what to write"), [(kind, meaning) for kind, meaning in MEANS.items()])


def _calls() -> Iterator[str]:
    for title, program in (("What a program calls", True), ("What is done to the machine", False)):
        yield from (f"## {title}", "")
        for call in calls():
            if (call.name in PROGRAM) is program:
                yield from _call(call)


def _call(call: CallHelp) -> Iterator[str]:
    yield from (
        f"### `{call}`",
        "",
        f"{call.says[:1].upper()}{call.says[1:]}",
        "",
        "```script",
        *call.examples,
        "```",
        "",
    )
    for each in call.arguments:
        words = f": {', '.join(f'`{word}`' for word in each.words)}" if each.words else ""
        left_out = "" if each.default is None else f", may be left out: {each.default}"
        yield f"- `{each.name}` ({each.kind}{left_out}){words}"
    if call.target != "never":
        yield f"- its result {'must' if call.target == 'must' else 'may'} have a name"
    yield ""


def _schedule() -> Iterator[str]:
    yield from SCHEDULE.splitlines()
    yield ""


def kernels() -> str:
    """The list of kernels and filesystems."""
    return "\n".join(_kernels())


def _kernels() -> Iterator[str]:
    yield from CHOICES.splitlines()
    yield ""
    for title, family in catalogue.families():
        yield from (f"## {title}", "")
        rows = [
            (f"[{each.title}]({RUNNING}/kernel/{each.id})", str(len(each.functions)), each.story) for each in family
        ]
        yield from _table(("kernel", "functions", "its story"), rows)
    for title, kinds in catalogue.shelves():
        yield from (f"## {title}", "")
        kept = [(f"[{each.title}]({RUNNING}/filesystem/{each.id})", each.reserves) for each in kinds]
        yield from _table(("filesystem", "when it takes space"), kept)


MADE = {"language": language, "kernels": kernels}
"""The pages by name."""


def main() -> None:
    """Write them."""
    for name, make in MADE.items():
        (assets.docs_dir() / f"{name}.md").write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
