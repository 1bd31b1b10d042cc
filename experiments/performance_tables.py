"""Tables of the pages about speed, each made of the JSON files in `benchmarks/results/`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from live_curve import UNJUDGED
from pages import table, with_interval

HERE = Path(__file__).parent


def machine(found: Mapping[str, Any]) -> str:
    host = found.get("host")
    if host is None:
        return ""
    threads = f", {found['threads']} threads" if "threads" in found else ""
    units = f"{'with' if host['bf16_units'] else 'without'} bf16 units"
    if "int8_units" in host:
        units += f", {'with' if host['int8_units'] else 'without'} int8 units"
    return f"\nOn {host['processor']}, {host['cores']} cores {units}{threads}.\n"


FUZZED = {
    "videos": "video files of 15 containers and codecs",
    "pictures": "folders of pictures, 16 bits as well, and TIFFs of several pages",
    "labels": "label files and masks of every kind",
    "settings": "settings files",
    "store": "entries of the frame store; a damaged one is made again",
    "runs": "run folders, a video scored with each",
    "artefacts": "exported detectors, a video scored with each",
    "results": "results and their stored scores, a page made of each",
    "resume": "checkpoints of a stopped training",
}
"""What the targets of `benchmarks/fuzz.py` are."""


def damaged_table(found: Sequence[Mapping[str, Any]]) -> str:
    """A row for each kind of file."""
    rows = [["", "", "seed", "cases", "read", "clear error", "traceback", "NaN", "hang"]]
    for one in sorted(found, key=lambda one: list(FUZZED).index(one["target"])):
        counts = [f"{one['counts'][name]:,}" for name in ("ok", "clear error", "traceback", "nan", "hang")]
        rows.append([f"`{one['target']}`", FUZZED[one["target"]], str(one["seed"]), f"{one['cases']:,}", *counts])
    return table(rows)


def damaged_words(found: Sequence[Mapping[str, Any]]) -> str:
    """All kinds together, in a sentence."""
    counts = Counter[str]()
    for one in found:
        counts.update(one["counts"])
    return (
        f"Of {sum(one['cases'] for one in found):,} damaged files {counts['ok']:,} are read, as far as they can be, "
        f"and {counts['clear error']:,} end in one clear error; {counts['traceback']:,} end in a traceback, "
        f"{counts['nan']:,} give a number that is none, and {counts['hang']:,} hang."
    )


def mutants_table(found: Mapping[str, Any]) -> str:
    """A row for each file into which faults were put."""
    rows = [["", "places", "tried", "noticed", "without effect"]]
    for name, one in found.items():
        tried, survived, harmless = one["tried"], len(one["survivors"]), len(one.get("without_effect", ()))
        numbers = (one["places"], tried, tried - survived, harmless)
        rows.append([f"`{name.removeprefix('src/oddframe/')}`", *map(str, numbers)])
    return table(rows)


def killed_words(found: Mapping[str, Any]) -> str:
    """What became of trainings that were killed."""
    differing = found["differing"]
    end = (
        f"{len(differing)} ended otherwise than one that nobody disturbed."
        if differing
        else "All ended with the weights, the calibration and the history of one that nobody disturbed, byte for byte."
    )
    return (
        f"{found['trainings']} trainings were killed {len(found['kills'])} times, {found['inside_a_checkpoint']} of "
        f"them inside a checkpoint. {end}\n"
    )


def bench_table(found: Mapping[str, Any]) -> str:
    limits = ", ".join(f"{name} {with_quartiles(one, 0)} GFLOP/s" for name, one in found["limit"].items())
    lines = [f"The limit: {limits}.\n"] if limits else []
    if (frames := found["frames"]) is not None:
        decoded, stored = (with_quartiles(frames[name], 0) for name in ("decoded", "stored"))
        lines.append(f"Frames a second, decoded and resized: {decoded}; read from the frame store: {stored}.\n")
    rows = [["", "backend", "batch", "network, frames/s", "scores, frames/s", "GFLOP a frame", "of the limit", "MB"]]
    for one in found["scoring"]:
        gflop = "" if one["gflop"] is None else _gflop(one["gflop"])
        rates = (with_quartiles(one[name], 1) for name in ("network", "scored"))
        about = (one["of"], one["backend"], str(one["batch"]))
        rows.append([*about, *rates, gflop, percent(one["share"]), f"{one['peak_memory_mb']:.0f}"])
    lines.append(table(rows))
    if found["training"]:
        rows = [["training", "precision", "seconds a step", "GFLOP a step", "of the limit", "MB"]]
        for one in found["training"]:
            figures = (with_quartiles(one["step"], 3), _gflop(one["gflop"]), percent(one["share"]))
            rows.append([one["of"], one["precision"], *figures, f"{one['peak_memory_mb']:.0f}"])
        lines.append(table(rows))
    return "\n".join(lines)


def live_table(found: Mapping[str, Any]) -> str:
    rows = [["backend", "batch", "frames a second", "cameras of 25 frames a second", "of 5"]]
    for one in found["scoring"]:
        rate = one["scored"]["median"]
        about = [one["backend"], str(one["batch"]), with_quartiles(one["scored"], 0)]
        rows.append([*about, str(int(rate // 25)), str(int(rate // 5))])
    return table(rows)


def curve_table(found: Mapping[str, Any]) -> str:
    rates: dict[tuple[str, str], float] = {}
    for one in (one for one in found["scoring"] if one["backend"] != UNJUDGED):
        key = (one["of"], one["backend"])
        rates[key] = max(rates.get(key, 0.0), one["scored"]["median"])
    rows = [["", "backend", "AUC, %", "frames a second", "cameras of 25 frames a second", "of 5"]]
    for (name, backend), rate in rates.items():
        network = name.removeprefix("live-")
        judged = json.loads((HERE / "results" / "live" / f"ped2-0-{network}.json").read_text("utf-8"))
        area = with_interval(judged["auc"]["online"])
        rows.append([network, backend, area, f"{rate:.0f}", str(int(rate // 25)), str(int(rate // 5))])
    return table(rows)


def peer_table(found: Mapping[str, Any]) -> str:
    rows = [
        ["training", "seconds a step", "clips a step", "speed by the clip", "GFLOP a step", "of the limit", "waits"]
    ]
    for name, one in found["training"].items():
        times = f"{found['ratio']['training'].get(name, 1):.2f}"
        about = (f"{one['clips']}", times, _gflop(one["gflop"]), percent(one["share"]), percent(one["waiting"]))
        rows.append([f"{name}, {one['precision']}", with_quartiles(one, 3), *about])
    scoring = [["scoring", "frames a second", "times plain", "of the limit"]]
    for name, one in found["scoring"].items():
        times = f"{found['ratio']['scoring'].get(name, 1):.2f}"
        scoring.append([name, with_quartiles(one, 1), times, percent(one["share"])])
    lines = [table(rows), table(scoring)]
    for where, of in (("operations", "step"), ("graph_operations", "clip")):
        for name, operations in found.get(where, {}).items():
            rows = [[f"operation, {name}", f"share of a {of}", "calls"]]
            rows += [[f"`{one['operation']}`", percent(one["share"]), str(one["calls"])] for one in operations]
            lines.append(table(rows))
    return "\n".join(lines)


def int8_table(found: Mapping[str, Any]) -> str:
    areas, alarms = found["auc"], found["int8"]
    moved = 100 * (areas["artefact"] - areas["run"])
    differing = f"{alarms['differing']} of {alarms['frames']} frames differ"
    rows = [["", "run", "int8", ""]]
    rows.append(["AUC, %", f"{100 * areas['run']:.2f}", f"{100 * areas['artefact']:.2f}", f"{moved:+.2f}"])
    rows.append(["in an alarm", str(alarms["alarmed_by_run"]), str(alarms["alarmed_by_artefact"]), differing])
    return table(rows)


def step_table(found: Mapping[str, Any]) -> str:
    rows = [["", "seconds a step", "waits for data"]]
    for name in ("oddframe", "compiled", "plain"):
        one = found[name]
        seconds = f"{one['median_s']:.3f} ({one['lower_s']:.3f}-{one['upper_s']:.3f})"
        rows.append([name, seconds, f"{100 * one['waiting']:.2f} %"])
    ratios = f"plain / oddframe: {found['ratio']:.2f}; compiled / oddframe: {found['compiled_ratio']:.2f}"
    return table(rows) + f"\n{ratios}, after {found['compiling_s']:.0f} s of compiling.\n"


def length_table(found: Mapping[str, Any]) -> str:
    rows = [["frames", "ms a frame", "MB at most"]]
    for one in found["measured"]:
        rows.append([f"{one['frames']:,}", f"{1000 * one['seconds'] / one['frames']:.2f}", f"{one['peak_mb']:.0f}"])
    return table(rows)


def workers_table(found: Mapping[str, Any]) -> str:
    rows = [["processes", "frames a second"]]
    rows += [["1", with_quartiles(found["one"], 1)], [str(found["workers"]), with_quartiles(found["all"], 1)]]
    return table(rows) + f"\n{found['ratio']:.2f} times as many.\n"


def start_table(found: Mapping[str, Any]) -> str:
    rows = [["", "seconds", "wanted"]]
    for name, one in found.items():
        seconds = f"{one['median_s']:.3f} ({one['least_s']:.3f}-{one['most_s']:.3f})"
        rows.append([name, seconds, "" if one["wanted_s"] is None else f"under {one['wanted_s']:g}"])
    return table(rows) + "\nIn brackets the least and the most.\n"


def teaching_table(found: Mapping[str, Any]) -> str:
    presets = found["presets"]
    rows = [["", *(f"maps of `{name}`" for name in presets)]]
    for step in next(iter(presets.values()))["processor_seconds"]:
        rows.append([step, *(f"{one['processor_seconds'][step]['median']:.1f} s" for one in presets.values())])
    rows.append(["remembered", *(f"{one['events']} events, {one['megabytes']:.0f} MB" for one in presets.values())])
    return table(rows)


def console_table(found: Mapping[str, Any]) -> str:
    rows = [["", "median", "95 of 100 below", "least", "wanted"]]
    wanted = {"first_paint_s": "under 1 s", "answer_s": "", "review_s": "under 3 s"}
    words = {"first_paint_s": "wall, first paint", "answer_s": "wall, its answer", "review_s": "review by key"}
    for name, want in wanted.items():
        rows.append([words[name], *(f"{found[name][of]:.3f} s" for of in ("median", "p95", "least")), want])
    shares = [f"{name} {100 * share:.1f} %" for name, share in found["core_share"].items()]
    low, high = found["load_average"]
    return table(rows) + (
        f"\n{found['reviews']} reviews took {found['reviews_in_all_s']:.0f} s in all, without the time that a person "
        f"thinks. Of one core: {', '.join(shares)}; under 5 % is wanted. The load average of the machine was {low:g} "
        f"before and {high:g} afterwards.\n"
    )


def attack_table(found: Mapping[str, Any]) -> str:
    """Both halves side by side, and how each kind of attack was answered."""
    halves = [found["peace"], found["attacked"]]
    rows = [["", "in peace", "attacked"]]
    for name, words, form in (
        ("judged_per_s", "frames judged a second", "{:.1f}"),
        ("dropped_per_s", "frames dropped a second", "{:.1f}"),
        ("look_p95_s", "the list of events, 95 of 100 below, s", "{:.3f}"),
        ("looks_refused", "of these refused", "{}"),
        ("load_average", "load average", "{:g}"),
    ):
        rows.append([words, *("-" if half[name] is None else form.format(half[name]) for half in halves)])
    answers = [["attack", "answered"]]
    for kind, counted in found["answers"].items():
        told = (f"{count:,} times {answer.split(':')[0]}" for answer, count in sorted(counted.items(), key=_fewer))
        answers.append([ATTACKS[kind], ", ".join(told)])
    given = sum(
        count for counted in found["answers"].values() for answer, count in counted.items() if "GIVEN" in answer
    )
    return f"{table(rows)}\n{table(answers)}\nAnswers that gave away what they should not: {given or 'none'}.\n"


def _fewer(counted: tuple[str, int]) -> int:
    return -counted[1]


ATTACKS = {
    "logins": "logins with guesses",
    "streams": "event streams without a login",
    "letters": "requests letter by letter",
    "bodies": "bodies of ten megabytes",
    "paths": "paths to what is nobody's business",
}


def reading_table(found: Mapping[str, Any]) -> str:
    rows = [["", "frames", "PyAV alone", "oddframe", "opening", "counting"]]
    for name, one in found["files"].items():
        ours = one["oddframe"]
        whole = (with_quartiles(one["PyAV alone"]["cpu_s"], 2), with_quartiles(ours["cpu_s"], 2))
        parts = (f"{ours[part]['median']:.3f}" for part in ("open_s", "count_s"))
        rows.append([name, f"{ours['frames']:,}", *whole, *parts])
    return table(rows)


def _gflop(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def with_quartiles(one: Mapping[str, float], digits: int) -> str:
    return f"{one['median']:.{digits}f} ({one['lower']:.{digits}f}-{one['upper']:.{digits}f})"


def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"
