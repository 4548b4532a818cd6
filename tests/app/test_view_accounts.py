"""The view of later kernels, and of filesystems with accounts of their own: promises, errors told, names."""

import engine
from app.orders import order
from app.view import View, build_view
from engine import Trace

HOLE = "f/2"


def on(scenario: str, kernel: str, filesystem: str = "") -> tuple[Trace, View]:
    wanted = order(scenario, kernel, filesystem)
    trace = engine.run(wanted.scenario, kernel)
    return trace, build_view(trace, wanted.scenario, engine.find_kernel(kernel))


def step(trace: Trace, event: str) -> int:
    found = trace.find(event)
    assert found is not None, event
    return found


def test_a_promise_stands_beside_the_free_blocks_until_it_is_a_block() -> None:
    trace, view = on("room-enough", "linux-6.18", "ext4")
    state = view.state_at(step(trace, "A.3.ext4_da_get_block_prep.dquot_reserve_block"))
    assert (state[f"blockslot/{HOLE}.state"], state[f"blockslot/{HOLE}.text"]) == ("promised", "promised")
    assert [state.get(f"bit/{n}.kind") for n in range(4)] == ["used", "promised", None, "pool"]
    assert state["disk-chip.text"] == "3 blocks free, 1 promised"
    state = view.state_at(step(trace, "A.3.store.write"))
    assert (state[f"slot/{HOLE}.state"], state["ledger/A.3/block.state"]) == ("backed", "promised")
    end = view.state_at(len(trace.steps))
    assert [end.get(f"bit/{n}.kind") for n in range(4)].count("promised") == 0
    assert str(end[f"blockslot/{HOLE}.text"]).startswith("→")


def test_a_promise_at_mmap_is_shown_at_the_pages_of_the_mapping() -> None:
    trace, view = on("promised-to-whom", "mmap-reserve")
    state = view.state_at(len(trace.steps))
    assert state["blockslot/f/1.state"] == "promised"
    assert str(state["disk-chip.text"]).endswith("3 promised")


def test_each_open_file_hears_of_an_error_and_the_picture_says_who_has() -> None:
    trace, view = on("msync-twice", "linux-6.18")
    noted = step(trace, "A.3.write_cache_pages.mapping_set_error")
    told = step(trace, "A.3.vfs_fsync_range.check_and_advance")
    assert view.state_at(noted - 1)["told/f.text"] == "none"
    assert view.state_at(noted)["told/f.text"] == "ENOSPC: A has not"
    assert view.state_at(told)["told/f.text"] == "ENOSPC: A has heard"
    assert "fd/A.f" in str(view.state_at(told)["blockslot/f/2.raw"]).split()


def test_before_that_the_first_one_who_asks_hears_of_it() -> None:
    trace, view = on("msync-twice", "linux-2.6.9")
    said = {view.state_at(n).get("told/f.text") for n in range(len(trace.steps) + 1)}
    assert said == {"none", "ENOSPC, for the first one who asks"}


def test_a_filesystem_in_memory_has_no_disk() -> None:
    trace, view = on("room-enough", "linux-6.18", "tmpfs")
    state = view.state_at(step(trace, "A.3.store.write"))
    assert (state[f"slot/{HOLE}.state"], state[f"slot/{HOLE}.word"]) == ("backed", "only in memory")
    assert not [at for at in state if at.startswith("diskslot/")]
    assert state["ledger/A.3/disk.state"] == "none"


def test_locks_and_the_flusher_go_by_the_names_of_the_kernel() -> None:
    for kernel, who, lock in (("linux-2.6.9", "pdflush", "mmap_sem"), ("linux-6.18", "flusher", "mmap_lock")):
        trace, view = on("mail", kernel)
        flushed = next(step.n for step in trace.steps if step.task == "pdflush")
        state = view.state_at(flushed)
        assert state["caption.task"] == who
        assert who in str(state["focus/task.head"])
        trap = next(step.n for step in trace.steps if step.name == "find_vma")
        assert view.state_at(trap)["hold/mm/A.mmap_sem.name"] == lock
        assert lock in str(view.state_at(trap)["lock/0.name"])


def test_a_page_written_past_the_cache_is_shown_as_old_and_a_mapped_one_as_out_of_date() -> None:
    trace, view = on("past-the-cache", "linux-2.6.9")
    state = view.state_at(step(trace, "B.2.blockdev_direct_IO.dio_await_completion"))
    assert (state["slot/f/1.text"], state["slot/f/1.state"], state["blockslot/f/1.text"]) == ("b", "unsaved", "→ 1")
    assert state["promised.text"] == "1 page marked clean that the disk does not have"
    state = view.state_at(step(trace, "B.2.invalidate_inode_pages2.clear_page_uptodate"))
    assert (state["slot/f/0.word"], state["slot/f/0.text"]) == ("out of date", "Ma")
    end = step(trace, "C.1.mpage_readpage.read_blocks")
    assert (view.state_at(end)["slot/f/0.text"], view.state_at(end)["slot/f/0.lost"]) == ("a", "M")
