"""The simulator: scenario, kernel and schedule in, trace out. It knows nothing of the web.

from engine import gallery, run
trace = run(gallery()["mail"], "linux-2.6.9")
print(trace.outcome, len(trace.steps))
"""

from __future__ import annotations

from engine.claims import PROPERTIES, Property, UnknownProperty, find_property
from engine.errors import (
    EngineError,
    NoSuchCombination,
    Panic,
    Problem,
    ScenarioError,
    ScheduleError,
    UnknownKernel,
    UnknownScenario,
    UnknownSwitch,
)
from engine.exhibit import FunctionSource, StepSource, source
from engine.explore import Budget
from engine.finds import Way
from engine.fs.kinds import FILESYSTEMS, FilesystemKind
from engine.gallery import find_scenario, gallery, kernels_of, scenario_text
from engine.hardware.paging import FORMATS, Format
from engine.kernel import BuildError, BuildReport, Kernel, Switch
from engine.kernels import KERNELS, find_kernel, known_steps
from engine.machine import KERNEL_TASKS, Machine, Peek
from engine.offers import OFFERS, UnknownOffer
from engine.properties import INVARIANTS, Invariant
from engine.rewriting import set_value
from engine.run import Limits, run
from engine.scenario import Scenario, json_schema, load_scenario, scenario_from_data, to_data, to_yaml
from engine.schedule import Preemption, Schedule, parse_schedule, schedule_of
from engine.schedule import split as split_schedule
from engine.setup import build
from engine.trace import Breach, FateChange, Step, StoreInfo, Trace, Violation
from engine.values import Pte, pte_of
from engine.verdict import BROKEN, HOLDS, UNDECIDED, Progress, Verdict, explore
from engine.what_if import called_in, spelt
from engine.witness import Witness

EDITION = 2
"""Bumped when a gallery run changes: links carry it, so that an old one can say so."""

__all__ = [
    "BROKEN",
    "EDITION",
    "FILESYSTEMS",
    "FORMATS",
    "HOLDS",
    "INVARIANTS",
    "KERNELS",
    "KERNEL_TASKS",
    "OFFERS",
    "PROPERTIES",
    "UNDECIDED",
    "Breach",
    "Budget",
    "BuildError",
    "BuildReport",
    "EngineError",
    "FateChange",
    "FilesystemKind",
    "Format",
    "FunctionSource",
    "Invariant",
    "Kernel",
    "Limits",
    "Machine",
    "NoSuchCombination",
    "Panic",
    "Peek",
    "Preemption",
    "Problem",
    "Progress",
    "Property",
    "Pte",
    "Scenario",
    "ScenarioError",
    "Schedule",
    "ScheduleError",
    "Step",
    "StepSource",
    "StoreInfo",
    "Switch",
    "Trace",
    "UnknownKernel",
    "UnknownOffer",
    "UnknownProperty",
    "UnknownScenario",
    "UnknownSwitch",
    "Verdict",
    "Violation",
    "Way",
    "Witness",
    "build",
    "called_in",
    "explore",
    "find_kernel",
    "find_property",
    "find_scenario",
    "gallery",
    "json_schema",
    "kernels_of",
    "known_steps",
    "load_scenario",
    "parse_schedule",
    "pte_of",
    "run",
    "scenario_from_data",
    "scenario_text",
    "schedule_of",
    "set_value",
    "source",
    "spelt",
    "split_schedule",
    "to_data",
    "to_yaml",
]
