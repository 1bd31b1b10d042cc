"""Worker processes: what they say, how they fail, how they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from oddframe.errors import CutOffVideoError, MissingExtraError, OddframeError, TooShortError, WorkerError
from oddframe.processes.crew import CannotBeginError, Crew
from oddframe.processes.workers import Workers
from oddframe.progress import Progress

MODULE = """
import os, sys, time
print("a library says hello")
from contextlib import contextmanager
from oddframe.errors import *
import oddframe.processes.worker
from oddframe.processes.worker import serve
from oddframe.progress import Progress

@contextmanager
def begin(opening, watch):
    oddframe.processes.worker._ORPHAN_S = opening.get("alone_s", 30.0)
    if opening.get("refuse"):
        raise SettingsError("no such thing", seen=opening["refuse"])
    if opening.get("die"):
        sys.exit("gone before it began")

    def work(order, watch):
        print('{"done": "a library prints what looks like news"}', flush=True)
        os.write(1, b"\\xff\\x00 and rubbish without an end")
        return globals()[order["do"]](order, watch)

    yield work
    print("closed", file=sys.stderr)

def double(order, watch):
    for number in range(order["number"]):
        watch(Progress("doubling", number, order["number"], "half way"))
    return 2 * order["number"]

def fail(order, watch):
    raise CutOffVideoError("it ends", frames_read=7, path="gate.mp4", hint="copy it again")

def crash(order, watch):
    print("\\nmemory is full", file=sys.stderr)
    os._exit(3)

def bug(order, watch):
    return 1 / 0

def hang(order, watch):
    time.sleep(60)

def slow(order, watch):
    for number in range(24):
        watch(Progress("counting", number, 24))
        time.sleep(0.1)
    return "there"

def where(order, watch):
    return {"threads": os.environ.get("OMP_NUM_THREADS"), "path": sys.path, "safe": sys.flags.safe_path}

serve(begin)
"""


@pytest.fixture
def module(tmp_path, monkeypatch) -> str:
    """The name of a module that workers can be started with."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/a_worker_of_tests.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "modules"), os.environ.get("PYTHONPATH", "")]))
    return "a_worker_of_tests"


def test_results_and_progress_come_whole_whatever_libraries_print(module):
    told = []
    with Workers().start(module, {}, does="doubles") as worker:
        assert worker.ask({"do": "double", "number": 21}, told.append) == 42
        assert worker.ask({"do": "double", "number": 2}) == 4

    assert told[0] == Progress("doubling", 0, 21, "half way")


def test_an_error_has_the_class_and_all_parts_that_it_has_there_and_the_worker_goes_on(module):
    with Workers().start(module, {}, does="doubles") as worker:
        with pytest.raises(CutOffVideoError) as caught:
            worker.ask({"do": "fail"})
        assert worker.ask({"do": "double", "number": 1}) == 2

    assert caught.value.frames_read == 7
    assert str(caught.value) == str(CutOffVideoError("it ends", frames_read=7, path="gate.mp4", hint="copy it again"))


