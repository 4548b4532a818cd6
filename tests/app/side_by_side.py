"""Comparisons for tests, without a site."""

from app.comparison import Comparison, compare
from app.lineup import lineup
from app.links import CompareLink
from app.runs import perform
from engine import Limits


def side_by_side(
    scenario: str, *kernels: str, filesystems: tuple[str, ...] = (), switches: tuple[str, ...] = ()
) -> Comparison:
    """The runs of a scenario side by side; without kernels, those that say most."""
    found = lineup(CompareLink(scenario, kernels, filesystems, switches))
    return compare(found, [perform(entry.order, Limits()) for entry in found.entries])
