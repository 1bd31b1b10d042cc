"""Work on a Ray cluster: the same worker processes, on machines that come and go."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oddframe.errors import ClusterError, MissingExtraError, SettingsError, TooShortError, WorkerError
from oddframe.processes import ray_host
from oddframe.processes.crew import Crew
from oddframe.processes.engines import Where
from oddframe.processes.ray_engine import RayEngine, ray_engine
from oddframe.progress import Progress

pytestmark = [
    pytest.mark.slow,
    # It may not be imported here: what is tested decides before that where Ray listens.
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]

MODULE = """
import os, time
from contextlib import contextmanager
from pathlib import Path
from oddframe.errors import TooShortError
from oddframe.processes.worker import serve
from oddframe.progress import Progress

@contextmanager
def begin(opening, watch):
    def work(order, watch):
        watch(Progress("doubling", 1, 2, "half way"))
        watch(Progress("warning", 0, 0, "it is warm"))
        if order.get("short"):
            raise TooShortError("too short", seen=order["short"])
        if order.get("dies"):
            Path(order["dies"]).open("a").write("x")
            os._exit(3)
        if order.get("waits"):
            time.sleep(600)
        return [2 * order["number"], os.getcwd(), os.environ["OMP_NUM_THREADS"]]
    yield work

serve(begin)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module that workers are started with."""
    home = tmp_path_factory.mktemp("modules")
    (home / "doubling.py").write_text(MODULE)
    return home


@pytest.fixture(scope="module")
def engine(home: Path) -> Iterator[RayEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(home), os.environ.get("PYTHONPATH")])))
        with ray_engine(None, jobs=2) as engine:
            yield engine


def test_orders_go_to_a_process_in_the_same_folder_and_news_and_errors_come_back(engine):
    told: list[Progress] = []
    with engine.start("doubling", {}, does="doubles") as worker:
        doubled, folder, threads = worker.ask({"number": 21}, told.append)
        with pytest.raises(TooShortError, match=r"too short[\s\S]*3 frames"):
            worker.ask({"number": 1, "short": "3 frames"})
        assert worker.ask({"number": 4})[0] == 8, "an error of the work ends no worker"

    assert (doubled, folder) == (42, str(Path.cwd()))
    assert int(threads) >= 1
    assert Progress("warning", 0, 0, "it is warm") in told


def test_a_task_whose_process_dies_three_times_is_set_aside_and_stops_no_other(engine, tmp_path):
    deaths, ended, told = tmp_path / "deaths", {}, []

    class Hand:
        def __enter__(self):
            self.open, self.worker = None, None
            return self

        def __exit__(self, *_):
            if self.open is not None:
                self.open.__exit__(None, None, None)

        def __call__(self, task, watch):
            if self.worker is None:
                self.open = engine.start("doubling", {}, does="doubles")
                self.worker = self.open.__enter__()
            try:
                return self.worker.ask(task, watch)[0]
            except WorkerError:
                self.worker = None
                raise

    tasks = [{"number": 1}, {"number": 2, "dies": str(deaths)}, {"number": 3}]
    Crew(engine, 2, Hand).work(
        tasks, lambda _, what: told.append(what), lambda task, found: ended.update({task["number"]: found})
    )

    assert (ended[1], ended[3]) == (2, 6)
    assert isinstance(ended[2], WorkerError)
    assert "3 times" in str(ended[2])
    assert "exit code 3" in str(ended[2])
    assert deaths.read_text() == "xxx"
    assert sum("tried again" in one.note for one in told) == 2


def test_all_ports_of_a_ray_of_this_machine_are_on_loopback(engine):
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout.splitlines()
    of_ray = [line.split()[3] for line in listening if "raylet" in line or "gcs_server" in line or "ray::" in line]
    assert len(of_ray) >= 3
    assert all("127.0.0.1" in address for address in of_ray), of_ray


def test_other_versions_on_a_machine_are_named_before_any_work_begins(engine, monkeypatch):
    monkeypatch.setattr(ray_host, "version", lambda _: "99.0")  # here; the cluster's machine keeps its own
    with pytest.raises(ClusterError, match=r"has other versions[\s\S]*oddframe 99\.0"), ray_engine(None):
        pass


def test_an_end_of_all_ends_what_lasts(engine, home):
    with ray_engine(None, jobs=1) as other:

        def stop(_: Progress) -> None:
            other.stop()
            other.stop()

        with other.start("doubling", {}, does="doubles") as worker, pytest.raises(WorkerError):
            worker.ask({"number": 1, "waits": True}, stop)
        with pytest.raises(WorkerError, match="stopped"), other.start("doubling", {}, does="doubles"):
            pass


@pytest.mark.parametrize(
    ("address", "said"),
    [("eee", "no address"), ("127.0.0.1:1", "does not answer"), ("127.0.0.1:99999", "does not answer")],
)
def test_an_address_where_no_cluster_is_gives_one_error(address, said):
    code = f"from oddframe.processes.engines import Where\nwith Where('ray', {address!r}).open(tasks=1): pass"
    ended = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert "ClusterError" in ended.stderr
    assert said in ended.stderr


def test_without_ray_the_line_to_type_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"oddframe\[cluster\]\""), Where("ray").open(tasks=1):
        pass


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("spark",), "no such engine"),
        (("local", "10.0.0.5:6379"), "only a cluster"),
        (("ray", None, 0), "number of jobs"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said):
    with pytest.raises(SettingsError, match=said):
        Where(*given)
