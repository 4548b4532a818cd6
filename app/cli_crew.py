"""Who shares the work of a command: the machine's cores, or a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from engine import EngineError
from engine.crew import Cluster, Cores, Crew

CoresOption = Annotated[
    int | None, typer.Option(min=0, help="how many of the machine's cores share the work; 0: all", show_default=False)
]
ClusterOption = Annotated[
    str, typer.Option(metavar="ADDRESS", help="a Dask scheduler whose workers share the work, as tcp://HOST:8786")
]


@contextmanager
def shared(cores: int | None, cluster: str) -> Iterator[Crew | None]:
    """Who shares the work: cores, the workers of a cluster, or, where neither is asked for, nobody."""
    if cluster and cores is not None:
        raise EngineError("--cores and --cluster are two places to work at", cure="Leave one of them out")
    if cluster:
        with Cluster(cluster) as workers:
            yield workers
    elif cores is None or cores == 1:
        yield None
    else:
        with Cores(cores) as processes:
            yield processes
