"""The student's voice: most steps have a sentence of their own, and none says what its journal does not."""

import re
from collections.abc import Iterator
from functools import cache

import pytest
from fastapi.testclient import TestClient

import engine
from app import narration
from app.catalogue import home
from app.exhibits import plain
from engine import KERNELS, Step, Trace, gallery
from tests.engine.build import possible

FIRST = (
    "mail", "mail-store-first", "last-block", "lock-drop", "quota", "root-reserve", "private-full-disk", "fork",
    "msync-twice", "memory-pressure",
)  # fmt: skip
KERNELS_OF_THE_MAIL = ("linux-2.6.9", "wli-posted", "wli-corrected", "linux-6.18")
MAIL = [(name, kernel) for name in FIRST for kernel in KERNELS_OF_THE_MAIL]
HOMES = [(name, home(scenario).id) for name, scenario in gallery().items()]
Pair = tuple[Step, str]


@cache
def told(scenario: str, kernel: str = "linux-2.6.9") -> tuple[Trace, tuple[str, ...]]:
    """A run, and the sentence of each step that has one of its own."""
    chosen = engine.find_kernel(kernel)
    trace = engine.run(gallery()[scenario], chosen)
    return trace, tuple(narration.own(trace, gallery()[scenario], chosen))


def said(scenario: str, event: str, kernel: str = "linux-2.6.9") -> str:
    trace, sentences = told(scenario, kernel)
    found = trace.find(event)
    assert found is not None, event
    return sentences[found - 1]


def every() -> Iterator[Pair]:
    """Each step with its sentence: the mail's scenarios on the mail's kernels, and all others where they are at home."""
    for run in dict.fromkeys([*MAIL, *HOMES]):
        trace, sentences = told(*run)
        yield from zip(trace.steps, sentences, strict=True)


def share(runs: list[tuple[str, str]]) -> tuple[float, dict[str, int]]:
    """What share of the steps has a sentence of its own, and which have not, how often."""
    missing: dict[str, int] = {}
    count = 0
    for run in runs:
        trace, sentences = told(*run)
        count += len(sentences)
        for step, sentence in zip(trace.steps, sentences, strict=True):
            if not sentence:
                missing[f"{step.function}.{step.name}"] = missing.get(f"{step.function}.{step.name}", 0) + 1
    return 1 - sum(missing.values()) / count, missing


# --- how much is told ----------------------------------------------------------------------------------------------


def test_nearly_every_step_of_the_first_scenarios_has_a_sentence_of_its_own() -> None:
    covered, missing = share(MAIL)
    assert covered > 0.99, missing
    assert set(missing) <= {
        "do_wp_page.can_share_swap_page",
        "filemap_page_mkwrite.mapping",
        "do_no_page.early_cow",
        "do_no_page.set_pte",
        "try_to_unmap.unmap_one",
        "mpage_writepages.mapping_set_error",
    }  # fmt: skip - the gap, stated


def test_most_steps_of_the_gallery_have_a_sentence_of_their_own() -> None:
    covered, missing = share(HOMES)
    assert covered > 0.94, sorted(missing.items(), key=lambda item: -item[1])[:20]


def test_a_step_without_a_sentence_says_its_caption() -> None:
    trace, sentences = told("fork", "wli-posted")
    step = next(step for step, sentence in zip(trace.steps, sentences, strict=True) if not sentence)
    spoken = narration.tell(trace, gallery()["fork"], KERNELS["wli-posted"])
    assert spoken[step.n - 1] == plain(step.caption)
    assert all(spoken)


# --- the mail's story ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ("A.2.load.walk", "The CPU looks in the page table and finds nothing: for this part of memory there is not even a table yet."),
        ("A.2.ext2_get_block.ext2_get_branch", "Page 2 of f is a hole: the file has no block for it on the disk."),
        ("A.2.do_no_page.set_pte", "Page 2 of f becomes writable, although A has only read. When A stores there, the kernel will not be asked."),
        ("A.3.store.write", "“C” is in memory now, in frame 1. The kernel does not notice."),
        ("C.3.do_generic_mapping_read.finish", "C has read a zero."),
    ],
)  # fmt: skip
def test_the_mail_is_told_in_plain_words(event: str, sentence: str) -> None:
    assert said("mail", event) == sentence


