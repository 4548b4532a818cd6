"""From a scenario to a machine that stands ready: files on the disk, tasks at their first line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.fs.disk import InodeOnDisk
from engine.fs.extentmap import LEAF, ExtentMap
from engine.fs.quota import Quota
from engine.functions.disk_io import EndPageWriteback
from engine.functions.do_exit import DoExit
from engine.functions.kswapd import Kswapd
from engine.functions.pdflush import Pdflush
from engine.machine import KERNEL_TASKS, Machine
from engine.objects.mapping import AddressSpace, Inode, Oracle
from engine.objects.mm import Mm
from engine.objects.task import IDLE, READY, Task
from engine.operations import DeviceRoom, SetQuota
from engine.program import function_for
from engine.values import Data

if TYPE_CHECKING:
    from engine.kernel import Kernel
    from engine.scenario import Extent, Scenario

_THREADS = {"pdflush": Pdflush, "kswapd": Kswapd, "disk": EndPageWriteback}


def build(scenario: Scenario, kernel: Kernel) -> Machine:
    """A machine at step 0. Its journal is settled: undo does not reach behind this point."""
    k = Machine(scenario, kernel)
    _accounts(k, scenario)
    _device(k, scenario)
    for name in scenario.files:
        _file(k, scenario, name)
    for number, name in enumerate(scenario.tasks):
        _task(k, scenario, name, number)
    for name in KERNEL_TASKS:
        task = Task(k.journal, name, uid=0, cpu=0, mm=None)
        task.state, task.line = IDLE, 0
        k.tasks[name], k.programs[name] = task, (_THREADS[name](),)
    k.group_exit = DoExit("SIGKILL")
    k.journal.settle()
    return k


def _accounts(k: Machine, scenario: Scenario) -> None:
    """A user whose limits a script will set needs an account from the start."""
    for task in scenario.tasks:
        for line in scenario.lines(task):
            if isinstance(line.operation, SetQuota):
                user = line.operation.user
                k.quotas.setdefault(user, Quota(k.journal, user, 0, 0, 604800))


def _device(k: Machine, scenario: Scenario) -> None:
    """What the device below has room for; where it matters, it counts from the start what is written."""
    k.disk.room = scenario.filesystem.device_room
    lines = [line for task in scenario.tasks for line in scenario.lines(task)]
    k.disk.counts = k.disk.room is not None or any(isinstance(line.operation, DeviceRoom) for line in lines)


def _file(k: Machine, scenario: Scenario, name: str) -> None:
    spec = scenario.files[name]
    inode = Inode(k.journal, name)
    inode.size, inode.owner = spec.size, spec.owner
    k.inodes[name], k.mappings[name] = inode, AddressSpace(k.journal, name, k.sb if k.kernel.errseq else None)
    k.oracles[name] = Oracle(k.journal, name)
    k.oracles[name].data = Data(spec.size)
    k.disk.inodes[name] = InodeOnDisk(k.journal, name)
    for extent in scenario.extents(name):
        _extent(k, inode, extent)
    if not k.kind.holes:
        _fill_holes(k, inode)
    _leaf(k, inode)
    for index in k.map.index_blocks(inode):
        k.map.write_out(k.disk, index)
    k.disk.write_inode(inode)
    inode.dirty = None


def _extent(k: Machine, inode: Inode, extent: Extent) -> None:
    data = Data(extent.length).write(0, extent.length if len(extent.text) == 1 else len(extent.text), extent.text)
    inside = min(extent.length, inode.size - extent.offset)
    data = data.zero(inside, data.size)
    for at in range(0, inside, k.block_size):
        iblock = (extent.offset + at) // k.block_size
        missing = len(k.map.path(iblock)) - len(k.map.chain(inode, iblock))
        owners = [f"{inode.file}:index"] * (missing - 1) + [inode.file]
        new = tuple(k.space.take(owner) for owner in owners)
        k.map.splice(inode, iblock, new)
        k.disk.data[new[-1]] = data.part(at, min(at + k.block_size, data.size)).resized(k.block_size)
        _charge(k, inode, missing)


def _fill_holes(k: Machine, inode: Inode) -> None:
    """A filesystem without holes has every block of a file from the start."""
    for iblock in range(-(-inode.size // k.block_size)):
        if k.map.lookup(inode, iblock) is None:
            k.map.splice(inode, iblock, (k.space.take(inode.file),))
            _charge(k, inode, 1)


def _leaf(k: Machine, inode: Inode) -> None:
    """More extents than the inode holds need a leaf."""
    if isinstance(k.map, ExtentMap) and not k.map.has_room(inode, k.map.extents(inode)):
        inode.pointers[LEAF] = k.space.take(f"{inode.file}:index")
        _charge(k, inode, 1)


def _charge(k: Machine, inode: Inode, blocks: int) -> None:
    inode.blocks = (inode.blocks or 0) + blocks
    if inode.owner in k.quotas:
        k.quotas[inode.owner].charge(blocks, 0)


def _task(k: Machine, scenario: Scenario, name: str, number: int) -> None:
    spec = scenario.tasks[name]
    owner = spec.thread_of or name
    if owner not in k.mms:
        k.mms[owner] = Mm(k.journal, owner, k.format)
        k.mms[owner].vmas = ()
        k.mms[owner].pgd_alloc()
    mm = k.mms[owner]
    mm.users = (*(mm.users or ()), name)
    cpu = number % scenario.machine.cpus if spec.cpu is None else spec.cpu
    task = Task(k.journal, name, uid=scenario.uid(spec.user), cpu=cpu, mm=mm)
    task.state, task.line = (IDLE if spec.child_of else READY), 0
    k.tasks[name] = task
    k.programs[name] = tuple(function_for(line.operation) for line in scenario.lines(name))
