"""From a run to an artefact: graph, calibration, comparison, model card."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

from oddframe.artefact import AreasInfo, Artefact, Description, Graph, ParityInfo, Precision, write_artefact
from oddframe.data.source import DataSource, source_in
from oddframe.errors import ExportError, SettingsError, nearest
from oddframe.exporting.card import card
from oddframe.exporting.footage import Footage, gather, needed, normal_clips, stored
from oddframe.exporting.formats import write_graph
from oddframe.exporting.graph import to_onnx
from oddframe.exporting.parity import LIMIT, area, compare, refuse_difference, refuse_infinite
from oddframe.files import atomic_folder, write_json, write_text
from oddframe.origin import Origin
from oddframe.progress import Progress, Watcher, unwatched
from oddframe.runs import Run, versions
from oddframe.scoring.calibrate import fit_calibration
from oddframe.scoring.calibration_file import ARRAYS, WORDS, load_calibration, save_calibration
from oddframe.scoring.runtimes.choose import fitting, open_runtime
from oddframe.scoring.scorer import Scorer
from oddframe.training.calibrate import judge_split

Format = Literal["onnx", "openvino"]

_GRAPHS: dict[Format, Graph] = {"onnx": "model.onnx", "openvino": "model.xml"}


def export(
    run: Run | Path | str,
    out: Path | str,
    *,
    format: Format = "onnx",
    precision: Precision = "fp32",
    calibrate_on: Sequence[Path | str] = (),
    check_on: Sequence[Path | str] = (),
    data: DataSource | Path | str | None = None,
    watch: Watcher = unwatched,
) -> Artefact:
    """Export a run as an artefact: a folder that scores without torch.

    The graph in fp32 is held to its run on video, whatever is exported then. int8 has a calibration of its own, fitted
    on the evidence of the quantised network, so that its thresholds hold.

    Args:
        run: a finished run, or its folder. out: the artefact's folder, not there yet or empty.
        format: "onnx" or "openvino". precision: "fp32" or "int8".
        calibrate_on: normal videos to calibrate int8 on; without them, what the run held out, if it is still there.
        check_on: videos to compare scores and alarms on; without them, the first of the run's, if they are there.
        data: where the run's data are, or how they are opened. Given, the AUC on its test videos is compared, too.
        watch: told how far it is.

    Raises:
        ExportError: the detector cannot be exported, the graph does not score like its run, or int8 has no video.
        RunError: no finished run. DataError: a video cannot be read. StorageError: the folder cannot be written.
        SettingsError: no such format or precision. MissingExtraError: what exports is not installed.
    """
    for word, known in ((format, get_args(Format)), (precision, get_args(Precision))):
        if word not in known:
            raise SettingsError(
                "this cannot be exported", seen=word, wanted=" | ".join(known), hint=nearest(word, known)
            )
    opened = run if isinstance(run, Run) else Run.open(run)
    folder, settings = Path(out), opened.settings
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ExportError("there is something in this folder", path=folder, hint="choose another --out, or remove it")
    footage = gather(opened, calibrate_on, check_on, data)
    if precision == "int8":
        needed(footage)
    source = Scorer(opened, device="cpu", backend="torch")
    detector = opened.detector()
    watch(Progress("exporting", 0, 0))
    graph = to_onnx(detector, settings.score)
    if graph.carried and precision == "int8":
        raise ExportError(
            f"'{settings.detector}' carries {', '.join(graph.carried)} over a video, and is not rounded to eight bits",
            hint="export it with --precision fp32",
        )
    with atomic_folder(folder, "the artefact cannot be written") as place:
        before, after = detector.window
        about = Description(
            graph=_GRAPHS[format],
            precision="fp32",
            before=before,
            after=after,
            size=settings.model.size,
            channels=settings.model.channels,
            values=graph.values,
            maps=graph.maps,
            carried=dict(graph.carried),
            files=dict.fromkeys((_GRAPHS[format], *(("model.bin",) if format == "openvino" else ())), ""),
            settings=settings,
            run=_origin(opened, folder),
            versions=versions(),
        )
        write_graph(graph.content, place, about.graph)
        artefact = write_artefact(place, about)
        for name in (WORDS, ARRAYS):
            shutil.copyfile(opened.folder / name, place / name)
        source.backgrounds.save(place)
        compared = compare(source, _scorer(artefact), footage.looks, watch)
        refuse_difference(compared, footage.made)
        parity = ParityInfo(limit=LIMIT, made=footage.made, why_made=footage.why_made, fp32=compared.info())
        if precision == "int8":
            artefact = _rounded(artefact, graph.content, footage, watch)
            compared = compare(source, _scorer(artefact), footage.looks, watch)
            refuse_infinite(compared)
            parity = parity.model_copy(update={"int8": compared.info()})
        if footage.judged:
            areas = {name: area(one, footage.judged, watch) for name, one in _both(source, artefact).items()}
            parity = parity.model_copy(update={"auc": AreasInfo(videos=len(footage.judged), **areas)})
        write_json(place / "parity.json", parity.as_given())
        write_text(place / "README.md", card(artefact, load_calibration(place), parity))
        write_artefact(place, artefact.about)  # once more: now all files are there, and stay as they are
    return Artefact.open(folder)


def _rounded(artefact: Artefact, onnx: bytes, footage: Footage, watch: Watcher) -> Artefact:
    """The artefact in int8, calibrated anew."""
    parts, settings, about = needed(footage), artefact.settings, artefact.about
    pictures = stored(parts, settings, watch)
    clips = normal_clips(parts, pictures, about.before + 1 + about.after, int(about.channels))
    watch(Progress("quantising", 0, 0))
    write_graph(onnx, artefact.folder, about.graph, clips)
    rounded = write_artefact(artefact.folder, about.model_copy(update={"precision": "int8"}))
    runtime = open_runtime(rounded, fitting(rounded)[0])
    judged = judge_split(runtime, parts, pictures, settings, watch)
    save_calibration(fit_calibration(judged, settings.score), rounded.folder)
    return rounded


def _scorer(artefact: Artefact) -> Scorer:
    return Scorer(artefact, backend=fitting(artefact)[0])


def _both(source: Scorer, artefact: Artefact) -> dict[str, Scorer]:
    return {"run": source, "artefact": _scorer(artefact)}


def _origin(run: Run, folder: Path) -> Origin:
    """What run.json holds but for the settings, with the way to the data from the artefact's folder."""
    source = source_in(run.info.data, run.folder)
    data = run.info.data.changed(source=None if source is None else source.seen_from(folder), root=None)
    return run.info.without_settings().changed(data=data)
