"""Figures of a site under load, made of the samples that `load_a_site.py` takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any, TypeVar

from oddframe.runs import host, versions

Sample = dict[str, Any]
Number = TypeVar("Number", int, float)

WARM_SHARE, WARM_MOST_S = 0.2, 120.0
"""Memory is followed after the first fifth of the time, or two minutes: until then what is bounded fills up."""


def figures(sessions: Sequence[Sequence[Sample]], cameras: int, fps: float, garbage: str) -> dict[str, Any]:
    """All figures; times are in seconds, rates in frames a second, memory in MB and MB an hour.

    Args:
        sessions: samples of each time that the site ran, of which one has two or more. fps: of each camera.
        garbage: name of a camera apart.
    """
    whole = [one for one in sessions if len(one) > 1]
    lasted_s = sum(one[-1]["at_s"] - one[0]["at_s"] for one in whole)
    dropped, judged, decoded, apart = Counter[str](), 0, 0, Counter[str]()
    for session in whole:
        for name in session[-1]["cameras"]:
            seen = [sample["cameras"][name] for sample in session if name in sample["cameras"]]
            reasons = dict.fromkeys(reason for one in seen for reason in one["dropped"])
            lost = {reason: _rise([one["dropped"].get(reason, 0) for one in seen]) for reason in reasons}
            if name == garbage:
                apart.update({"judged": _rise([one["judged"] for one in seen]), **lost})
                continue
            dropped.update(lost)
            judged += _rise([one["judged"] for one in seen])
            decoded += _rise([one["decoded"] for one in seen])
    wanted = cameras * fps * lasted_s
    engine_s, readers_s, supervisor_s, others_s = _cores(whole)
    every = [sample for session in whole for sample in session]
    judged_s = [sample["judged_s"] for sample in every if sample["judged_s"]]
    stored_s = [session[-1]["stored_s"] for session in whole if session[-1]["stored_s"]]
    return {
        "lasted_s": round(lasted_s, 1),
        "sessions": len(whole),
        "wanted": round(wanted),
        "judged": judged,
        "dropped": {reason: many for reason, many in dropped.items() if many},
        "dropped_share": sum(dropped.values()) / wanted,
        "not_judged_share": max(0.0, 1 - judged / wanted),
        "judged_s": {"median": median(a for a, _ in judged_s), "most": median(b for _, b in judged_s)}
        if judged_s
        else None,
        "stored_s": {"median": median(a for a, _ in stored_s), "most": max(b for _, b in stored_s)}
        if stored_s
        else None,
        "engine_ms": 1000 * engine_s / max(1, judged),
        "reader_ms": 1000 * readers_s / max(1, decoded),
        "cores": {
            "engine": engine_s / lasted_s,
            "readers": readers_s / lasted_s,
            "supervisor": supervisor_s / lasted_s,
            "others": others_s / lasted_s,
        },
        "memory": _memory(whole),
        "by_time": [one for session in whole for one in _by_time(session, cameras * fps, garbage)],
        "evidence_mb": sum(session[-1]["evidence_mb"] - session[0]["evidence_mb"] for session in whole),
        "store_mb": sum(session[-1]["store_mb"] - session[0]["store_mb"] for session in whole),
        "waiting_most": max(sample["waiting"] for sample in every),
        "lost": sum(session[-1]["lost"] for session in whole),
        "without_evidence": every[-1]["without_evidence"],
        "engine_restarts": sum(session[-1]["engines"] for session in whole),
        "reader_restarts": sum(one["restarted"] for session in whole for one in session[-1]["cameras"].values()),
        "garbage": dict(apart) if apart else None,
        "load_average": [every[0]["load_average"], every[-1]["load_average"]],
        "host": host().to_dict(),
        "versions": versions(),
    }


def _by_time(session: Sequence[Sample], wanted_fps: float, garbage: str) -> list[dict[str, Any]]:
    """Stretches of a twentieth of the time, and a minute at least: how a site did while others did what they did."""
    found, first = [], session[0]
    shortest_s = max(60.0, session[-1]["at_s"] / 20)
    for sample in session[1:]:
        lasted_s = sample["at_s"] - first["at_s"]
        if lasted_s < shortest_s - 1:
            continue
        judged = [_judged(one, garbage) for one in (first, sample)]
        engine_s, readers_s, supervisor_s, others_s = _cores([[first, sample]])
        found.append(
            {
                "until_s": sample["at_s"],
                "judged_share": _rise(judged) / wanted_fps / lasted_s,
                "judged_s": sample["judged_s"],
                "site_cores": (engine_s + readers_s + supervisor_s) / lasted_s,
                "others_cores": others_s / lasted_s,
                "load_average": sample["load_average"],
            }
        )
        first = sample
    return found


def _judged(sample: Sample, garbage: str) -> int:
    return sum(one["judged"] for name, one in sample["cameras"].items() if name != garbage)


def _cores(sessions: Sequence[Sequence[Sample]]) -> tuple[float, float, float, float]:
    """Seconds that engine, readers, supervisor and all other processes of the machine kept a core busy."""
    engine = readers = supervisor = busy = 0.0
    for session in sessions:
        first, last = session[0], session[-1]
        engine += _rise([sample["engine"]["cpu_s"] for sample in session])
        supervisor += last["supervisor"]["cpu_s"] - first["supervisor"]["cpu_s"]
        for number in {number for sample in session for number in sample["readers"]}:
            readers += _rise([sample["readers"][number]["cpu_s"] for sample in session if number in sample["readers"]])
        busy += last["busy_s"] - first["busy_s"]
    return engine, readers, supervisor, max(0.0, busy - engine - readers - supervisor)


def _rise(counted: Sequence[Number]) -> Number:
    """By how much something rose that begins at 0 again with another process."""
    return sum(b - a if b >= a else b for a, b in pairwise(counted))


def _memory(sessions: Sequence[Sequence[Sample]]) -> dict[str, dict[str, float]]:
    """Of each process: MB at the end, and MB an hour by which it grows; of readers the mean, and the most."""
    found: dict[str, dict[str, float]] = {}
    lines: dict[str, list[tuple[float, float, float]]] = {}
    for session in sessions:
        warm_s = min(WARM_MOST_S, WARM_SHARE * session[-1]["at_s"])
        later = [sample for sample in session if sample["at_s"] >= warm_s]
        for role in ("engine", "supervisor"):
            lines.setdefault(role, []).append(_line([(one["at_s"], one[role]["mb"]) for one in later]))
        for number in later[-1]["readers"]:
            points = [(one["at_s"], one["readers"][number]["mb"]) for one in later if number in one["readers"]]
            lines.setdefault("readers", []).append(_line(points))
    for role, of_role in lines.items():
        lasted = sum(one[2] for one in of_role) or 1.0
        found[role] = {
            "mb": sum(one[0] for one in of_role) / len(of_role),
            "mb_an_hour": sum(one[1] * one[2] for one in of_role) / lasted,
            "most_mb_an_hour": max(one[1] for one in of_role),
        }
    return found


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """(last value, rise an hour by least squares, seconds) of (seconds, MB)."""
    times, sizes = [at for at, _ in points], [mb for _, mb in points]
    middle = sum(times) / len(times)
    spread = sum((at - middle) ** 2 for at in times)
    rise = sum((at - middle) * mb for at, mb in points) / spread if spread else 0.0
    return sizes[-1], 3600 * rise, times[-1] - times[0]