def test_a_store_that_comes_first_is_mapped_without_a_question() -> None:
    assert said("mail-store-first", "A.2.do_no_page.set_pte") == (
        "Nobody asks the disk whether there is room. Page 2 of f becomes writable."
    )


def test_the_corrected_kernel_says_no_in_time() -> None:
    assert said("mail", "A.3.store.signal", "wli-corrected").startswith("The store does not happen. A gets SIGBUS")


def test_a_private_store_that_reaches_the_file_is_called_so() -> None:
    assert "in the page of f itself" in said("private-full-disk", "B.4.store.write", "wli-posted")


# --- no sentence against its journal -------------------------------------------------------------------------------

NO = re.compile(
    r"no free block|quota is used up|there is none\.|no room for|gets no(?:ne|thing)|Nothing was got|found none"
)


def test_no_room_is_said_only_where_it_was_answered() -> None:
    last: dict[tuple[int, str], str] = {}
    for step, sentence in every():
        if step.n == 1:
            last.clear()
        if step.answer:
            last[0, step.task] = step.answer
        if NO.search(sentence):
            answered = step.answer or last.get((0, step.task), "")
            assert answered.startswith(("no: E", "there is none", "ENOSPC", "EDQUOT")), (step.event, sentence)


def test_what_becomes_writable_is_written_so() -> None:
    for step, sentence in every():
        entries = [str(new) for at, _, new in step.writes if "/pte/" in at]
        if "becomes writable" in sentence:
            assert any("W" in entry.split() for entry in entries), (step.event, sentence)
        if "has only read" in sentence:
            assert not any("D" in entry.split() for entry in entries), (step.event, sentence)
        if "is not filled" in sentence:
            assert not entries, (step.event, sentence)


def test_nobody_is_said_to_be_asked_where_somebody_was() -> None:
    for step, sentence in every():
        if "asks nobody" in sentence and step.answer is not None and "page_mkwrite" not in step.name:
            assert step.answer.startswith(("never", "hit")), (step.event, sentence)
        if step.answer and step.answer.startswith("never asked"):
            assert "asks nobody" in sentence or "Nobody is asked" in sentence, (step.event, sentence)


@pytest.mark.parametrize(
    ("words", "cells"),
    [
        ("A note is made", r"mapping/[^/]+\.(enospc|eio|wb_err)"),
        ("counts as clean from here on", r"page/\d+\.dirty"),
        ("memory lets go of it", r"mapping/[^/]+/\d+\.page"),
        ("is in memory now, in", r"page/\d+\.data"),
        ("it survives a power cut", r"disk/"),
        ("is on its way to the disk.", r"disk\.queue"),
        ("is free, and is taken", r"page/\d+\.count"),
        ("has a range of addresses now", r"mm/[^/]+\.vmas"),
        ("The store does not happen", r"line/[^/]+\.result"),
    ],
)
def test_what_is_said_to_happen_is_written(words: str, cells: str) -> None:
    found = [(step, sentence) for step, sentence in every() if words in sentence]
    assert found
    for step, sentence in found:
        assert any(re.match(cells, at) for at, _, _ in step.writes), (step.event, sentence)


def test_nothing_has_gone_wrong_where_nothing_failed_before() -> None:
    last: dict[tuple[int, str], str] = {}
    for step, sentence in every():
        if step.n == 1:
            last.clear()
        if "Nothing has gone wrong" in sentence:
            assert not last.get((0, step.task), "").startswith("no: E"), (step.event, sentence)
        if step.answer:
            last[0, step.task] = step.answer


def test_what_a_program_reads_is_what_the_step_answers() -> None:
    for step, sentence in every():
        if match := re.search(r"(?:has read|reads) “(.*)”", sentence):
            assert match[1] == step.answer, step.event
        if "a zero" in sentence:
            assert step.answer == ".", step.event


