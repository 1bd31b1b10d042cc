"""Opens the engine that somebody names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from oddframe.errors import SettingsError
from oddframe.processes.engine import Engine
from oddframe.processes.workers import Workers

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class Where:
    """Where work is done: by how many processes, and on which machines.

    Attributes:
        engine: "local", processes of this machine; or "ray", those of a Ray cluster.
        address: of the cluster's head, HOST:PORT; without it, a Ray of this machine that lasts as long as the work.
        jobs: how many tasks at the same time; without it one on this machine, and one for each core of a cluster.

    Raises:
        SettingsError: there is no such engine; it is no number of jobs; an address for the engine that has none.
    """

    engine: str = "local"
    address: str | None = None
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise SettingsError("there is no such engine", seen=self.engine, wanted=" or ".join(ENGINES))
        if self.jobs is not None and self.jobs < 1:
            raise SettingsError("that is no number of jobs", seen=self.jobs, wanted="1 or more")
        if self.address is not None and self.engine != "ray":
            raise SettingsError(
                "only a cluster has an address",
                seen=f"address {self.address}, engine {self.engine}",
                wanted="engine ray",
            )

    @contextlib.contextmanager
    def open(self, *, tasks: int | None = None, gpu: bool = False) -> Iterator[tuple[Engine, int]]:
        """The engine, and how many tasks it works on at the same time: no more than there are.

        Args:
            tasks: how many there are; None where that is not known yet. gpu: whether each worker needs one.

        Raises:
            MissingExtraError, ClusterError: see `ray_engine`.
        """
        if self.engine == "local":
            jobs = min(self.jobs or 1, tasks or self.jobs or 1)
            yield Workers(jobs), jobs
            return
        from oddframe.processes.ray_engine import ray_engine

        with ray_engine(self.address, jobs=self.jobs, gpus=1 if gpu else 0) as engine:
            yield engine, min(engine.jobs, tasks or engine.jobs)
