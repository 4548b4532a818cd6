"""One value of a text is changed; everything else of it stays as it was, to the letter."""

from importlib.resources import files

import pytest

from engine import ScenarioError, load_scenario, set_value
from engine.document import read_document
from engine.vocabulary import keys

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in files("engine").joinpath("scenarios").iterdir()}


@pytest.mark.parametrize(
    ("text", "place", "value", "wanted"),
    [
        ("machine: {frames: 16, cpus: 2} # why\n", "machine.frames", 32, "machine: {frames: 32, cpus: 2} # why\n"),
        ("machine: {cpus: 2}\n", "machine.frames", 8, "machine: {frames: 8, cpus: 2}\n"),
        ("machine: {}\n", "machine.frames", 8, "machine: {frames: 8}\n"),
        ("machine: # none yet\n", "machine.frames", 8, "machine: {frames: 8} # none yet\n"),
        (
            "machine:\n  # few\n  frames: 4   # so few\n",
            "machine.frames",
            8,
            "machine:\n  # few\n  frames: 8   # so few\n",
        ),
        (
            "filesystem:\n    blocks: 4\n",
            "filesystem.type",
            "xfs",
            "filesystem:\n    type: xfs\n    blocks: 4\n",
        ),
        ('filesystem: {type: "ext2"}\n', "filesystem.type", "xfs", "filesystem: {type: xfs}\n"),
        ("title: a\nfiles: {}\n", "machine.arch", "mips", "title: a\nmachine: {arch: mips}\nfiles: {}\n"),
        ("title: a", "machine.arch", "mips", "title: a\nmachine: {arch: mips}\n"),
        ('{"title": "a"}', "machine.arch", "mips", '{"machine": {"arch": "mips"}, "title": "a"}'),
        ('{"machine": {"arch": "i386"}}', "machine.arch", "mips", '{"machine": {"arch": "mips"}}'),
    ],
)
def test_only_the_value_changes(text: str, place: str, value: int | str, wanted: str) -> None:
    section, _, key = place.partition(".")
    assert set_value(text, section, key, value) == wanted


@pytest.mark.parametrize("name", TEXTS)
def test_every_gallery_text_can_be_changed_and_changed_back(name: str) -> None:
    text = TEXTS[name]
    data = read_document(text).data
    for key in [key for key in keys() if key.place in ("machine", "filesystem") and key.default]:
        value = key.words[-1] if key.words else 64
        changed = set_value(text, key.place, key.name, value)
        assert read_document(changed).data[key.place][key.name] == value
        assert [line for line in text.splitlines() if "#" in line and "{" not in line] == [
            line for line in changed.splitlines() if "#" in line and "{" not in line
        ]
        had = data.get(key.place, {}).get(key.name)
        if had is not None:
            assert read_document(set_value(changed, key.place, key.name, had)).data == data


def test_a_changed_text_can_be_run() -> None:
    scenario = load_scenario(set_value(TEXTS["mail.yaml"], "filesystem", "type", "ext3"))
    assert scenario.filesystem.type == "ext3"
    assert scenario.filesystem.blocks == 4


@pytest.mark.parametrize(
    ("text", "says"), [("a: [", "not YAML"), ("", "empty"), ("machine: 4\n", "no mapping"), ("- a\n", "empty")]
)
def test_what_can_not_be_read_is_left_alone_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        set_value(text, "machine", "frames", 8)
