"""An engine that dies is started again, and one whose supervisor dies ends itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.shared import benchmark

from oddframe.instant import MODEL
from oddframe.site.store import Store

SUPERVISED = """
import sys, time
from pathlib import Path
from oddframe.site.store import Store
from oddframe.site.supervisor import Supervisor
with Store.open(Path(sys.argv[1])) as store:
    supervisor = Supervisor(store, backend="onnxruntime")
    supervisor.start()
    while not (supervisor.process and supervisor.status and supervisor.status.engine.judged):
        time.sleep(0.1)
    print(supervisor.process, flush=True)
    time.sleep(600)
"""

needs_proc = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system has no /proc")


@pytest.mark.long
@pytest.mark.slow
@needs_proc
def test_kills_of_engine_and_readers_lose_and_double_no_event(tmp_path: Path):
    pytest.importorskip("onnxruntime")
    seen = benchmark("kill_the_engine").kill(tmp_path, 5, longest_s=1.5)

    assert seen.events >= 2
    assert seen.engines == 3
    assert seen.bad == seen.late, seen  # how long it takes is a matter of what else the computer does


@pytest.mark.slow
@needs_proc
def test_nothing_is_left_running_and_no_event_open_where_the_supervisor_is_killed(tmp_path: Path, make_video):
    pytest.importorskip("onnxruntime")
    video = make_video(tmp_path / "gate.mp4", frames=50, fps=12.5, size=(96, 144))
    with Store.open(tmp_path / "site") as store:
        store.cameras.put("gate", str(video), str(video))
        store.cameras.put_detector("instant", str(MODEL))
        store.cameras.fit("gate", "instant")
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path / "site")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        engine = int(process.stdout.readline())
        left = [engine, *benchmark("kill_the_engine").children_of(engine)]
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 300
    while any(_runs(one) for one in left):
        assert time.monotonic() < end, "a process is left"
        time.sleep(0.05)

    assert len(left) >= 2
    with Store.open(tmp_path / "site") as store:
        assert store.events.open() == []


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
