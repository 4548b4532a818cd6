"""A run as a C program that does the same calls on a real machine, one process a task, and compares what they come to.

The lines are done one after the other, in the order in which they began in the run. What a program can not make a
machine do (let the power fail, break a disk) is skipped, and said so.
"""

from __future__ import annotations

from app import assets
from app.replay_lines import Replayer, quoted
from app.runs import Run
from engine import Scenario

LEAST = {"ext2": 4, "ext3": 8, "ext4": 8, "xfs": 300, "btrfs": 128}
"""The kinds that mkfs makes, and the MiB that each wants at least."""


def program(run: Run, _step: int = 0, base: str = "") -> str:
    """The program."""
    order, scenario = run.order, run.order.scenario
    tasks = list(scenario.tasks)
    parts = {
        "@PAGE@": str(scenario.machine.page_size),
        "@BLOCK@": str(scenario.filesystem.block_size),
        "@TASKS@": str(len(tasks)),
        "@NAMES@": ", ".join(map(quoted, tasks)),
        "@LEADERS@": ", ".join(str(tasks.index(_leader(scenario, name))) for name in tasks),
        "@PARENTS@": ", ".join(str(_parent(scenario, name)) for name in tasks),
        "@FILES@": _files(scenario),
        "@VARIABLES@": "\n".join(Replayer(scenario).variables()),
        "@LINES@": "\n".join(Replayer(scenario).cases()),
        "@ORDER@": "\n".join(_order(run)),
        "@STARTS@": _starts(scenario),
    }
    text = (assets.templates_dir() / "replay.c").read_text(encoding="utf-8")
    for mark, part in parts.items():
        text = text.replace(mark, part)
    address = base + order.link.embed(framed=False).url() if base else ""
    return _head(run, address) + text


def _head(run: Run, address: str) -> str:
    order, scenario = run.order, run.order.scenario
    said = [
        f"{scenario.title}, on {order.kernel} with {scenario.filesystem.type}: the same calls on a real machine.",
        *([address] if address else []),
        f"In the simulator: {run.trace.outcome}.",
        "",
        "    cc -O2 -o replay replay.c && ./replay FOLDER",
        "",
        "FOLDER should be on a small filesystem that nobody else uses. As root:",
        *_mounting(scenario),
        "The program leaves its files there. It ends with 1 when a line came to something else than simulated.",
    ]
    safe = (line.replace("*/", "* /") for line in said)
    return "/*\n" + "".join(f" * {line}".rstrip() + "\n" for line in safe) + " */\n"


def _mounting(scenario: Scenario) -> list[str]:
    """How to have a filesystem of the scenario's kind and size, or of the least size that its tools make."""
    kind, size = scenario.filesystem.type, scenario.filesystem.blocks * scenario.filesystem.block_size
    if kind == "tmpfs":
        return [f"    mkdir -p there && mount -t tmpfs -o size={size} tmpfs there && ./replay there"]
    tool = kind if kind in LEAST else "ext2"
    made = f"    truncate -s {max(LEAST[tool], size >> 20)}M disk && mkfs.{tool} -q disk"
    note = "    Most kernels of today mount it by the driver of ext4, which asks for room at the fault."
    by_ext4 = [note] if tool in ("ext2", "ext3") else []
    return [made, "    mkdir -p there && mount -o loop disk there && ./replay there", *by_ext4]


def _leader(scenario: Scenario, name: str) -> str:
    """The task whose process does the lines of this one."""
    return scenario.tasks[name].thread_of or name


def _parent(scenario: Scenario, name: str) -> int:
    """The number of the task whose process forks this one, -1 where the program itself does."""
    parent = scenario.tasks[name].child_of
    return list(scenario.tasks).index(_leader(scenario, parent)) if parent else -1


def _files(scenario: Scenario) -> str:
    """The files, each with its handle, and the function that makes them as the scenario has them."""
    ballast = Replayer(scenario).ballast()
    names = [*scenario.files, *ballast]
    handles = "".join(f"static int file_{name} = -1;\n" for name in names)
    made = [f'    file_{name} = open_file(folder, "{name}");' for name in names]
    for name, file in scenario.files.items():
        made += [
            f"    if (write_text(file_{name}, {quoted(extent.text)}, {extent.length}, {extent.offset}))"
            f' {{ perror("{name}"); exit(2); }}'
            for extent in scenario.extents(name)
        ]
        made.append(
            f'    if (ftruncate(file_{name}, {file.size}) || fsync(file_{name})) {{ perror("{name}"); exit(2); }}'
        )
    return f"{handles}\nstatic void prepare(void) {{\n" + "\n".join(made) + "\n}"


def _order(run: Run) -> list[str]:
    """The lines in the order in which they began, with what each came to."""
    scenario, trace = run.order.scenario, run.trace
    tasks, final = list(scenario.tasks), trace.state_at(len(trace.steps))
    begun = dict.fromkeys((step.task, step.line) for step in trace.steps if step.line and step.task in scenario.tasks)
    found = []
    for task, number in begun:
        result = final.get(f"line/{task}.{number}.result")
        expected = "ok" if result in (None, "0") else str(result)
        text = scenario.tasks[task].script[number - 1]
        found.append(f"    {{ {tasks.index(task)}, {number}, {quoted(text)}, {quoted(expected)} }},")
    return found


def _starts(scenario: Scenario) -> str:
    """A process for each task that no other begins; a thread does its lines in its leader's process."""
    found = []
    for place, (name, task) in enumerate(scenario.tasks.items()):
        if not task.child_of and not task.thread_of:
            found.append(f"    if (!(pids[{place}] = fork())) serve({place}); /* {name} */")
    return "\n".join(found)