def test_a_frame_that_is_named_is_one_that_the_step_touches() -> None:
    for step, sentence in every():
        if match := re.search(r"[Ff]rame (\d+)", sentence):
            touched = [*step.reads, *(at for at, _, _ in step.writes), *(str(new) for _, _, new in step.writes)]
            named = (step.answer or "", *touched)
            assert any(re.search(rf"(?:frame |page/|pfn=|^){match[1]}\b", text) for text in named), step.event


def test_no_sentence_has_a_gap() -> None:
    for step, sentence in every():
        assert not re.search(r"[{}]|None|  ", sentence), (step.event, sentence)
        assert not sentence or sentence[-1] in ".?", (step.event, sentence)


@pytest.mark.parametrize(("scenario", "kernel"), list(possible())[::23])
def test_every_run_can_be_told(scenario: str, kernel: str) -> None:
    trace, sentences = told(scenario, kernel)
    assert len(sentences) == len(trace.steps)


# --- where it is heard ---------------------------------------------------------------------------------------------

RUN = "/run/mail/linux-2.6.9"


def test_the_page_has_both_voices_and_shows_one(client: TestClient) -> None:
    page = client.get(f"{RUN}?step=43").text
    assert "Page 2 of f becomes writable, although A has only read." in page
    assert "Fill the entry. From here on stores go through" in page
    assert 'data-voice="student" data-zoom' in page
    assert 'data-voice="developer" data-zoom' in client.get(f"{RUN}?step=43&voice=developer").text


def test_a_voice_goes_with_every_link_of_the_page(client: TestClient) -> None:
    page = client.get(f"{RUN}?step=43&voice=developer").text
    assert f"{RUN}?voice=developer&amp;step=44" in page
    assert "/run/mail/wli-corrected?voice=developer" in page
    assert f'<link rel="canonical" href="{RUN}">' in page


def test_a_voice_that_there_is_not_is_left_out(client: TestClient) -> None:
    page = client.get(f"{RUN}?step=43&voice=angel").text
    assert "angel" not in page


def test_one_step_is_a_text(client: TestClient) -> None:
    answer = client.get(f"{RUN}/step/43.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Page 2 of f becomes writable, although A has only read." in answer.text
    assert "kernel  Fill the entry." in answer.text
    assert "picture Page 0 of f:" in answer.text
    assert client.get(f"{RUN}/step/0.txt").text.rstrip().endswith("nothing was done yet.")


def test_one_step_of_a_short_link_is_the_same_text(client: TestClient) -> None:
    where = client.post("/api/v1/links", json={"scenario": "mail", "kernel": "linux-2.6.9"}).json()
    link = next(value for value in re.findall(r"/s/([a-z0-9]+)", str(where)))
    body = client.get(f"/s/{link}/step/43.txt").text
    assert body == client.get(f"{RUN}/step/43.txt").text


def test_a_step_leads_to_its_page_and_its_data(client: TestClient) -> None:
    page = client.get(f"{RUN}/step/7?voice=developer", follow_redirects=False)
    assert page.headers["location"] == f"{RUN}?voice=developer&step=7"
    data = client.get(f"{RUN}/step/7.json", follow_redirects=False)
    assert client.get(data.headers["location"]).json()["step"] == 7


@pytest.mark.parametrize("name", ["122.txt", "x.txt", "-1.txt", "7.gif", "9999999999999.txt"])
def test_a_step_that_there_is_not_is_not_found(client: TestClient, name: str) -> None:
    assert client.get(f"{RUN}/step/{name}").status_code == 404


def test_a_transcript_is_told_by_who_is_asked_to(client: TestClient) -> None:
    bare = client.get(f"{RUN}.txt").text
    plain_words = client.get(f"{RUN}.txt?voice=student").text
    assert "although A has only read" not in bare
    assert "although A has only read" in plain_words
    assert "without a word to the kernel" in client.get(f"{RUN}.txt?voice=developer").text
    assert client.get(f"{RUN}.txt").text == bare
