"""Worker processes on the machines of a Ray cluster.

Ray places them, moves orders and news between machines, and says when a machine is gone. What a worker does and how it
is watched is the same as on one machine; see `ray_host`.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from oddframe.errors import ClusterError, MissingExtraError, OddframeError, WorkerError
from oddframe.processes.engine import PATIENCE_S
from oddframe.processes.ray_host import Answer, RayHost, about_here
from oddframe.processes.worker import Order
from oddframe.progress import Progress, Watcher, unwatched

_ATTEMPTS = 3
_CONNECT_S = 5.0
_BEGIN_S = 60.0
"""What a cluster that answers is given to say what is installed on its machines."""
_ROOM_S = 20.0
"""So long a worker waits for a machine while others of the same work have one."""
_LOOK_EVERY_S = 0.5
_GOODBYE_S = 30.0
_REASON = 160
"""Letters of what Ray says."""
_ON_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray's switch for machines on which it listens on 127.0.0.1 alone: "0" has it do so on Linux, too. It is read when Ray
is imported."""


@contextlib.contextmanager
def ray_engine(address: str | None, *, jobs: int | None = None, gpus: float = 0) -> Iterator[RayEngine]:
    """Workers on a Ray cluster, or on a Ray of this machine that lasts as long as the work.

    A Ray of this machine alone listens on 127.0.0.1, without a dashboard: whoever reaches Ray's ports can have anything
    executed. Nothing is reported to Ray's makers.

    Args:
        address: HOST:PORT of the cluster's head. jobs: how many workers; one for each core without it.
        gpus: of each worker.

    Raises:
        MissingExtraError: Ray is not installed. ClusterError: the cluster does not answer, or another version of Ray,
        Python or this package works on one of its machines.
    """
    ray = _import_ray(alone=address is None)
    began_here = not ray.is_initialized()
    if began_here:
        _connect(ray, address)
    try:
        cores = int(ray.cluster_resources().get("CPU", 0))
        _refuse_other_versions(ray)
        wanted = jobs or max(1, cores)
        yield RayEngine(ray, wanted, max(1, cores // wanted), gpus)
    finally:
        if began_here:
            ray.shutdown()


class RayEngine:
    """An `Engine` whose workers are on the machines of a cluster.

    Args:
        jobs: how many workers. cores: of each of them.
    """

    attempts = _ATTEMPTS

    def __init__(self, ray: Any, jobs: int, cores: int, gpus: float) -> None:
        self.jobs, self._ray = jobs, ray
        # Whoever asks for news or an interrupt does not wait for the order that lasts.
        self._hosts = ray.remote(RayHost).options(num_cpus=cores, num_gpus=gpus, max_concurrency=3, max_restarts=0)
        self._lock, self._stopped = threading.Lock(), False
        self._running, self._placed = set[Any](), set[Any]()

    @property
    def stopped(self) -> bool:
        """Whether all workers have been told to end."""
        return self._stopped

    @contextlib.contextmanager
    def start(
        self,
        module: str,
        opening: Order,
        *,
        does: str,
        patience_s: float = PATIENCE_S,
        log: Path | None = None,
        watch: Watcher = unwatched,
    ) -> Iterator[RayWorker]:
        """See `Engine.start`. A log is written where the worker is."""
        with self._lock:
            if self._stopped:
                raise WorkerError("stopped")
            host = self._hosts.remote()
            self._running.add(host)
        worker = RayWorker(self._ray, host, does)
        try:
            self._wait_for_room(host, watch)
            values = (str(Path.cwd()), module, dict(opening), does, patience_s, log and str(log))
            worker.have("begin", values, watch, problem="ended before it began")
            yield worker
        finally:
            with self._lock:
                self._running.discard(host)
                was_placed = host in self._placed
                self._placed.discard(host)
            if was_placed:  # else nobody would answer
                with contextlib.suppress(Exception):  # it may be gone: then there is nothing to end
                    self._ray.get(host.end.remote(), timeout=_GOODBYE_S)
            self._ray.kill(host)

    def _wait_for_room(self, host: Any, watch: Watcher) -> None:
        """Wait until a machine has taken the worker.

        Raises:
            WorkerError: none has room, and others work: what this one would do is left to them. Or all were stopped.
        """
        placed, since, told = host.news.remote(), time.monotonic(), False
        while not self._ray.wait([placed], timeout=_LOOK_EVERY_S)[0]:
            if self._stopped:
                raise WorkerError("stopped")
            if time.monotonic() - since < _ROOM_S:
                continue
            if self._placed:
                raise WorkerError("the cluster has no room for another worker")
            if not told:
                watch(Progress("warning", 0, 0, "no core of the cluster is free yet: work waits for one"))
                told = True
        with self._lock:
            self._placed.add(host)

    def stop(self) -> None:
        """See `Engine.stop`."""
        with self._lock:
            for host in self._running:
                if self._stopped:
                    self._ray.kill(host)
                else:
                    host.stop.remote()
            self._stopped = True


class RayWorker:
    """A worker on a machine of the cluster; see `AskedWorker`."""

    def __init__(self, ray: Any, host: Any, does: str) -> None:
        self._ray, self._host, self._does = ray, host, does
        self._news: Any = None

    def ask(self, order: Order, watch: Watcher = unwatched) -> Any:
        """See `AskedWorker.ask`."""
        return self.have("ask", (dict(order),), watch, problem="died")

    def have(self, method: str, values: Sequence[Any], watch: Watcher, *, problem: str) -> Any:
        """Have the host do something, and pass on its news meanwhile."""
        try:
            done = getattr(self._host, method).remote(*values)
            while not self._ray.wait([done], timeout=_LOOK_EVERY_S)[0]:
                self._pass_on(watch)
            self._pass_on(watch)
            return _result(self._ray.get(done))
        except self._ray.exceptions.RayError as error:
            raise WorkerError(f"the machine or process that {self._does} {problem}", seen=_reason(error)) from None

    def _pass_on(self, watch: Watcher) -> None:
        """Tell how far the work is. News that take too long are told the next time: what lasts is the work."""
        self._news = self._news or self._host.news.remote()
        if self._ray.wait([self._news], timeout=_LOOK_EVERY_S)[0]:
            news, self._news = self._news, None
            for moment in self._ray.get(news):
                watch(Progress(*moment))


def _result(answer: Answer) -> Any:
    if "failed" in answer:
        raise OddframeError.from_dict(answer["failed"])
    return answer["done"]


def _reason(error: Exception) -> str:
    """The beginning of what Ray says, which goes on for a page."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return first if len(first) <= _REASON else f"{first[:_REASON]} ..."


# The cluster ------------------------------------------------------------------------------------------------


def _import_ray(*, alone: bool) -> Any:
    """Ray, without its report to its makers; where it is this machine's alone, with all of its ports on 127.0.0.1."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    before = os.environ.get(_ON_LOOPBACK)
    if alone:
        os.environ[_ON_LOOPBACK] = "0"
    try:
        import ray
    except ImportError:
        raise MissingExtraError("work on a Ray cluster", "cluster") from None
    finally:
        if alone:
            del os.environ[_ON_LOOPBACK]
        if before is not None:
            os.environ[_ON_LOOPBACK] = before
    return ray


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"logging_level": "ERROR", "log_to_driver": False}
    if address is None:
        ray.init("local", include_dashboard=False, **quiet)
        if (found := ray.nodes()[0]["NodeManagerAddress"]) != "127.0.0.1":
            ray.shutdown()
            raise ClusterError(
                "a Ray of this machine alone would listen to others",
                seen=f"address {found}: Ray had been imported before",
                hint="let it be imported here first, or name the address of a cluster",
            )
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ClusterError("this is no address of a cluster", seen=address, wanted="HOST:PORT, as in 10.0.0.5:6379")
    hint = "see on its head whether `ray status` answers; this machine must reach the port"
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise ClusterError("the cluster does not answer", seen=f"{address}: {error}", hint=hint) from None
    try:
        ray.init(address, **quiet)
    except Exception as error:
        if "ersion mismatch" in str(error):
            raise ClusterError(
                "the cluster runs another version of Ray or Python",
                seen=" ".join(str(error).split()),
                hint="the same versions on all machines: pip install of the same constraints",
            ) from None
        raise ClusterError("the cluster lets nobody in", seen=_reason(error), hint=hint) from None


def _refuse_other_versions(ray: Any) -> None:
    """Ask each machine, before any work begins.

    Raises:
        ClusterError: another version works there, or none is installed.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    wanted = about_here()
    nodes = {node["NodeID"]: node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")}
    if not nodes:
        raise ClusterError("the cluster has no machine that works", seen="no machine with a core")
    ask, asked = ray.remote(about_here), {}
    for one in nodes:
        there = NodeAffinitySchedulingStrategy(node_id=one, soft=False)
        asked[one] = ask.options(num_cpus=0, max_retries=0, scheduling_strategy=there).remote()
    until = time.monotonic() + _BEGIN_S
    for one, answer in asked.items():
        name = nodes[one]["NodeManagerAddress"]
        try:
            found = ray.get(answer, timeout=max(1.0, until - time.monotonic()))
        except Exception as error:
            raise ClusterError(
                f"the machine {name} of the cluster cannot work with oddframe",
                seen=_reason(error),
                wanted=f"oddframe {wanted['oddframe']}, installed for the Python that Ray runs with there",
            ) from None
        if found != wanted:
            raise ClusterError(
                f"the machine {name} of the cluster has other versions",
                seen=", ".join(f"{what} {number}" for what, number in found.items()),
                wanted=", ".join(f"{what} {number}" for what, number in wanted.items()),
            )
