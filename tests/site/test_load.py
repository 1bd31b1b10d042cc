"""The benchmark of a whole site counts what is dropped, what is late and what grows; and a site under it works."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.shared import benchmark

from oddframe.instant import MODEL
from oddframe.site.latency import Latencies


@pytest.fixture(scope="module", autouse=True)
def _beside(load_figures: ModuleType) -> None:
    """`load_a_site.py` imports what lies beside it."""
    sys.modules["load_figures"] = load_figures


@pytest.fixture(scope="module")
def load_figures() -> ModuleType:
    return benchmark("load_figures")


def sample(at_s: float, judged: int, *, engine_mb: float = 200.0, **changed: Any) -> dict[str, Any]:
    gate = {"judged": judged, "decoded": judged, "given": judged, "dropped": {"late": judged // 100}, "restarted": 0}
    broken = {**gate, "judged": judged // 2, "dropped": {"damaged": judged // 2}}
    process = {"mb": 80.0, "cpu_s": at_s / 10}
    return {
        "at_s": at_s,
        "cameras": {"gate": gate, "garbage": broken},
        "judged_s": [0.05, 0.1],
        "stored_s": [0.1, 0.2],
        "waiting": 0,
        "lost": 0,
        "without_evidence": {},
        "engines": 0,
        "evidence_mb": 1.0,
        "store_mb": 1.0,
        "supervisor": process,
        "engine": {"mb": engine_mb, "cpu_s": at_s / 2},
        "readers": {"7": process, "8": process},
        "busy_s": at_s,
        "load_average": 1.0,
    } | changed


def made(load_figures: ModuleType, sessions: list[list[dict[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = load_figures.figures(sessions, cameras=1, fps=10.0, garbage="garbage")
    return found


def test_what_is_lost_is_counted_from_the_first_sample_on_and_without_the_camera_of_garbage(load_figures: ModuleType):
    found = made(load_figures, [[sample(0, 5000), sample(500, 9900)]])

    assert (found["wanted"], found["judged"]) == (5000, 4900)
    assert found["dropped"] == {"late": 49}
    assert found["not_judged_share"] == pytest.approx(0.02)
    assert found["garbage"] == {"judged": 2450, "damaged": 2450}


def test_cores_are_those_of_each_role_and_the_rest_is_others(load_figures: ModuleType):
    cores = made(load_figures, [[sample(0, 0), sample(500, 5000)]])["cores"]

    assert cores == pytest.approx({"engine": 0.5, "readers": 0.2, "supervisor": 0.1, "others": 0.2})


def test_memory_that_grows_after_the_beginning_is_told_as_mb_an_hour(load_figures: ModuleType):
    fills = [sample(at, 10 * at, engine_mb=100.0 + 10 * at) for at in (0, 60)]
    grows = [sample(at, 10 * at, engine_mb=700.0 + at / 60) for at in range(120, 1021, 60)]
    memory = made(load_figures, [fills + grows])["memory"]

    assert memory["engine"]["mb_an_hour"] == pytest.approx(60.0)
    assert memory["readers"]["most_mb_an_hour"] == pytest.approx(0.0)


def test_a_run_that_was_stopped_counts_with_what_came_after_it(load_figures: ModuleType):
    found = made(load_figures, [[sample(0, 0), sample(100, 990)], [sample(0, 10), sample(50, 510)]])

    assert (found["lasted_s"], found["sessions"], found["judged"]) == (150, 2, 1490)


def test_an_engine_that_was_started_again_counts_from_nothing(load_figures: ModuleType):
    found = made(load_figures, [[sample(0, 1000), sample(100, 2000), sample(150, 100), sample(200, 600)]])

    assert found["judged"] == 1600


def test_a_log_goes_on_where_its_last_line_was_cut_short(tmp_path: Path):
    log = tmp_path / "samples.jsonl"
    lines = [json.dumps(sample(at, at)) for at in (0, 5, 0, 5)]
    log.write_text("\n".join(lines) + "\n" + lines[0][:40])

    sessions = benchmark("load_a_site").sessions_of(log)
    assert [[one["at_s"] for one in session] for session in sessions] == [[0, 5], [0, 5]]
    assert log.read_text() == "\n".join(lines) + "\n"


def test_latencies_are_those_of_the_last_thousand():
    lately = Latencies()
    assert lately.told is None
    for second in range(3000):
        lately.add(float(second))

    assert lately.told == (2500.0, 2950.0)


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="this system has no /proc")
def test_a_site_with_a_camera_that_sends_garbage_judges_the_others_and_goes_on_with_its_log(tmp_path: Path):
    pytest.importorskip("onnxruntime")
    module = benchmark("load_a_site")
    load = module.Load(2, 5.0, (96, 144), "tiny", "fp32", "onnxruntime", 1.0, True, str(MODEL))
    log = tmp_path / "samples.jsonl"
    first = module.run(tmp_path, load, 4.0, 1.0, log)
    both = module.run(tmp_path, load, 8.0, 1.0, log)

    assert (first["sessions"], both["sessions"]) == (1, 2)
    assert both["lasted_s"] == pytest.approx(8.0, abs=1.0)
    assert both["judged"] > first["judged"] > 0
    assert both["garbage"] is not None
    assert both["memory"]["readers"]["mb"] > 0
    assert both["lost"] == 0