@pytest.mark.parametrize("error", [TooShortError("short", seen=3), MissingExtraError("drawing", "train")])
def test_errors_travel_as_plain_values(error):
    again = OddframeError.from_dict(error.to_dict())

    assert type(again) is type(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_an_error_of_a_class_that_is_not_known_here_is_a_plain_one():
    assert type(OddframeError.from_dict(OddframeError("odd").to_dict() | {"class": "Elsewhere"})) is OddframeError


def test_what_the_worker_cannot_begin_with_is_said_as_it_is(module):
    with (
        pytest.raises(OddframeError, match=r"no such thing\n.*purple"),
        Workers().start(module, {"refuse": "purple"}, does="doubles"),
    ):
        pass
    with (
        pytest.raises(WorkerError, match=r"that doubles ended before it began\n.*exit code 1: gone before it began"),
        Workers().start(module, {"die": True}, does="doubles"),
    ):
        pass


@pytest.mark.parametrize(
    ("order", "seen"),
    [("crash", "exit code 3: memory is full"), ("bug", "exit code 1: ZeroDivisionError: division by zero")],
)
def test_a_worker_that_dies_is_known_by_its_last_words(order, seen, module, tmp_path):
    log = tmp_path / "log"
    with Workers().start(module, {}, does="doubles", log=log) as worker, pytest.raises(WorkerError) as caught:
        worker.ask({"do": order})

    assert caught.value.problem == "the process that doubles died"
    assert caught.value.seen == seen
    assert caught.value.path == log
    assert "a library says hello" in log.read_text("utf-8", "replace")


@pytest.mark.slow
def test_a_worker_that_tells_of_no_progress_is_ended_and_one_that_is_only_slow_is_not(module):
    with Workers().start(module, {}, does="counts", patience_s=2.0) as worker:
        assert worker.ask({"do": "slow"}) == "there"  # 24 times 0.1 s, and news of each

        begun = time.monotonic()
        with pytest.raises(WorkerError, match=r"the process that counts made no progress for 2 s and was ended"):
            worker.ask({"do": "hang"})

    assert time.monotonic() - begun < 50  # it would hang for 60


def test_workers_are_stopped_together_and_none_starts_after_that(module):
    workers = Workers(2)
    with workers.start(module, {}, does="sleeps") as worker:
        threading.Timer(0.3, workers.stop).start()
        with pytest.raises(WorkerError, match="that sleeps died"):
            worker.ask({"do": "hang"})
        assert worker._process.wait() in (130, -signal.SIGINT)
    with pytest.raises(WorkerError, match="stopped"), workers.start(module, {}, does="sleeps"):
        pass


def test_a_worker_clears_up_after_the_last_order(module, tmp_path):
    with Workers().start(module, {}, does="doubles", log=tmp_path / "log"):
        pass

    assert (tmp_path / "log").read_text().endswith("closed\n")


def test_nothing_that_lies_beside_the_users_videos_is_run(module, tmp_path, monkeypatch):
    home = tmp_path / "videos"
    home.mkdir()
    for name in ("queue", "json", "tempfile", "typing", "a_worker_of_tests"):
        (home / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)")
    monkeypatch.chdir(home)
    monkeypatch.setenv("PYTHONPATH", os.pathsep + os.environ["PYTHONPATH"])  # an empty entry is this folder

    with Workers().start(module, {}, does="looks") as worker:
        found = worker.ask({"do": "where"})

    assert found["safe"]
    assert not {"", str(home)} & set(found["path"])
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(("jobs", "asked", "seen"), [(1, None, None), (4, None, "2"), (4, "3", "3"), (1, "3", "3")])
def test_each_worker_has_its_share_of_the_cores_or_what_the_user_says(jobs, asked, seen, monkeypatch):
    monkeypatch.setattr("oddframe.processes.cores.usable_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)

    assert Workers(jobs)._environment.get("OMP_NUM_THREADS") == seen


# Crews ----------------------------------------------------------------------------------------------------------


def crew(work, jobs=2, workers=None):
    """A crew of which each hand does `work`, without processes."""

    @contextmanager
    def hand():
        yield work

    return Crew(workers or Workers(jobs), jobs, hand)


def test_a_task_that_fails_stops_no_other_and_news_come_in_the_callers_thread():
    ended, told, threads = {}, [], set()

    def work(task, watch):
        watch(Progress("doubling", 0, 1))
        if task == 3:
            raise TooShortError("three is too short")
        return 2 * task

    def end(task, found):
        threads.add(threading.current_thread())
        ended[task] = found

    crew(work).work(range(5), lambda task, moment: told.append(task), end)

    assert {task: found for task, found in ended.items() if task != 3} == {0: 0, 1: 2, 2: 4, 4: 8}
    assert isinstance(ended[3], TooShortError)
    assert sorted(told) == [0, 1, 2, 3, 4]
    assert threads == {threading.main_thread()}


def test_where_no_hand_can_begin_there_is_one_error():
    def work(task, watch):
        raise CannotBeginError from TooShortError("nobody can")

    with pytest.raises(TooShortError, match="nobody can"):
        crew(work).work(range(5), lambda *_: None, lambda *_: None)


def test_a_bug_in_a_hand_is_no_failed_task():
    def work(task, watch):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crew(work).work(range(5), lambda *_: None, lambda *_: None)


def test_where_the_caller_is_interrupted_the_workers_are_stopped():
    workers, ended = Workers(1), []

    def interrupt(task, found):
        ended.append(task)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crew(lambda task, watch: task, 1, workers).work(range(100), lambda *_: None, interrupt)

    assert workers.stopped
    assert ended == [0]


# The command line -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_module_of_the_command_line_runs_nothing_of_the_folder_it_is_called_in(tmp_path):
    import subprocess

    for name in ("queue", "typer", "oddframe_queue"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write(__name__)")
    done = subprocess.run(
        [sys.executable, "-m", "oddframe", "data", "cache", "--json"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert not Path(tmp_path / "ran").exists()


PARENT = """
import sys
from oddframe.processes.workers import Workers
with Workers().start(sys.argv[1], {"alone_s": 0.1}, does="hangs") as worker:
    print(worker.pid, flush=True)
    worker.ask({"do": "hang"})
"""


def test_a_worker_that_hangs_ends_when_nobody_is_left_to_end_it(module):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, module], stdout=subprocess.PIPE)
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until_s = time.monotonic() + 50  # it would hang for 60

    while _lives(worker):
        assert time.monotonic() < until_s
        time.sleep(0.05)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
