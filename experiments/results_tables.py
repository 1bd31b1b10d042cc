"""Tables of the pages about detection, each made of the JSON files in `results/`."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from statistics import mean
from typing import Any

import lab_words as words
from oddframe.detectors import detector_entry
from oddframe.records import read_record
from oddframe.reproduction.cells import Cell
from oddframe.reproduction.rows import rows_of
from oddframe.reproduction.table import SCORES, figures_of, figures_table
from oddframe.settings import ScoreSettings, TrainSettings
from pages import table, with_interval

NAMES = {
    "paper": "`paper` (Eq. 12, offline)",
    "online": "`online` (causal)",
    "learned": "`learned` (causal)",
    "psnr": "psnr",
    "distance": "distance",
    "local_error": "local error",
    "local_distance": "local distance",
    "motion": "motion",
    "flow": "flow",
    "direction": "direction of flow",
}
_MEANS = ("online", "paper", "distance", "motion")
_COMPARED = ("paper", "psnr", "local_error", "online", "distance")


def folds_of(cells: dict[str, Any], name: str) -> dict[int, Any]:
    whole = re.compile(rf"ped2-kfold-(\d+)-{re.escape(name)}")
    return {int(found[1]): cell for stem, cell in cells.items() if (found := whole.fullmatch(stem))}


def detection_table(ours: dict[int, Any], floors: dict[str, dict[int, Any]], variant: str) -> str:
    rows = [["score", "given", *(f"fold {fold}" for fold in ours), "mean"]]
    judged = [(name, floor, "nothing") for name, floor in floors.items() if set(ours) <= set(floor)]
    for label, folds, given in (*judged, (f"`{variant}`", ours, "known anomalies")):
        cells = [folds[fold] for fold in ours]
        names = [name for name in NAMES if all(name in cell["auc"] for cell in cells)]
        for name in names:
            if label in floors and name not in ("paper", "online", "psnr", "motion", "flow"):
                continue
            figures = [cell["auc"][name] for cell in cells]
            micro = [figure["micro"] for figure in figures]
            rows.append(
                [f"{label}: {NAMES[name]}", given, *map(with_interval, figures), f"**{100 * mean(micro):.1f}**"]
            )
    return table(rows)


def seeds_table(trainings: list[tuple[str, dict[int, Any]]]) -> str:
    """A row for each training: AUC by fold, and the means of what the 99 % line lets through and finds."""
    folds = list(trainings[0][1])
    rows = [["trained", "seed", *(f"fold {fold}" for fold in folds), "mean", "above the line", "stretches found"]]
    for what, training in trainings:
        cells = list(training.values())
        row = [what, str(cells[0]["settings"]["train"]["seed"])]
        row += ["" if fold not in training else _three(training[fold]["auc"]) for fold in folds]
        if len(cells) == len(folds):
            areas = [mean(cell["auc"][name]["micro"] for cell in cells) for name in ("paper", "online", "distance")]
            line = [mean(cell["threshold"]["online"][name] for cell in cells) for name in ("normal_above", "recall")]
            events = [sum(cell["events"][name] for cell in cells) for name in ("found", "labelled")]
            row += [" / ".join(f"{100 * figure:.1f}" for figure in figures) for figures in (areas, line)]
            row.append(f"{events[0]} of {events[1]}")
        rows.append(row + [""] * (len(rows[0]) - len(row)))
    return table(rows)


def none_known_table(cells: dict[str, Any]) -> str:
    trained = [stem for stem in sorted(cells) if stem.startswith("ped2-standard-cpu")]
    found = {f"`cpu`, seed {cells[stem]['settings']['train']['seed']}": cells[stem] for stem in trained}
    rows = [["score", *(head for name in found for head in (name, "above the line"))]]
    for name, label in NAMES.items():
        if not all(name in cell["auc"] for cell in found.values()):
            continue
        row = [label]
        for cell in found.values():
            line = cell["threshold"].get(name)
            above = "-" if line is None else f"{100 * line['normal_above']:.1f} / {100 * line['recall']:.1f}"
            row += [with_interval(cell["auc"][name]), above]
        rows.append(row)
    means = (
        f"{NAMES[name]} {100 * mean(cell['auc'][name]['micro'] for cell in found.values()):.1f}" for name in _MEANS
    )
    others = [["trained", "seed", "AUC", "above the line"]]
    for name, what in words.NONE_KNOWN_TRAININGS.items():
        for stem in sorted(stem for stem in cells if re.fullmatch(rf"ped2-standard-{name}(-\d+)?", stem)):
            cell, line = cells[stem], cells[stem]["threshold"]["online"]
            above = f"{100 * line['normal_above']:.1f} / {100 * line['recall']:.1f}"
            others.append([what, str(cell["settings"]["train"]["seed"]), _three(cell["auc"]), above])
    alarms = [["at the alarm line", "found", "delay in frames", "false"]]
    for name, cell in found.items():
        events = cell["events"]
        counts = (f"{events['found']} of {events['labelled']}", f"{events['delay_frames']:g}", str(events["false"]))
        alarms.append([name, *counts])
    mean_of = f"Means of `cpu` over its {len(found)} seeds: {', '.join(means)}.\n"
    return "\n".join([table(rows), mean_of, table(alarms), words.NONE_KNOWN_OTHERS, table(others)])


def floors_table(cells: dict[str, Any], floors: dict[str, str]) -> str:
    """A row for each detector without a network, and for each part of Ped2 that it was judged on."""
    rows = [["detector", "judged", "`online`", "above the line", "anomalies found", "false alarms"]]
    for name, what in floors.items():
        parts = {f"fold {fold}": cell for fold, cell in folds_of(cells, name).items()}
        parts["`standard`"] = cells[f"ped2-standard-{name}"]
        for part, cell in parts.items():
            events, line = cell["events"], cell["threshold"]["online"]
            above = f"{100 * line['normal_above']:.1f} / {100 * line['recall']:.1f}"
            found = f"{events['found']} of {events['labelled']}"
            figure = with_interval(cell["auc"]["online"])
            rows.append([f"`{name}`: {what}", part, figure, above, found, str(events["false"])])
    return table(rows)


def windows_table(windows: dict[str, dict[str, dict[str, float]]]) -> str:
    """AUC of the fastest window by its side: a row for each scene."""
    sides = next(iter(next(iter(windows.values())).values()))
    rows = [["video", *(f"{side}x{side}" for side in sides)]]
    for name, scenes in windows.items():
        for scene, of_sides in scenes.items():
            what = f"`{name}`" if scene == "all" else f"`{name}`, {scene}"
            rows.append([what, *(f"{100 * figure:.1f}" for figure in of_sides.values())])
    return table(rows)


def windows_found(windows: dict[str, dict[str, dict[str, float]]]) -> str:
    """Which side each set would choose, by the mean of its scenes."""
    said = []
    for name, scenes in windows.items():
        means = {side: mean(scene[side] for scene in scenes.values()) for side in next(iter(scenes.values()))}
        best = [side for side, figure in means.items() if figure == max(means.values())]
        if len(best) == len(means):
            said.append(f"`{name}` cannot decide: every side finds all.")
        else:
            said.append(f"`{name}` would take {best[0]}, by the mean of its scenes ({100 * means[best[0]]:.1f}).")
    return " ".join(said)


def ablations_table(cells: dict[str, Any]) -> str:
    variants = {name: folds_of(cells, name) for name in words.ABLATIONS}
    folds = sorted({fold for found in variants.values() for fold in found})
    rows = [["name", "what it is", *(f"fold {fold}" for fold in folds)]]
    for name, found in variants.items():
        if found:
            cells_of = (_three(found[fold]["auc"]) if fold in found else "" for fold in folds)
            rows.append([f"`{name}`", words.ABLATIONS[name], *cells_of])
    return table(rows)


def untried_table(results: Path) -> str:
    """Settings of DREAM with the same value in all that is stored: a row for each."""
    values: dict[str, set[str]] = {}
    for path in sorted(results.rglob("*.json")):
        found = json.loads(path.read_text("utf-8"))
        settings = found.get("settings") if isinstance(found, dict) else None
        if not isinstance(settings, dict) or not str(settings.get("detector")).startswith("dream"):
            continue
        for room in ("model", "train", "score"):
            for key, value in settings[room].items():
                values.setdefault(f"{room}.{key}", set()).add(json.dumps(value))
    kinds = {"model": detector_entry("dream-unet").settings, "train": TrainSettings, "score": ScoreSettings}
    rows = [["setting", "always", "what it is"]]
    for room, kind in kinds.items():
        for key, field in kind.model_fields.items():
            if len(there := values.get(f"{room}.{key}", set())) <= 1:
                always = next(iter(there), json.dumps(field.default))
                rows.append([f"`{room}.{key}`", f"`{always}`", str(field.description or "").replace("|", "\\|")])
    return table(rows)


def synthetic_table(cells: dict[str, Any]) -> str:
    rows = [["set", "trained", "seed", "all", "known kinds", "unknown kinds", "normal frames above the line", "RBDC"]]
    for scale, (name, what), seed in product(("demo", "slow"), words.TRIALS.items(), (1, 2, 3)):
        cell = cells.get(f"{name}-{seed}-{scale}")
        if cell is None:
            continue
        line, classes = cell["threshold"]["online"], cell["classes"]
        whole = f"{100 * cell['auc']['online']['micro']:.1f} / {100 * line['recall']:.1f}"
        apart = (classes[group] for group in ("known", "unknown"))
        shown = ("-" if not g["kinds"] else f"{100 * g['online']:.1f} / {100 * g['recall']:.1f}" for g in apart)
        places = cell.get("places")
        found = "" if places is None else f"{100 * places['figures']['online']['rbdc']:.1f}"
        rows.append([f"`{scale}`", what, str(seed), whole, *shown, f"{100 * line['normal_above']:.1f}", found])
    return table(rows)


def paper_weights_table(found: dict[str, dict[str, list[float]]]) -> str:
    rows = [["set", *next(iter(found.values()))]]
    rows += [[f"`{name}`", *(f"{100 * mean(figures):.1f}" for figures in one.values())] for name, one in found.items()]
    return table(rows)


def equal_time_table(cells: dict[str, Any]) -> str:
    seeds = sorted({int(stem.rpartition("-")[2]) for stem in cells})
    rows = [["variant", "what it is", "size", *(f"seed {seed}" for seed in seeds), "epochs", "minutes"]]
    for size in ("small", "192x288"):
        for name, what in words.VARIANTS.items():
            found = {seed: cells.get(f"ped2-0-{size}-{name}-{seed}") for seed in seeds}
            done = [cell for cell in found.values() if cell is not None]
            if done:
                figures = ("" if cell is None else _three(cell["auc"]) for cell in found.values())
                minutes = mean(cell["seconds_training"] / 60 for cell in done)
                epochs = str(done[0]["settings"]["train"]["epochs"])
                rows.append([f"`{name}`", what, size, *figures, epochs, f"{minutes:.0f}"])
    return table(rows)


def courses_table(courses: dict[str, Any]) -> str:
    epochs = sorted({one["epoch"] for course in courses.values() for one in course["course"]})
    rows = [["run", *(f"epoch {epoch}" for epoch in epochs)]]
    for name, course in courses.items():
        figures = {one["epoch"]: _three(one["auc"]) for one in course["course"]}
        rows.append([f"`{name}`", *(figures.get(epoch, "") for epoch in epochs)])
    return table(rows)


def paper_cells(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """(set, row) → part → cell, of a folder that was copied from `oddframe reproduce --out`."""
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted((folder / "cells").glob("*.json")):
        if path.name.endswith(".spaces.json"):
            continue
        one = json.loads(path.read_text("utf-8"))
        about = one["cell"]
        cells.setdefault((about["set"], about["row"]), {})[about["part"]] = one
    return cells


def paper_table(what: str, folder: Path) -> str:
    """A table of the paper, from the cells that `oddframe reproduce --out` left in a folder."""
    cells: dict[tuple[str, str], dict[str, Cell]] = {}
    for path in sorted((folder / "cells").glob("*.json")):
        if not path.name.endswith(".spaces.json"):
            one = read_record(path, Cell, "the cell")
            cells.setdefault((one.cell.set, one.cell.row), {})[one.cell.part] = one
    sets = sorted({name for name, _ in cells})
    folds = max(len(parts) for parts in cells.values())
    whole = figures_table(what, rows_of(what), sets, cells, folds).render("markdown")
    scores = [score for score in SCORES if score not in ("learned", "flow")]
    rows = [["method", "part", *(NAMES[score] for score in scores)]]
    for row in rows_of(what):
        for part, cell in sorted(cells.get((sets[0], row.key), {}).items()):
            figures = (figures_of(cell, what).get(score) for score in scores)
            rows.append([row.label, part, *("" if one is None else with_interval(one) for one in figures)])
    return f"{whole}\nFold by fold, with the 95 % interval over test videos:\n\n{table(rows)}"


def compared_table(folder: Path) -> str:
    """What two memories gain over one: difference of AUC by fold, with the interval of the difference."""
    found = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("single-dual-*.json"))}
    rows = [["part", *(NAMES[name] for name in _COMPARED)]]
    for name, one in found.items():
        gains = (one["differences"][score] for score in _COMPARED)
        shown = (
            f"{100 * g['difference']:+.1f} [{100 * g['interval'][0]:+.1f}, {100 * g['interval'][1]:+.1f}]"
            for g in gains
        )
        rows.append([name.rpartition("-")[2], *shown])
    return table(rows)


def memories_table(folder: Path) -> str:
    """How far queries are from both memories, and what the items of each get, of the runs that were looked into."""
    heads = ["part", "clips", "to own memory", "to other", "own/other", "other/own"]
    uses = ["memory", "items", "hardly used", "most for one item", "most alike"]
    distances, memories = [heads], [["part", *uses]]
    for path in sorted(folder.glob("*.spaces.json")):
        found, part = json.loads(path.read_text("utf-8")), path.name.removesuffix(".spaces.json").partition("-ped2-")[2]
        for kind, one in (found["distances"] or {}).items():
            figures = (f"{one[name]:.2f}" for name in ("own", "other", "ratio", "inverse"))
            distances.append([f"`{part}`", kind, *figures])
        for name, one in found["memories"].items():
            most = ", ".join(f"{100 * max(shares):.0f} % of {kind}" for kind, shares in one["share"].items())
            counts = (str(len(one["similarity"])), str(len(one["dead"])))
            memories.append([f"`{part}`", name, *counts, most, f"{one['largest_similarity']:.2f}"])
    return "\n".join([table(distances), table(memories)])


def following_table(folder: Path) -> str:
    """MNAD with the memory that it was trained to, and with one that follows the video it judges."""
    scores = ("paper", "online", "psnr", "distance", "local_distance")
    rows = [["memory", *(NAMES[score] for score in scores)]]
    for path in sorted(folder.glob("*.json")):
        auc = json.loads(path.read_text("utf-8"))["auc"]
        rows.append([path.stem.replace("-", " "), *(with_interval(auc[score]) for score in scores)])
    return table(rows)


def kinds_table(what: str, cells: dict[tuple[str, str], dict[str, Any]]) -> str:
    """AUC of `online` and share above its 99 % line, as means over the kinds that a fold knows and over the others.

    A row that is given normal video only knows no kind: which ones a fold knows is taken from the rows that are told.
    """
    known: dict[str, set[str]] = {}
    for parts in cells.values():
        for part, cell in parts.items():
            known.setdefault(part, set()).update(cell["classes"]["known"]["kinds"])
    heads = ["method", "given", "part", "all", "known kinds", "other kinds", "normal frames above the line", "steps"]
    rows = [heads]
    for row, name in ((row, name) for row in rows_of(what) for name in sorted({name for name, _ in cells})):
        for part, cell in sorted(cells.get((name, row.key), {}).items()):
            line, each = cell["threshold"]["online"], cell["classes"]["each"]
            shown = [f"{100 * cell['auc']['online']['micro']:.1f} / {100 * line['recall']:.1f}"]
            for told in (True, False):
                kinds = [one for kind, one in each.items() if (kind in known[part]) is told and one["auc"] is not None]
                figures = (mean(one[figure] for one in kinds) for figure in ("auc", "recall"))
                shown.append(" / ".join(f"{100 * figure:.1f}" for figure in figures) if kinds else "-")
            above = f"{100 * line['normal_above']:.1f}"
            rows.append([row.label, row.given, part, *shown, above, str(cell["cell"]["steps"])])
    return table(rows)


def _three(auc: dict[str, Any]) -> str:
    figures = (auc.get(name) for name in ("paper", "online", "distance"))
    return " / ".join("-" if figure is None else f"{100 * figure['micro']:.1f}" for figure in figures)


def lines_table(ours: dict[int, Any]) -> str:
    text = (
        "Share of normal test frames above the 99 % quantile of held-out normal video (1 % is the promise) / share of "
        "abnormal frames above it. `online` and `learned` are measured against a lively one "
        "([decision 10](../decisions/0010-lines-hold-for-nineteen-of-twenty.md)).\n\n"
    )
    rows = [["score", *(f"fold {fold}" for fold in ours), "mean"]]
    for name, label in NAMES.items():
        pairs = [cell["threshold"].get(name) for cell in ours.values()]
        if all(pairs):
            shares = [(pair["normal_above"], pair["recall"]) for pair in pairs]
            shares.append((mean(share for share, _ in shares), mean(recall for _, recall in shares)))
            rows.append([label, *(f"{100 * share:.1f} / {100 * recall:.1f}" for share, recall in shares)])
    return text + table(rows)


def events_table(ours: dict[int, Any]) -> str:
    text = (
        "Events at the default alarm line: labelled stretches that an alarm overlaps, frames from a stretch's first to "
        "the first that is in an alarm (median), and alarms that overlap no stretch, an hour of normal video at "
        f"{words.FPS:g} frames a second. There are only seconds of normal test video ({{}}): the rate is rough.\n\n"
    )
    rows = [["fold", "found", "delay in frames", "false", "false an hour"]]
    normal = []
    for fold, cell in ours.items():
        events = cell["events"]
        seconds = events["normal_frames"] / words.FPS
        normal.append(f"{seconds:.0f} s")
        found = f"{events['found']} of {events['labelled']}"
        rate = f"{3600 * events['false'] / seconds:.0f}"
        rows.append([str(fold), found, f"{events['delay_frames']:g}", str(events["false"]), rate])
    return text.format(", ".join(normal)) + table(rows)


def videos_table(ours: dict[int, Any]) -> str:
    text = (
        "AUC of `online` within each video; a video of one class has none, and its frames count in micro AUC only.\n\n"
    )
    names = sorted({row["name"] for cell in ours.values() for row in cell["table"]})
    rows = [["video", *(f"fold {fold}" for fold in ours)]]
    for name in names:
        found = [next((row for row in cell["table"] if row["name"] == name), None) for cell in ours.values()]
        rows.append([name, *("known" if row is None else _one(row["online"]) for row in found)])
    return text + table(rows)


def _one(value: float | None) -> str:
    return "one class" if value is None else f"{100 * value:.1f}"


def places_table(cells: dict[str, Any]) -> str:
    maps = ("online", "local_distance", "motion")
    rows = [["fold", "judged", *(f"{NAMES[name]}: RBDC / TBDC / pixels" for name in maps)]]
    for variant, what in words.PLACES_JUDGED.items():
        for fold, cell in folds_of(cells, variant).items():
            found = (cell["places"]["figures"][name] for name in maps)
            shown = (" / ".join(f"{100 * one[key]:.1f}" for key in ("rbdc", "tbdc", "pixel_auc")) for one in found)
            rows.append([str(fold), what, *shown])
    return table(rows)


def costs_table(ours: dict[int, Any]) -> str:
    rows = [["fold", "training", "peak memory", "processor", "cores", "bf16 units", "precision"]]
    for fold, cell in ours.items():
        host = cell["host"]
        rows.append(
            [
                str(fold),
                f"{cell['seconds_training'] / 60:.0f} min",
                f"{cell['peak_memory_mb']:.0f} MB",
                str(host["processor"]),
                str(host["cores"]),
                "yes" if host["bf16_units"] else "no",
                str(cell["settings"]["train"]["precision"]),
            ]
        )
    return table(rows)
